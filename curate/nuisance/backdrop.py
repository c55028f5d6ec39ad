"""Which part of a picture is a white background: flat, almost white, and reaching in from the border."""

import cv2
import numpy as np
from numpy.typing import NDArray

BRIGHT = 245
"""Every channel of a white background is at least this."""

SPREAD = 2
"""How far a flat background strays from its one grey level: rounding, or a JPEG of high quality."""

LEAST_SHARE = 0.02
"""A white background of less than this share of the picture (or of its border) is none."""

MOSTLY = 0.8
"""Share of the bright border pixels that must be of one level: a bright sky is not flat, a cut-out's white is."""


def white_backdrop(pixels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Return the mask of the white background of a picture (height x width x 3), or None where there is none."""
    frame = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).astype(np.int16)
    bright = frame[frame.min(axis=1) >= BRIGHT]
    if len(bright) < LEAST_SHARE * len(frame):
        return None
    level = float(np.median(bright))
    if (np.abs(bright - level).max(axis=1) <= SPREAD).mean() < MOSTLY:
        return None
    low, high = max(0.0, level - SPREAD), min(255.0, level + SPREAD)
    flat = cv2.inRange(pixels, (low,) * 3, (high,) * 3)
    _, pieces = cv2.connectedComponents(flat, connectivity=4, ltype=cv2.CV_16U if flat.size < 60_000 else cv2.CV_32S)
    edge = np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])
    reaching = np.zeros(int(pieces.max()) + 1, dtype=bool)
    reaching[edge] = True
    reaching[0] = False
    mask: NDArray[np.bool_] = reaching[pieces]
    return mask if mask.mean() >= LEAST_SHARE else None
