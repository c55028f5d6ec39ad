"""Thumbnail: what is left of a picture at 16 x 16 grey and 8 x 8 colour values, too coarse to show how it was made.

The coarse content of "tiny images" (Torralba, Fergus and Freeman 2008): framing, lighting, background, never texture.
"""

import cv2
import numpy as np

from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import place

GREY, COLOUR = 16, 8


def measure(seen: Seen) -> dict[str, float]:
    """Shrink the picture, whatever its shape, to GREY x GREY luma and COLOUR x COLOUR chroma values, 0..255."""
    planes = cv2.cvtColor(seen.small, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    values: dict[str, float] = {}
    for letter, plane, side in (("g", 0, GREY), ("b", 2, COLOUR), ("r", 1, COLOUR)):
        tiny = cv2.resize(planes[..., plane], (side, side), interpolation=cv2.INTER_AREA)
        values |= {
            f"{letter}_{row:02d}_{column:02d}": float(tiny[row, column])
            for row in range(side)
            for column in range(side)
        }
    return values


PLANES = {"g": ("brightness", GREY), "b": ("blueness", COLOUR), "r": ("redness", COLOUR)}
WORDS = {
    f"{letter}_{row:02d}_{column:02d}": f"{what} {place(row, column, side)} (0 to 255)"
    for letter, (what, side) in PLANES.items()
    for row in range(side)
    for column in range(side)
}

FAMILY = Family(
    name="thumbnail",
    version=1,
    measure=measure,
    words=WORDS,
    removed_by=("normalize", "whiten", "match"),
    advice="The classes differ in framing, lighting or background: crop both around the face (curate normalize), give "
    "both one background (curate whiten), and match them (curate manifest --match tone).",
)
