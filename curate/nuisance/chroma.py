"""How finely colour is drawn compared with brightness: what chroma subsampling leaves in decoded pixels.

Most JPEGs keep one colour sample for two or four pixels. Decoders spread it again, either by repetition, which makes
neighbours equal in pairs, or by a triangle filter (libjpeg's "fancy upsampling"), after which the steps inside and
between the pairs differ in size and the upper half of the chroma band is empty (ITU-T T.81; Kee, Johnson and Farid
2011, "Digital image authentication from JPEG headers", for subsampling as a mark of the source; Mahdian and Saic 2008
for the periodic traces of interpolation).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import LOG

Plane = NDArray[np.float32]

SIDE = 512
"""Side of the middle part that is looked at; a multiple of 16, so that pairs stay pairs."""

LEAST = 16
"""Below this many pixels a side there is nothing to average."""

STEEPEST = 10.0
"""Steps above this many levels are edges of the picture and would drown the rest."""

FLOOR = 0.05
"""Added to mean steps before a logarithm: a grey picture has none."""

COARSE, USUAL, LEAST_COARSE = 4, 3.0, 0.2
"""Colour is scaled until its bends over COARSE pixels are about USUAL levels: more colourful is not finer drawn."""

SAME = 0.5
"""Neighbours closer than this many levels are taken to be equal: pixels are rounded."""

SCALED = {"Cb": (2, 0.564), "Cr": (0, 0.713)}
"""The channel from which luma is taken away, and the factor that makes a chroma of it (ITU-R BT.601)."""


def measure(seen: Seen) -> dict[str, float]:
    """Return pair steps, pair equality and bandwidth of both chroma planes, across and down; NaN below 16 pixels."""
    down, across = (max(0, side - SIDE) // 2 // 16 * 16 for side in seen.grey.shape)
    middle = np.s_[down : down + SIDE, across : across + SIDE]
    luma = seen.grey[middle]
    if min(luma.shape) < LEAST:
        return dict.fromkeys(_names(), float("nan"))
    values: dict[str, float] = {}
    for name, (channel, factor) in SCALED.items():
        plane = (seen.window[middle][..., channel] - luma) * np.float32(factor)
        for axis in ("across", "down"):
            values |= {f"{name} {axis} {what}": value for what, value in _traces(_turned(plane, axis)).items()}
    return values


def _traces(plane: Plane) -> dict[str, float]:
    """Look along the rows of one chroma plane."""
    plane = plane * np.float32(USUAL / (_bends(plane, COARSE) + LEAST_COARSE))
    steps = np.abs(plane[:, 1:] - plane[:, :-1])
    inside, between = steps[:, 0::2], steps[:, 1::2]
    pairs = _log(_mean(inside)) - _log(_mean(between))
    equal = [_mean((part < SAME).astype(np.float32)) for part in (inside, between)]
    fine, half, quarter = (_bends(plane, reach) for reach in (1, 2, COARSE))
    return {
        "pair steps": pairs,
        "pair steps either way": abs(pairs),
        "pairs equal": equal[0],
        "pairs equal excess": equal[0] - equal[1],
        "upper band": _log(fine) - _log(half),
        "middle band": _log(half) - _log(quarter),
    }


def _bends(plane: Plane, reach: int) -> float:
    """Return the mean second difference along the rows, over `reach` pixels to either side."""
    core = plane[:, reach:-reach]
    return _mean(np.abs(2 * core - plane[:, : -2 * reach] - plane[:, 2 * reach :]))


def _mean(values: Plane) -> float:
    return float(cv2.mean(np.minimum(values, STEEPEST))[0])


def _log(value: float) -> float:
    return float(np.log(value + FLOOR))


def _turned(plane: Plane, axis: str) -> Plane:
    return plane if axis == "across" else np.ascontiguousarray(plane.T)


def _names() -> tuple[str, ...]:
    from PIL import Image

    return tuple(measure(Seen(content=b"", image=Image.new("RGB", (LEAST, LEAST)))))


TRACES = {
    "pair steps": f"steps of colour inside pairs of pixels against between them {LOG}",
    "pair steps either way": f"difference of the steps of colour inside and between pairs of pixels {LOG}",
    "pairs equal": "share of neighbours of equal colour inside pairs of pixels",
    "pairs equal excess": "share of equal neighbours inside pairs less that between pairs",
    "upper band": f"finest colour detail against that of 2 px {LOG}",
    "middle band": f"colour detail of 2 px against that of {COARSE} px {LOG}",
}
WORDS = {
    f"{name} {axis} {trace}": f"{words}; {hue}, {axis}"
    for name, hue in (("Cb", "blue–yellow"), ("Cr", "red–green"))
    for axis in ("across", "down")
    for trace, words in TRACES.items()
}

FAMILY = Family(
    name="chroma",
    version=2,
    speaks_for_file=True,
    measure=measure,
    words=WORDS,
    removed_by=("forensic", "match"),
    advice=(
        "One class kept more colour detail than the other (4:4:4 against 4:2:0). Normalize with the recipe `forensic`: "
        "downscaling both by 1.6× or more takes them below the coarser of the two, then one encoder writes both."
    ),
)
