"""Lay a person on white: clean a matte, give it a standard edge, composite. Pure functions on arrays.

How soft, how jagged and how tight a model cuts depends on the background, the compression and the sharpness of a
picture, which differ between collections. So the model's matte says where the person is and what its colours are, and
an edge that is the same for every picture says how it ends.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imageledger.types import Floats

Alpha = NDArray[np.uint8]

LARGE_PIECE = 0.10
"""A second piece of more than this share of the largest is another person or a thing: the matte is not believed."""

FAINT, ALMOST_WHOLE = 5, 250
"""Alphas this close to the ends are taken as 0 and 255, so that the background is exactly white."""

SOLID = 192
BODY = 0.02
"""Person for sure is what reaches this alpha over at least this share of the picture's longer side."""

FADES = (0.02, 0.05)
"""Distances from it, as shares of the longer side, between which a matte fades out: what remains there is smoke.

True mattes of eight photographs lose at most 0.3 % of their alpha by it.
"""

SMOOTH, SOFT, INSET = 0.008, 0.012, 0.006
"""The standard edge, as shares of the longer side: how far the contour is smoothed, how wide it is, how far inside."""

STEADY = 0.002
"""How far the distance to that contour is smoothed, so that its pixels do not show; a share of the longer side too."""

REACHES = (0.32, 0.08, 0.02)
"""How far sure colours are carried into the soft edge, as shares of the picture's height, far to near."""

EVEN = 0.008
"""How far the colours that were found are evened out, as a share of the picture's height."""

FAR_IS_WORTH = 1e-3
"""Share of a window that must be sure for it to count as much as the wider window before it."""


def clean(alpha: Alpha) -> Alpha:
    """Snap the ends of a matte (height x width, 0..255), fade out smoke, and drop islands that touch no person."""
    clear = _without_smoke(alpha)
    snapped = np.where(clear <= FAINT, 0, np.where(clear >= ALMOST_WHOLE, 255, clear)).astype(np.uint8)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats((snapped >= 128).astype(np.uint8), connectivity=8)
    if count == 1:
        return snapped
    areas = stats[1:, cv2.CC_STAT_AREA]
    keep = 1 + np.flatnonzero(areas > LARGE_PIECE * areas.max())
    _, soft = cv2.connectedComponents((snapped > 0).astype(np.uint8), connectivity=8)
    kept = np.unique(soft[np.isin(pieces, keep)])
    return np.where(np.isin(soft, kept), snapped, 0).astype(np.uint8)


def _without_smoke(alpha: Alpha) -> Alpha:
    """Fade a matte out with the distance from what is surely person; one without any stays to be judged."""
    longer = max(alpha.shape)
    width = 2 * round(BODY * longer / 2) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    sure = cv2.morphologyEx((alpha >= SOLID).astype(np.uint8), cv2.MORPH_OPEN, disc)
    if not sure.any():
        return alpha
    near, far = (share * longer for share in FADES)
    away = cv2.distanceTransform(1 - sure, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).astype(np.float64)
    return np.rint(alpha * np.clip((far - away) / (far - near), 0, 1)).astype(np.uint8)


def coverage(alpha: Alpha) -> float:
    """Return the share of the picture that the person covers, 0..1."""
    return float(alpha.mean() / 255)


def softness(alpha: Alpha) -> float:
    """Return which share of the person is neither surely person nor surely background, 0..1: how unsure a cut is."""
    return float(((alpha > 0) & (alpha < 255)).sum() / max(1, (alpha > 0).sum()))


