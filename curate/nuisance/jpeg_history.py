"""What an earlier JPEG left in the pixels, whatever the format of the file is now.

Three traces. **The grid**: at the edges of 8×8 blocks neighbouring pixels differ otherwise than inside them (Fan and
de Queiroz 2003, "Identification of bitmap compression history"); here by the mixed second difference, averaged by
column and by row, for each of the eight phases, so that a cropped grid is found as well. A picture that was scaled
after compression has a grid of another period, seen as peaks in the spectrum of the same averages (Gallagher 2005;
Mahdian and Saic 2009). **The comb**: quantised DCT coefficients lie at multiples of the quantisation step, also after
one more compression (Popescu and Farid 2004; Lin et al. 2009; Luo, Huang and Qiu 2010). **The zeros**: quantisation
empties the high frequencies, on the grid of that JPEG and only there.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.nuisance.seen import WINDOW, Family, Seen
from curate.nuisance.spelling import LOG

Plane = NDArray[np.float32]

BLOCK = 8

SIDE = 512
"""Side of the middle part whose blocks are transformed; a multiple of 16, so that blocks stay where they were."""

LEAST = 32
"""A picture of fewer pixels a side has no eight blocks to average over."""

STEEPEST = 10.0
"""Differences above this many grey levels are edges of the picture, not of blocks."""

LOW = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0))
"""The frequencies (down, across) whose coefficients are numerous enough away from zero to show a comb."""

STEPS = np.arange(1.0, 17.0)
"""Quantisation steps that are tried; the low frequencies of q50 end here."""

FLAT = 0.01
"""The median amplitude below which a spectrum is that of rounding, as in the chroma of a grey picture."""

FINE, REACH = 8, 120
"""The histogram of coefficients has this many bins a unit, and ends at this value."""


def measure(seen: Seen) -> dict[str, float]:
    """Return grid, comb and zeros of the luma and the grid of the chroma; NaN below 32 pixels a side."""
    if min(seen.image.size) < LEAST:
        return dict.fromkeys(_names(), float("nan"))
    grey = seen.grey
    profiles = _profiles(grey)
    values = _grid("luma", profiles) | _peaks("luma", profiles, BLOCK)
    across, down = (int(np.argmax(_phases(profile))) for profile in profiles)
    part = _middle(grey)
    here = _blocks(part, 0, 0)
    best = here if across == down == 0 else _blocks(part, across, down)
    between = _blocks(part, (across + 4) % BLOCK, (down + 4) % BLOCK)
    values |= _comb("first", here) | _comb("strongest", best)
    values |= _zeros("first", here, between) | _zeros("strongest", best, between)
    colour = _middle(seen.window)
    chroma = {name: _profiles(colour[..., channel] - part, STEEPEST / 2) for name, channel in (("Cb", 2), ("Cr", 0))}
    for name, lines in chroma.items():
        values |= _chroma_grid(name, lines)
    both = tuple(sum(lines) for lines in zip(*chroma.values(), strict=True))
    return values | _peaks("chroma", (both[0], both[1]), 2 * BLOCK)


def _grid(name: str, profiles: tuple[Plane, Plane]) -> dict[str, float]:
    """Return each phase's share of the differences as a logarithm (0: no grid), and how far the extremes stand out."""
    values: dict[str, float] = {}
    across, down = (np.log(_phases(profile) + 0.02) for profile in profiles)
    for axis, logs in (("across", across), ("down", down)):
        usual = np.median(logs)
        values |= {f"{name} {axis} phase {phase}": float(logs[phase] - usual) for phase in range(BLOCK)}
        values[f"{name} {axis} strongest"] = float(logs.max() - usual)
        values[f"{name} {axis} spread"] = float(logs.max() - logs.min())
    values[f"{name} both phase 0"] = float(across[0] + down[0] - np.median(across) - np.median(down))
    return values


def _profiles(plane: Plane, steepest: float = STEEPEST) -> tuple[Plane, Plane]:
    """Return the mean mixed second difference across every column edge and every row edge; edge 0 is the border."""
    steps = plane[:, 1:] - plane[:, :-1]
    mixed = np.abs(steps[1:] - steps[:-1])
    np.minimum(mixed, steepest, out=mixed)
    columns, rows = (cv2.reduce(mixed, axis, cv2.REDUCE_AVG).ravel() for axis in (0, 1))
    return _with_border(columns), _with_border(rows)


