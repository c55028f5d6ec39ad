"""How whole a matte has left the head. Described, never probed (see `ASIDE`).

Stages refuse mattes that lose much of a face. Smaller tears stay: a bite out of a cheek, a forehead or hair. A head is
nearly convex, so that what its hull holds beyond the matte was bitten out, or is the shape of the hair.
"""

import cv2
import numpy as np

from curate.matting.judge import oval
from curate.nuisance.seen import Family, Seen
from curate.pictures.pixels import Box

AROUND, ABOVE = 0.35, 0.7
"""How far the head reaches beyond the box of its face, to the sides and above, in sides of the box."""


def measure(seen: Seen) -> dict[str, float]:
    """Return the share of the face that the matte keeps and how dented the head is, 0..1; NaN without matte or face."""
    values = {"kept": float("nan"), "dent": float("nan"), "scale": float("nan")}
    if seen.face is None:
        return values
    eyes, mouth = seen.face.eyes, seen.face.mouth
    if eyes and mouth:
        between = np.hypot(eyes[1].x - eyes[0].x, eyes[1].y - eyes[0].y)
        down = np.hypot(mouth.x - (eyes[0].x + eyes[1].x) / 2, mouth.y - (eyes[0].y + eyes[1].y) / 2)
        values["scale"] = float(max(between, down)) / min(seen.image.size)
    if seen.alpha is None:
        return values
    face = oval(seen.alpha.shape, seen.face)
    values["kept"] = float(seen.alpha[face].mean() / 255) if face.any() else float("nan")
    left, top, right, bottom = _head(seen.face.box, seen.image.size)
    person = (seen.alpha[top:bottom, left:right] >= 128).astype(np.uint8)
    values["dent"] = 1.0
    if person.any():
        hull = np.zeros_like(person)
        cv2.fillConvexPoly(hull, cv2.convexHull(np.argwhere(person)[:, ::-1].astype(np.int32)), 1)
        values["dent"] = float(1 - person.sum() / hull.sum())
    return values


def _head(face: Box, size: tuple[int, int]) -> Box:
    side = max(face[2] - face[0], face[3] - face[1])
    left, right = max(0, round(face[0] - AROUND * side)), min(size[0], round(face[2] + AROUND * side))
    return left, max(0, round(face[1] - ABOVE * side)), right, min(size[1], face[3])


WORDS = {
    "kept": "share of the face that the matte keeps",
    "dent": "share of the outline of the head that is bitten out",
    "scale": "share of the picture that eyes and mouth take up",
}

FAMILY = Family(
    name="head",
    version=1,
    measure=measure,
    words=WORDS,
    goes_by_face=True,
    goes_by_matte=True,
    advice="Cut such pictures out with another backend (curate whiten), or leave them out.",
)
