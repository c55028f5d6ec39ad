"""Lay a person on white: clean a matte, judge it, and composite linearly. Pure functions on arrays."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.pixels import Box

Alpha = NDArray[np.uint8]
Floats = NDArray[np.float64]

LEAST_COVERAGE, MOST_COVERAGE = 0.05, 0.95
LARGE_PIECE = 0.10
"""A second piece of more than this share of the largest is another person or a thing: the matte is not believed."""

HOLE_IN_FACE = 0.05
FACE_CUT = 0.25
LEAST_CONTRAST = 0.05
"""A raw output that spans less than this says nothing; rembg would stretch it to black and white all the same."""

FAINT, ALMOST_WHOLE = 5, 250
"""Alphas this close to the ends are taken as 0 and 255, so that the background is exactly white."""


def clean(alpha: Alpha) -> Alpha:
    """Snap the ends of a matte (height x width, 0..255) and drop islands: remnants that touch no person."""
    snapped = np.where(alpha <= FAINT, 0, np.where(alpha >= ALMOST_WHOLE, 255, alpha)).astype(np.uint8)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats((snapped >= 128).astype(np.uint8), connectivity=8)
    if count <= 2:
        return snapped
    areas = stats[1:, cv2.CC_STAT_AREA]
    keep = 1 + np.flatnonzero(areas > LARGE_PIECE * areas.max())
    _, soft = cv2.connectedComponents((snapped > 0).astype(np.uint8), connectivity=8)
    kept = np.unique(soft[np.isin(pieces, keep)])
    return np.where(np.isin(soft, kept), snapped, 0).astype(np.uint8)


def coverage(alpha: Alpha) -> float:
    """Return the share of the picture that the person covers, 0..1."""
    return float(alpha.mean() / 255)


def pieces(alpha: Alpha) -> int:
    """Count the large pieces of a matte."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((alpha >= 128).astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return int((areas > LARGE_PIECE * areas.max()).sum()) if len(areas) else 0


def fault(alpha: Alpha, face: Box | None, low: float = 0.0, high: float = 1.0) -> str:
    """Say why a cleaned matte must not be believed, or return "".

    `low` and `high` are the raw output range of the model; `face` is the box of the face, where known.
    """
    if not high - low >= LEAST_CONTRAST:
        return "matte: the model's output is flat"
    if high < (0.5 if low >= 0 else 0.0):
        return "matte: the model saw no person"
    covered = coverage(alpha)
    if not LEAST_COVERAGE <= covered <= MOST_COVERAGE:
        return f"matte: covers {100 * covered:.0f} % of the picture"
    if (count := pieces(alpha)) > 1:
        return f"matte: {count} large pieces"
    return _face_fault(alpha >= 128, face) if face is not None else ""


def white_composite(image: Image.Image, alpha: Alpha) -> Image.Image:
    """Composite linearly on white: F·α + 255·(1−α), F being the decontaminated foreground.

    Exactly 255 where alpha is 0, exactly the picture where alpha is 255.
    """
    pixels = np.asarray(image, dtype=np.float64)
    share = alpha.astype(np.float64)[..., None] / 255
    person = np.where(share == 1, pixels, foreground(pixels, alpha.astype(np.float64) / 255))
    mixed = person * share + 255 * (1 - share)
    return Image.fromarray(np.clip(np.rint(mixed), 0, 255).astype(np.uint8))


def foreground(pixels: Floats, share: Floats) -> Floats:
    """Estimate the colour of the person alone, without the background that shines through soft edges.

    Pixels are height x width x 3 in 0..255, share is alpha in 0..1. Two passes, wide and narrow:
    Forte, M. (2021). Approximate fast foreground colour estimation. ICIP.
    """
    wide = 2 * round(pixels.shape[0] * 0.08) + 1
    estimate, behind = _blur_fusion(pixels, pixels, pixels, share, wide)
    estimate, _ = _blur_fusion(pixels, estimate, behind, share, 7)
    return np.clip(estimate, 0, 255)


def _blur_fusion(pixels: Floats, person: Floats, behind: Floats, share: Floats, width: int) -> tuple[Floats, Floats]:
    alpha = share[..., None]
    box = (width, width)
    soft = cv2.blur(share, box)[..., None]
    person = cv2.blur(person * alpha, box) / (soft + 1e-5)
    behind = cv2.blur(behind * (1 - alpha), box) / (1 - soft + 1e-5)
    return person + alpha * (pixels - alpha * person - (1 - alpha) * behind), behind


def _face_fault(person: NDArray[np.bool_], face: Box) -> str:
    from scipy.ndimage import binary_fill_holes

    left, top, right, bottom = face
    oval = np.zeros(person.shape, np.uint8)
    centre = (round((left + right) / 2), round((top + bottom) / 2))
    cv2.ellipse(oval, centre, (round(0.36 * (right - left)), round(0.42 * (bottom - top))), 0, 0, 360, 1, -1)
    inside = oval.astype(bool)
    if not inside.any():
        return ""
    holes = binary_fill_holes(person) & ~person
    if holes[inside].mean() > HOLE_IN_FACE:
        return "matte: a hole in the face"
    missing = 1 - person[inside].mean()
    return f"matte: {100 * missing:.0f} % of the face cut off" if missing > FACE_CUT else ""