def pieces(alpha: Alpha) -> int:
    """Count the large pieces of a matte."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((alpha >= 128).astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return int((areas > LARGE_PIECE * areas.max()).sum()) if len(areas) else 0


def standard_edge(matte: Alpha) -> Alpha:
    """Return the alpha to lay a person with: the silhouette of a matte, its edge like that of every other one.

    The contour (where the smoothed matte is one half) is moved inwards by INSET; across SOFT the alpha falls from 255
    to 0 along a smoothstep of the distance to it.
    """
    longer = max(matte.shape)
    inside = (_smoothed(matte, SMOOTH * longer) >= 127.5).astype(np.uint8)
    if inside.all() or not inside.any():
        return 255 * inside
    within, beyond = (cv2.distanceTransform(part, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for part in (inside, 1 - inside))
    share = _smoothed(within - beyond, STEADY * longer)
    share -= INSET * longer
    share /= max(1.0, SOFT * longer)
    share += 0.5
    alpha = np.where(share >= 1, np.uint8(255), np.uint8(0))
    soft = (share > 0) & (share < 1)
    part = share[soft]
    alpha[soft] = np.rint(255 * part * part * (3 - 2 * part)).astype(np.uint8)
    return alpha


def _smoothed(values: NDArray[Any], spread: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(values.astype(np.float64), (0, 0), max(spread, 0.3)))


def white_composite(image: Image.Image, matte: Alpha, alpha: Alpha | None = None) -> Image.Image:
    """Composite linearly on white: F·α + 255·(1−α), F being the decontaminated foreground that the matte tells.

    `alpha` is what it is laid with, the matte itself unless another is given. Exactly 255 where alpha is 0, exactly
    the picture where both are 255.
    """
    alpha = matte if alpha is None else alpha
    pixels = np.asarray(image)
    mixed = np.where(alpha[..., None] == 255, pixels, np.uint8(255))
    made = (alpha > 0) & (np.minimum(alpha, matte) < 255)
    if made.any():
        share = np.divide(matte, 255, dtype=np.float64)
        person = foreground(np.asarray(pixels, dtype=np.float64), share)[made]
        inside = np.divide(alpha[made], 255, dtype=np.float64)[:, None]
        mixed[made] = np.rint(person * inside + 255 * (1 - inside)).astype(np.uint8)
    return Image.fromarray(mixed)


def foreground(pixels: Floats, share: Floats) -> Floats:
    """Estimate the colour of the person alone, without the background that shines through soft edges.

    Pixels are height x width x 3 in 0..255, share is alpha in 0..1. The colours of what is surely person and
    surely background are carried into the soft edge by normalised averaging (Knutsson and Westin 1993), the
    near ones counting most; what they do not explain is divided between the two by least squares.
    Exact where both are locally constant.
    """
    soft = (share > 0) & (share < 1)
    alpha = share[..., None]
    person = np.where(alpha == 1, pixels, carried(pixels, share == 1))
    behind = np.where(alpha == 0, pixels, carried(pixels, share == 0))
    person[soft], behind[soft] = _explained(pixels[soft], person[soft], behind[soft], alpha[soft])
    width = 2 * round(EVEN * pixels.shape[0]) + 1
    box = (width, width)
    smooth = cv2.blur(person * alpha, box)[soft] / (cv2.blur(share, box)[soft, None] + 1e-6)
    rest = cv2.blur(behind * (1 - alpha), box)[soft] / (cv2.blur(1 - share, box)[soft, None] + 1e-6)
    person[soft] = np.clip(_explained(pixels[soft], smooth, rest, alpha[soft])[0], 0, 255)
    return person


def carried(pixels: Floats, sure: NDArray[np.bool_]) -> Floats:
    """Fill a picture with the colours of its sure pixels; where none is within reach, it stays as it is."""
    weight = sure.astype(np.float64)
    known = pixels * weight[..., None]
    filled, trust = pixels.copy(), np.float64(1e-9)
    for reach in REACHES:
        width = 2 * round(reach * pixels.shape[0]) + 1
        filled *= trust
        filled += cv2.blur(known, (width, width))
        filled /= cv2.blur(weight, (width, width))[..., None] + trust
        trust = np.float64(FAR_IS_WORTH)
    return filled


def _explained(pixels: Floats, person: Floats, behind: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """Divide what two colours laid over each other do not explain between them; one row a pixel."""
    left = (pixels - alpha * person - (1 - alpha) * behind) / (alpha**2 + (1 - alpha) ** 2)
    return person + alpha * left, behind + (1 - alpha) * left