def _with_border(profile: NDArray[Any]) -> Plane:
    return np.concatenate([profile[BLOCK - 1 : BLOCK], profile]).astype(np.float32)


def _phases(profile: Plane, period: int = BLOCK) -> Plane:
    whole = len(profile) // period * period
    return profile[:whole].reshape(-1, period).mean(axis=0)


def _peaks(name: str, profiles: tuple[Plane, Plane], period: int) -> dict[str, float]:
    """Return how far peaks in the spectrum of the profiles stand out, at multiples of 1/period and elsewhere."""
    spectra = [_spectrum(profile) for profile in profiles]
    joint = np.sqrt(spectra[0] * spectra[1])
    frequencies = np.linspace(0, 0.5, len(joint))
    own = np.min(np.abs(frequencies[:, None] - np.arange(period // 2 + 1) / period), axis=1) < 0.004
    searched = (frequencies > 0.06) & (frequencies < 0.497)
    elsewhere = np.where(searched & ~own, joint, 0)
    return {
        f"{name} peak on the grid": float(np.log1p(joint[searched & own].max())),
        f"{name} peak elsewhere": float(np.log1p(elsewhere.max())),
        f"{name} peak elsewhere at": float(frequencies[elsewhere.argmax()]),
    }


def _spectrum(profile: Plane) -> NDArray[np.float64]:
    """Return the amplitude spectrum of a profile without its trend, its median 1, at 513 frequencies up to Nyquist."""
    logs = np.log(profile + 0.02)
    flat = logs - cv2.blur(logs.reshape(1, -1), (9, 1)).ravel()
    amplitude = np.abs(np.fft.rfft(flat * np.hanning(len(flat)), WINDOW))
    return amplitude / max(float(np.median(amplitude)), FLAT)


def _middle(plane: Plane) -> Plane:
    down, across = (max(0, side - SIDE) // 2 // 16 * 16 for side in plane.shape[:2])
    return plane[down : down + SIDE, across : across + SIDE]


def _blocks(plane: Plane, across: int, down: int) -> Plane:
    """Return the DCT coefficients of the blocks of a grid, 8 × 8 × blocks, without blocks of pure black or white."""
    plane = plane[down:, across:]
    high, wide = (side // BLOCK for side in plane.shape)
    tiles = plane[: high * BLOCK, : wide * BLOCK].reshape(high, BLOCK, wide * BLOCK) - 128
    basis = _basis()
    by_row: NDArray[Any] = (basis @ tiles).reshape(high, BLOCK, wide, BLOCK)
    transformed: NDArray[Any] = (by_row.reshape(-1, BLOCK) @ basis.T).reshape(high, BLOCK, wide, BLOCK)
    coefficients = transformed.transpose(1, 3, 0, 2).reshape(BLOCK, BLOCK, -1)
    return coefficients[:, :, np.abs(coefficients[0, 0]) < BLOCK * 126]


@cache
def _basis() -> Plane:
    return np.asarray(cv2.dct(np.eye(BLOCK, dtype=np.float32), flags=cv2.DCT_ROWS).T, dtype=np.float32)


def _comb(name: str, blocks: Plane) -> dict[str, float]:
    """Return how sharply the low frequencies lie at multiples of a step (0..1), and the step, as a logarithm."""
    values = np.stack([blocks[at] for at in LOW])
    bins = np.rint(np.clip(np.abs(values), 0, REACH) * FINE).astype(np.int32)
    shift = np.arange(len(LOW), dtype=np.int32)[:, None] * (REACH * FINE + 1)
    counts = np.bincount((bins + shift).ravel(), minlength=len(LOW) * (REACH * FINE + 1))
    histogram = counts.reshape(len(LOW), -1).astype(np.float64)
    histogram[:, -1] = 0
    waves, used = _waves()
    score = (histogram @ waves.T) / (histogram @ used.T + 25)
    best = score.argmax(axis=1)
    return {
        f"comb {name} strength": float(score.max(axis=1).mean()),
        f"comb {name} step": float(np.log(STEPS[best]).mean()),
        f"comb {name} at 1": float(score[:, 0].mean()),
    }


@cache
def _waves() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a cosine for every step over the bins, and which bins it looks at: not those around zero."""
    values = np.arange(REACH * FINE + 1) / FINE
    used = (values > 0.5 * STEPS[:, None]).astype(np.float64)
    return np.cos(2 * np.pi * values / STEPS[:, None]) * used, used


def _zeros(name: str, blocks: Plane, between: Plane) -> dict[str, float]:
    """Return, by band of frequencies, the share of coefficients that vanish on a grid but not on one in between.

    Plain shares would tell smooth pictures from detailed ones instead.
    """
    values = {}
    for band, inside in _bands().items():
        share, usual = (_share_of_zeros(coefficients[inside]) for coefficients in (blocks, between))
        values[f"zeros {name} {band}"] = (share - usual) / (1.05 - usual)
    return values


def _share_of_zeros(coefficients: Plane) -> float:
    return float((np.abs(coefficients) < 0.5).mean()) if coefficients.size else 0.0


@cache
def _bands() -> dict[str, NDArray[np.bool_]]:
    order = np.add.outer(np.arange(BLOCK), np.arange(BLOCK))
    return {"low": (order > 0) & (order < 4), "middle": (order >= 4) & (order < 8), "high": order >= 8}


def _chroma_grid(name: str, profiles: tuple[Plane, Plane]) -> dict[str, float]:
    """Return how far the edges of blocks of 8 and of 16 pixels stand out in a chroma plane, both axes together."""
    logs = [np.log(_phases(profile, 2 * BLOCK) + 0.02) for profile in profiles]
    both = logs[0] + logs[1] - np.median(logs[0]) - np.median(logs[1])
    return {
        f"{name} phase 0 of 16": float(both[0]),
        f"{name} phase 8 of 16": float(both[8]),
        f"{name} strongest": float(both.max()),
        f"{name} spread": float(both.max() - both.min()),
    }


@cache
def _names() -> tuple[str, ...]:
    from PIL import Image

    return tuple(measure(Seen(content=b"", image=Image.new("RGB", (LEAST, LEAST)))))


KINDS = {"first": "of the file's own 8×8 grid", "strongest": "of the 8×8 grid that shows most"}
GRID = {
    **{f"phase {n}": f"how far every eighth edge, from pixel {n} on, stands out {LOG}" for n in range(BLOCK)},
    "strongest": f"how far the edges of 8×8 blocks stand out {LOG}",
    "spread": f"difference between block edges and other pixels {LOG}",
}
PEAKS = {
    "peak on the grid": f"trace of 8×8 blocks in the spectrum {LOG}",
    "peak elsewhere": f"trace of scaled blocks in the spectrum {LOG}",
    "peak elsewhere at": "period of the scaled blocks (cycles per pixel)",
}
WORDS = {
    **{f"luma {axis} {name}": f"{words}; {axis}" for axis in ("across", "down") for name, words in GRID.items()},
    "luma both phase 0": f"how far the edges of the file's own 8×8 blocks stand out {LOG}",
    **{f"{what} {name}": f"{words}; {of}" for what, of in (("luma", "brightness"), ("chroma", "colour"))
       for name, words in PEAKS.items()},
    **{f"comb {kind} strength": f"how sharply the pixels keep the rounding of a JPEG (0 to 1); {of}"
       for kind, of in KINDS.items()},
    **{f"comb {kind} step": f"coarseness of the rounding of a JPEG {LOG}; {of}" for kind, of in KINDS.items()},
    **{f"comb {kind} at 1": f"how sharply the pixels keep the finest rounding (0 to 1); {of}"
       for kind, of in KINDS.items()},
    **{f"zeros {kind} {band}": f"share of {band} frequencies that a JPEG emptied; {of}"
       for kind, of in KINDS.items() for band in ("low", "middle", "high")},
    **{f"{name} {trace}": f"{words}; {hue}" for name, hue in (("Cb", "blue–yellow"), ("Cr", "red–green"))
       for trace, words in {
           "phase 0 of 16": f"how far every sixteenth edge stands out in colour {LOG}",
           "phase 8 of 16": f"how far the edges between stand out in colour {LOG}",
           "strongest": f"how far the edges of 16×16 blocks stand out in colour {LOG}",
           "spread": f"difference between block edges and other pixels in colour {LOG}",
       }.items()},
}  # fmt: skip

FAMILY = Family(
    name="jpeg_history",
    version=1,
    speaks_for_file=True,
    measure=measure,
    words=WORDS,
    removed_by=("forensic", "match"),
    advice=(
        "Saving again under another name removes nothing. Normalize with the recipe `forensic`: a crop that breaks the "
        "8×8 grid, a downscale of at least 1.6×, one encode."
    ),
)
