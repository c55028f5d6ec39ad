"""Keypoints of a picture, which are found again when it is turned, cropped, framed or shown in a screenshot."""

from base64 import b64decode, b64encode
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

VERSION = 1
"""Raise it whenever the keypoints of a picture change: what was kept of them is measured again."""

SIDE = 320
"""Pictures are looked at with their longer side at 320 pixels."""

COARSER = 2.4
FINE, COARSE = (350, 4), (150, 5)
"""Keypoints, and levels of the pyramid (a factor of 1.2 each), at SIDE and at SIDE / COARSER.

A budget of their own for the coarse ones finds pictures again that are small in a screenshot.
"""

STEP = 1.2
REACH = 31
LEAST_CONTRAST = 4
"""Grey levels by which a corner must differ from its surroundings; low, so that soft portraits have keypoints."""

BITS = 256
BYTES = BITS // 8
PARTS = 4
"""A place: x, y (pixels at SIDE), angle (degrees), and the natural logarithm of the size (pixels at SIDE)."""

_ROW = np.dtype([("place", "<f2", (PARTS,)), ("code", "u1", (BYTES,))])


@dataclass(frozen=True, slots=True)
class Points:
    """Keypoints of a picture or of its mirror image: places (n, PARTS) float32, and codes (n, BYTES) uint8."""

    places: NDArray[np.float32]
    codes: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Print:
    """What a picture is found again by: its size at SIDE (width, height), its keypoints, those of its mirror image."""

    size: tuple[int, int]
    straight: Points
    mirrored: Points

    def packed(self) -> str:
        """Write the print as text, about 40 KB."""
        rows = np.concatenate([_rows(self.straight), _rows(self.mirrored)])
        head = np.array([*self.size, len(self.straight.codes)], dtype="<u2")
        return b64encode(head.tobytes() + rows.tobytes()).decode("ascii")


def unpacked(text: str) -> Print:
    """Read what `packed` has written; raise ValueError for anything else."""
    content = b64decode(text, validate=True)
    width, height, straight = (int(n) for n in np.frombuffer(content[:6], dtype="<u2", count=3))
    rows = np.frombuffer(content[6:], dtype=_ROW)
    if straight > len(rows) or not (0 < width <= SIDE and 0 < height <= SIDE) or not np.isfinite(rows["place"]).all():
        raise ValueError("this is not what a picture is found again by")
    return Print((width, height), _points(rows[:straight]), _points(rows[straight:]))


def print_of(image: Image.Image) -> Print:
    """Find the keypoints of an upright RGB picture and of its mirror image, the same ones on every machine.

    Rublee, E. et al. (2011). ORB: an efficient alternative to SIFT or SURF.
    """
    grey = reduced(image)
    height, width = grey.shape
    return unpacked(Print((width, height), _found(grey), _found(np.ascontiguousarray(grey[:, ::-1]))).packed())


def reduced(image: Image.Image) -> NDArray[np.uint8]:
    """Return a picture in grey with its longer side at SIDE pixels; small ones are enlarged."""
    scale = SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(image.convert("L").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))


def _found(grey: NDArray[np.uint8]) -> Points:
    places, codes = [np.zeros((0, PARTS), np.float32)], [np.zeros((0, BYTES), np.uint8)]
    for factor, (count, levels) in ((1.0, FINE), (COARSER, COARSE)):
        size = tuple(max(1, round(side / factor)) for side in grey.shape[::-1])
        seen = grey if factor == 1 else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        orb = cv2.ORB.create(
            nfeatures=count, scaleFactor=STEP, nlevels=levels, edgeThreshold=REACH // 2 + 1, patchSize=REACH,
            fastThreshold=LEAST_CONTRAST,
        )  # fmt: skip
        points, code = orb.detectAndCompute(cv2.GaussianBlur(seen, (0, 0), 0.8), None)
        if code is None:
            continue
        places.append(np.array([_place(point, factor) for point in points], np.float32).reshape(-1, PARTS))
        codes.append(np.asarray(code, np.uint8))
    return Points(np.concatenate(places), np.concatenate(codes))


def _place(point: cv2.KeyPoint, factor: float) -> tuple[float, float, float, float]:
    x, y = ((at + 0.5) * factor - 0.5 for at in point.pt)
    return x, y, point.angle, float(np.log(point.size * factor))


def _rows(points: Points) -> NDArray[np.void]:
    rows = np.zeros(len(points.codes), dtype=_ROW)
    rows["place"], rows["code"] = points.places, points.codes
    return rows


def _points(rows: NDArray[np.void]) -> Points:
    return Points(rows["place"].astype(np.float32), np.ascontiguousarray(rows["code"]))
