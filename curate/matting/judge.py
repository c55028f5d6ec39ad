"""Say whether a matte may be believed, whichever backend made it. Pure functions on arrays."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.faces.face import Face
from curate.matting.compositing import Alpha, coverage, pieces
from curate.matting.matte import Matte

LEAST_COVERAGE, MOST_COVERAGE = 0.05, 0.95

HOLE_IN_FACE = 0.05
FACE_CUT = 0.25
HOLES = 0.05
"""Share of the person that holes take; asked only where no face says where there must be none."""

LEAST_KEPT = 0.9
"""Share of the part between eyes and mouth that a matte must keep."""

LEAST_SPAN = 0.05
"""A raw output that spans less than this says nothing; rembg would stretch it to black and white all the same."""

LEAST_EDGE = 4.0
"""Median difference of colour (CIELAB) across the edge below which a cut follows nothing that can be seen.

Of the mattes of 560 portraits, those below it are mostly hair and necks cut at random, or a person in the dark.
"""

BEGUN_WITH = 0.95
"""Overlap (intersection over union) with what a backend began with, from which it has seen nothing in the picture."""

BAND, WINDOW = 0.018, 0.067
"""How far from the edge colours are compared, and over which window, as shares of the longer side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a matte is worth: `fault` says why it must not be believed, "" where nothing speaks against it.

    `kept` is the share of the face that it keeps, 0..1, None without a face; `contrast` the median difference of
    colour across its edge (CIELAB units), None where it has no edge.
    """

    fault: str
    kept: float | None
    contrast: float | None


def judged(image: Image.Image, matte: Matte, alpha: Alpha, face: Face | None) -> Judged:
    """Judge the matte of an RGB picture; `alpha` is the matte cleaned, `face` that of the picture, where known."""
    kept, contrast = kept_of(alpha, face) if face else None, edge_contrast(image, alpha)
    why = fault(alpha, face, matte.raw)
    if not why and matte.begun_with is not None and matte.begun_with >= BEGUN_WITH:
        why = "matte: nothing in the picture changed what the cut-out began with"
    if not why and contrast is not None and contrast < LEAST_EDGE:
        why = "matte: the colours are the same on both sides of its edge"
    return Judged(fault=why, kept=kept, contrast=contrast)


def fault(alpha: Alpha, face: Face | None = None, raw: tuple[float, float] | None = None) -> str:
    """Say why the shape of a cleaned matte must not be believed, or return ""; `raw` is the model's output range."""
    why = (_raw_fault(*raw) if raw else "") or _shape_fault(alpha)
    return why or (_face_fault(alpha, face) if face else _holes_fault(alpha))


def kept_of(alpha: Alpha, face: Face) -> float:
    """Return the share of a face that a matte keeps, 0..1: between eyes and mouth where they are known."""
    inside = _between(alpha.shape, face) if face.points else oval(alpha.shape, face)
    return float(alpha[inside].mean() / 255) if inside.any() else 1.0


def edge_contrast(image: Image.Image, alpha: Alpha) -> float | None:
    """Return the median difference of colour (CIELAB) between the two sides of a matte's edge, or None without one."""
    person = (alpha >= 128).astype(np.uint8)
    longer = max(alpha.shape)
    width = 2 * round(BAND * longer) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    within = np.asarray(person - cv2.erode(person, disc), dtype=np.float32)
    beyond = np.asarray(cv2.dilate(person, disc) - person, dtype=np.float32)
    lab = np.asarray(cv2.cvtColor(np.asarray(image, dtype=np.float32) / 255, cv2.COLOR_RGB2LAB), dtype=np.float32)
    window = 2 * round(WINDOW * longer / 2) + 1
    (inner, near), (outer, far) = (_local_mean(lab, side, window) for side in (within, beyond))
    at = (within + beyond > 0) & (near > 0.05) & (far > 0.05)
    return float(np.median(np.linalg.norm(inner[at] - outer[at], axis=1))) if at.any() else None


def _local_mean(
    lab: NDArray[np.float32], weight: NDArray[np.float32], window: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    share = cv2.blur(weight, (window, window))
    summed = cv2.blur(lab * weight[..., None], (window, window))
    return np.asarray(summed / np.maximum(share, 1e-6)[..., None]), np.asarray(share)


def _raw_fault(low: float, high: float) -> str:
    if not high - low >= LEAST_SPAN:
        return "matte: the model's output is flat"
    return "matte: the model saw no person" if high < (0.5 if low >= 0 else 0.0) else ""


def _shape_fault(alpha: Alpha) -> str:
    covered = coverage(alpha)
    if not LEAST_COVERAGE <= covered <= MOST_COVERAGE:
        return f"matte: covers {100 * covered:.0f} % of the picture"
    return f"matte: {count} large pieces" if (count := pieces(alpha)) > 1 else ""


def _face_fault(alpha: Alpha, face: Face) -> str:
    inside = oval(alpha.shape, face)
    if not inside.any():
        return ""
    if _holes(alpha)[inside].mean() > HOLE_IN_FACE:
        return "matte: a hole in the face"
    missing = 1 - float(alpha[inside].mean() / 255)
    between = 1 - kept_of(alpha, face) if face.points else 0.0
    torn = missing > FACE_CUT or between > 1 - LEAST_KEPT
    return f"matte: {100 * max(missing, between):.0f} % of the face cut off" if torn else ""


def _holes_fault(alpha: Alpha) -> str:
    share = _holes(alpha).sum() / max(1, (alpha >= 128).sum())
    return "matte: holes in the person" if share > HOLES else ""


def _holes(alpha: Alpha) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_fill_holes

    person = alpha >= 128
    return np.asarray(binary_fill_holes(person) & ~person)


def oval(shape: tuple[int, ...], face: Face) -> NDArray[np.bool_]:
    """Mark the oval of a face within its box, height x width."""
    left, top, right, bottom = face.box
    oval = np.zeros(shape, np.uint8)
    centre = (round((left + right) / 2), round((top + bottom) / 2))
    cv2.ellipse(oval, centre, (round(0.36 * (right - left)), round(0.42 * (bottom - top))), 0, 0, 360, 1, -1)
    return oval.astype(bool)


def _between(shape: tuple[int, ...], face: Face) -> NDArray[np.bool_]:
    """Mark what lies between eyes, nose and mouth."""
    hull = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.array(face.points, np.int32).reshape(5, 2)), 1)
    return hull.astype(bool)
