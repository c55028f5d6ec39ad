"""Resampling: at which resolution a picture was really taken, and with which kernel it was resized.

An enlarged picture carries nothing above its old Nyquist frequency, and its second derivative varies with a period
(Gallagher 2005; Mahdian and Saic 2008); every kernel leaves its own slope in the spectrum and its own correlation
between neighbours in the residual (Popescu and Farid 2005). The noise level is that of Immerkaer (1996). A flat
white background is left out, so that the silhouette does not speak in the place of the pixels.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft2

from curate.nuisance.backdrop import white_backdrop
from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import LOG
from imageledger.types import Floats32

Mask = NDArray[np.bool_]

BLOCK = 32
"""Side of the blocks whose spectra are averaged, in pixels."""

MOST_BLOCKS = 22
"""Blocks across and down: more make the average no steadier."""

LAGGED = 640
"""Side of the middle part on which residual and periodicity are measured."""

BANDS = np.array([1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5, 12.5, 13.5, 14.5, 15.5, 17.5, 22.7]) / 16
"""Edges of the rings of the spectrum, as shares of the Nyquist frequency."""

TINY_POWER = 0.01
"""Added to every power: about a tenth of what rounding to 8 bits leaves, so that a flat block has a logarithm."""

DETAIL = {"detail_half": 0.5, "detail_most": 0.9, "detail_all": 0.98}
"""Up to which radius the picture has this share of its detail (power times frequency squared: flat in nature)."""

EVERY = 3
"""One residual of so many is enough for its mean and median."""

LAGS = {"h1": (0, 1), "h2": (0, 2), "h3": (0, 3), "v1": (1, 0), "v2": (2, 0), "v3": (3, 0), "d1": (1, 1), "d2": (2, 2)}
IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)

STEPS = [f"step_{number:02d}" for number in range(1, len(BANDS) - 1)]
SPECTRUM = [
    *("slope_low", "slope_middle", "slope_high", "above_5", "above_7", "above_9", "floor", *DETAIL),
    *("steepest", "steepest_at", "across_high", "down_high", "across_against_down", "corner_high", *STEPS),
]
RESIDUAL = [*(f"residual_{lag}" for lag in LAGS), "noise", "noise_typical", "noise_heavy", "still_h", "still_v"]
PERIODS = [f"{what}_{way}" for way in "hv" for what in ("period_3", "period", "period_at")]


def measure(seen: Seen) -> dict[str, float]:
    """Measure spectrum, residual and periodicity of the part of the window that is not a white background."""
    white = white_backdrop(seen.pixels)
    person = None if white is None else ~white
    values = dict.fromkeys([*SPECTRUM, *RESIDUAL, *PERIODS], float("nan"))
    if (power := _spectrum(seen.grey, person)) is not None:
        values |= _read(power)
    middle = _middle(*seen.grey.shape)
    grey, kept = seen.grey[middle], None if person is None else person[middle]
    if min(grey.shape) >= 8:
        values |= _residual(grey, kept)
        for way, turned, mask in (("h", grey, kept), ("v", grey.T, None if kept is None else kept.T)):
            values |= {f"{what}_{way}": value for what, value in _periods(turned, mask).items()}
    return values


def _middle(height: int, width: int) -> tuple[slice, slice]:
    top, left = max(0, height - LAGGED) // 2, max(0, width - LAGGED) // 2
    return slice(top, top + LAGGED), slice(left, left + LAGGED)


def _spectrum(grey: Floats32, person: Mask | None) -> Floats32 | None:
    """Average the logarithm of the power spectra of windowed blocks: BLOCK x (BLOCK / 2 + 1), or None."""
    if min(grey.shape) < BLOCK:
        return None
    steps = [max(BLOCK // 2, (side - BLOCK) // MOST_BLOCKS) for side in grey.shape]
    blocks = np.lib.stride_tricks.sliding_window_view(grey, (BLOCK, BLOCK))[:: steps[0], :: steps[1]]
    chosen = blocks.reshape(-1, BLOCK, BLOCK)
    if person is not None:
        inside = np.lib.stride_tricks.sliding_window_view(person, (BLOCK, BLOCK))[:: steps[0], :: steps[1]]
        chosen = chosen[inside.all(axis=(2, 3)).ravel()]
    spread = chosen.std(axis=(1, 2))
    if not len(chosen) or spread.max() < 0.3:
        return None
    chosen = chosen[spread >= min(1.0, 0.5 * spread.max())]
    taper = np.outer(np.hanning(BLOCK), np.hanning(BLOCK)).astype(np.float32)
    level = (chosen * taper).sum(axis=(1, 2), keepdims=True) / taper.sum()
    waves = rfft2((chosen - level) * taper)
    power = (waves.real**2 + waves.imag**2) / (taper**2).sum()
    logs: Floats32 = np.log(power + TINY_POWER).mean(axis=0, dtype=np.float32)
    return logs


def _read(power: Floats32) -> dict[str, float]:
    down, across = np.abs(np.fft.fftfreq(BLOCK))[:, None] * 2, np.fft.rfftfreq(BLOCK)[None, :] * 2
    radius = np.hypot(down, across)
    rings = np.digitize(radius, BANDS)
    profile = np.array([power[rings == ring].mean() for ring in range(1, len(BANDS))])
    at = np.array([radius[rings == ring].mean() for ring in range(1, len(BANDS))])
    values = dict(zip(STEPS, np.diff(profile).tolist(), strict=True))
    for name, low, high in (("slope_low", 0.0, 0.4), ("slope_middle", 0.3, 0.7), ("slope_high", 0.6, 1.0)):
        part = (at >= low) & (at <= high)
        values[name] = float(np.polyfit(np.log(at[part]), profile[part], 1)[0])
    usual = profile[at < 0.4].mean()
    for name, low in (("above_5", 0.5), ("above_7", 0.7), ("above_9", 0.9)):
        values[name] = float(profile[(at >= low) & (at <= 1)].mean() - usual)
    values["floor"] = float(profile[-2:].mean())
    held = np.cumsum(np.exp(profile) * at**2 * np.diff(BANDS))
    values |= {name: float(np.interp(part, held / held[-1], BANDS[1:])) for name, part in DETAIL.items()}
    drop = np.diff(profile + 2 * np.log(at)) / np.diff(at)
    values |= {"steepest": float(drop.min()), "steepest_at": float(at[int(drop.argmin())])}
    sides = [power[(down < 0.2) & (across > 0.6)].mean(), power[(down > 0.6) & (across < 0.2)].mean()]
    values |= {"across_high": float(sides[0] - usual), "down_high": float(sides[1] - usual)}
    values["across_against_down"] = float(sides[0] - sides[1])
    values["corner_high"] = float(power[(down > 0.7) & (across > 0.7)].mean() - np.mean(sides))
    return values


def _residual(grey: Floats32, person: Mask | None) -> dict[str, float]:
    residual = cv2.filter2D(grey, -1, IMMERKAER)[1:-1, 1:-1]
    still = {"still_h": np.diff(grey, axis=1) == 0, "still_v": np.diff(grey, axis=0) == 0}
    weight = np.ones_like(residual)
    if person is not None:
        weight = cv2.erode(person.astype(np.uint8), np.ones((5, 5), np.uint8))[1:-1, 1:-1].astype(np.float32)
        still = {"still_h": still["still_h"][person[:, 1:]], "still_v": still["still_v"][person[1:]]}
    kept = np.abs(residual[weight > 0])[::EVERY]
    values = {name: float(same.mean()) for name, same in still.items() if same.size}
    if kept.size < 64:
        return values
    mean, typical = float(kept.mean()), float(np.median(kept))
    values |= {"noise": np.sqrt(np.pi / 2) * mean / 6, "noise_typical": typical / 6}
    values["noise_heavy"] = float(np.log((mean + 0.1) / (typical + 0.1)))
    clipped = np.clip(residual, -4 * typical - 1, 4 * typical + 1) * weight
    height, width = clipped.shape
    for lag, (down, across) in LAGS.items():
        first, second = (part.ravel() for part in (clipped[: height - down, : width - across], clipped[down:, across:]))
        energy = float(np.vdot(first, first)) + float(np.vdot(second, second))
        values[f"residual_{lag}"] = 2 * float(np.vdot(first, second)) / energy if energy > 0 else float("nan")
    return values


def _periods(grey: Floats32, person: Mask | None) -> dict[str, float]:
    """Look for periods in how strongly columns differ from the mean of their neighbours, as heights over the rest."""
    change = np.minimum(np.abs(2 * grey[:, 1:-1] - grey[:, :-2] - grey[:, 2:]), 24)
    if person is None:
        signal = change.mean(axis=0)
    else:
        inside = person[:, 1:-1]
        columns = inside.sum(axis=0)
        if (columns > 8).sum() < 48:
            return {}
        signal = ((change * inside).sum(axis=0) / np.maximum(columns, 1))[columns > 8]
    if len(signal) < 48 or signal.max() <= 0:
        return {}
    signal = np.log(signal + 0.05)
    smooth = cv2.blur(signal[None], (9, 1))[0]
    heights = np.abs(np.fft.rfft((signal - smooth) * np.hanning(len(signal))))
    places = np.fft.rfftfreq(len(signal))
    usual = float(np.median(heights[places > 0.1])) + 1e-6
    away = np.abs((places * 8) - np.round(places * 8)) > 0.06  # multiples of 1/8 may be the blocks of a JPEG
    others = np.where((places > 0.1) & away, heights, 0)
    third = np.abs(places - 1 / 3) <= 1.5 / len(signal)
    return {
        "period_3": float(np.log(heights[third].max() / usual + 0.1)),
        "period": float(np.log(others.max() / usual + 0.1)),
        "period_at": float(places[int(others.argmax())]),
    }


WAYS = {"h": "across", "v": "down"}
PARTS = {"low": "coarse", "middle": "middle", "high": "fine"}
WORDS = {
    **{f"slope_{part}": f"how fast {words} detail fades (slope, 0 does not)" for part, words in PARTS.items()},
    **{f"above_{n}": f"detail finer than {n}0 % of what the pixels can hold {LOG}" for n in (5, 7, 9)},
    "floor": f"the faintest detail of all {LOG}",
    **{name: f"fineness that {100 * part:.0f} % of the detail stays below (1: one pixel)"
       for name, part in DETAIL.items()},
    "steepest": "steepest fall of detail from coarse to fine (slope)",
    "steepest_at": "fineness at which detail falls most (1: one pixel)",
    "across_high": f"fine detail across {LOG}",
    "down_high": f"fine detail down {LOG}",
    "across_against_down": f"fine detail across against down {LOG}",
    "corner_high": f"fine detail across and down at once {LOG}",
    **{name: f"change of detail with its size, at {100 * at:.0f} % of the finest {LOG}"
       for name, at in zip(STEPS, BANDS[1:-1].tolist(), strict=True)},
    **{f"residual_{lag}": f"how alike the noise is {max(shift)} px {way} (-1 to 1)" for lag, shift in LAGS.items()
       for way in ["aslant" if all(shift) else "down" if shift[0] else "to the side"]},
    "noise": "strength of the noise (grey levels)",
    "noise_typical": "noise of the typical pixel (grey levels)",
    "noise_heavy": f"how much stronger the noise is in some places {LOG}",
    **{f"still_{way}": f"share of pixels equal to the next one {words}" for way, words in WAYS.items()},
    **{f"period_3_{way}": f"trace of every third pixel, {words} {LOG}" for way, words in WAYS.items()},
    **{f"period_{way}": f"strongest repeating trace of an enlargement, {words} {LOG}" for way, words in WAYS.items()},
    **{f"period_at_{way}": f"where it repeats, {words} (cycles per pixel)" for way, words in WAYS.items()},
}  # fmt: skip

FAMILY = Family(
    name="resampling",
    version=2,
    speaks_for_file=True,
    measure=measure,
    words=WORDS,
    removed_by=("forensic", "match"),
    advice="Shrink both classes with one antialiasing filter by at least 1.6 (curate normalize --recipe forensic), "
    "never enlarge, and choose pictures of one native resolution (curate manifest --match resampling).",
)
