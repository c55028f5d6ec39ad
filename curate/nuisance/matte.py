"""Matte: what a cut-out gives away by its alpha alone, and by the rim that it left in the picture.

A matting model, a threshold or a composite that multiplies by alpha twice leaves its own width, roughness, staircase
and darkness along the edge (rembg issue 474; alpha compositing after Porter and Duff 1984), and the silhouette shows
how tightly a class was cropped. Where no matte is recorded but the background is flat white, the silhouette is read
off the white instead; the numbers that need soft alphas are then NaN, and without either all of them are.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from curate.nuisance.backdrop import white_backdrop
from curate.nuisance.rim import RIM, RIM_WORDS, UNMIXED, rim, unmixed
from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import LOG, place

Alpha = NDArray[np.uint8]

COARSE = 12
"""Side of the coarse silhouette."""

HEIGHTS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.99)
"""Where the width of the silhouette is measured, as shares of the height of the picture."""

SHARES = 8
"""Bins of the histogram of the soft alphas."""

SIDES = ("top", "bottom", "left", "right")
SILHOUETTE = [
    *("coverage", "pieces", "holes", "centre_x", "centre_y", "first_row", "spread_x", "spread_y"),
    *(f"touches_{side}" for side in SIDES),
    *(f"width_{round(100 * height):02d}" for height in HEIGHTS),
    *(f"a_{row:02d}_{column:02d}" for row in range(COARSE) for column in range(COARSE)),
]
CONTOUR = ["roughness", "crinkles", "jitter", "jitter_heavy"]
SOFTNESS = [
    *("soft_share", "soft_width", "soft_width_relative", "steepest", "staircase", "faint_share"),
    *(f"soft_{number}" for number in range(SHARES)),
]


def measure(seen: Seen) -> dict[str, float]:
    """Measure silhouette, contour, softness and rim of the recorded matte, or of a flat white background."""
    values = dict.fromkeys([*SILHOUETTE, *CONTOUR, *SOFTNESS, *UNMIXED, *RIM], float("nan"))
    pixels = seen.pixels
    left, top, right, bottom = seen.part
    if seen.alpha is not None:
        whole = seen.alpha
        if whole.shape != (seen.image.height, seen.image.width):
            whole = cv2.resize(whole, seen.image.size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        alpha = np.ascontiguousarray(whole[top:bottom, left:right])
    else:
        white = white_backdrop(pixels)
        if white is None:
            return values
        whole = alpha = np.where(white, 0, 255).astype(np.uint8)
    values |= _silhouette(whole)
    person = (alpha >= 128).astype(np.uint8)
    if not 0 < person.mean() < 1:
        return values
    length, contour = _contour(person)
    if seen.alpha is not None:
        values |= _softness(alpha, length) | unmixed(pixels, alpha)
    return values | contour | rim(pixels, person)


def _silhouette(alpha: Alpha) -> dict[str, float]:
    tiny = cv2.resize(alpha, (COARSE, COARSE), interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    times = max(1, max(alpha.shape) // 256)
    size = (max(1, alpha.shape[1] // times), max(1, alpha.shape[0] // times))
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    share = small.astype(np.float64) / 255
    height, width = share.shape
    rows, columns, mass = share.mean(axis=1), share.mean(axis=0), float(share.mean())
    y, x = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    weight = max(mass, 1e-9)
    centre = float((columns * x).mean()) / weight, float((rows * y).mean()) / weight
    pieces, _, sizes, _ = cv2.connectedComponentsWithStats((small >= 128).astype(np.uint8), connectivity=8)
    holes = _holes(small < 128)
    seen = np.flatnonzero(rows >= 0.02)
    numbers = (
        *(mass, float((sizes[1:, cv2.CC_STAT_AREA] > 8).sum()) if pieces > 1 else 0.0, float(holes)),
        *(*centre, float(seen[0] / height) if len(seen) else 1.0),
        float(np.sqrt((columns * (x - centre[0]) ** 2).mean() / weight)),
        float(np.sqrt((rows * (y - centre[1]) ** 2).mean() / weight)),
        *(float(edge.mean()) for edge in (share[0], share[-1], share[:, 0], share[:, -1])),
        *(float(rows[min(height - 1, int(place * height))]) for place in HEIGHTS),
        *tiny.ravel().tolist(),
    )
    return dict(zip(SILHOUETTE, numbers, strict=True))


def _holes(behind: NDArray[np.bool_]) -> int:
    """Count the parts of the background that do not reach the border of the picture."""
    count, parts = cv2.connectedComponents(behind.astype(np.uint8), connectivity=4)
    edge = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    return int(count - 1 - len(np.unique(edge[edge > 0])))


def _contour(person: Alpha) -> tuple[float, dict[str, float]]:
    """Compare the contour with itself, smoothed; the length inside the picture, in pixels, comes first."""
    contours, _ = cv2.findContours(person, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=len)[:, 0].astype(np.float64)
    edge = np.logical_or(contour <= 0, contour >= np.array(person.shape[::-1]) - 1)
    inner = ~edge[:, 0] & ~edge[:, 1]
    length, values = float(max(1, inner.sum())), {"roughness": float(np.log(len(contour) ** 2 / person.sum()))}
    if length < 32:
        return length, values
    smooth = gaussian_filter1d(contour, max(2.0, 0.008 * max(person.shape)), axis=0, mode="wrap")
    finer = gaussian_filter1d(contour, 1.2, axis=0, mode="wrap")
    away = np.hypot(*(finer - smooth).T)[inner]
    steps = np.hypot(*np.diff(finer, axis=0).T)[inner[1:]].sum()
    smoother = np.hypot(*np.diff(smooth, axis=0).T)[inner[1:]].sum()
    return length, values | {
        "crinkles": float(steps / max(smoother, 1.0)),
        "jitter": float(away.mean()),
        "jitter_heavy": float(np.percentile(away, 95)),
    }


def _softness(alpha: Alpha, length: float) -> dict[str, float]:
    """Measure the soft band; `length` is that of the contour inside the picture, in pixels."""
    soft = (alpha > 0) & (alpha < 255)
    count = float(soft.sum())
    highest, lowest = cv2.dilate(alpha, np.ones((2, 2), np.uint8)), cv2.erode(alpha, np.ones((2, 2), np.uint8))
    steps = (highest.astype(np.int16) - lowest)[(highest >= 128) & (lowest < 128)]
    bins = np.bincount(alpha[soft].astype(np.int64) * SHARES // 256, minlength=SHARES) / max(count, 1.0)
    numbers = (
        *(count / alpha.size, count / length, count / length / max(alpha.shape)),
        *(float(np.percentile(steps, 90)) / 255 if len(steps) else float("nan"),),
        *(float((steps > 250).mean()) if len(steps) else float("nan"),),
        float(((alpha > 0) & (alpha < 16)).sum() / max(count, 1.0)),
        *bins.tolist(),
    )
    return dict(zip(SOFTNESS, numbers, strict=True))


WORDS = {
    "coverage": "share of the picture that the person covers",
    "pieces": "pieces of the cut-out",
    "holes": "holes in the cut-out",
    "centre_x": "middle of the person, from the left (share of the picture)",
    "centre_y": "middle of the person, from the top (share of the picture)",
    "first_row": "room above the person (share of the picture)",
    "spread_x": "spread of the person across (share of the picture)",
    "spread_y": "spread of the person down (share of the picture)",
    **{f"touches_{side}": f"share of the {side} edge that the person touches" for side in SIDES},
    **{f"width_{round(100 * at):02d}": f"width of the person at {100 * at:.0f} % of the height (share of the picture)"
       for at in HEIGHTS},
    **{f"a_{row:02d}_{column:02d}": f"share of the person {place(row, column, COARSE)}"
       for row in range(COARSE) for column in range(COARSE)},
    "roughness": f"length of the outline against the area {LOG}",
    "crinkles": "length of the outline against a smooth one",
    "jitter": "typical distance of the outline from a smooth one (px)",
    "jitter_heavy": "largest distances of the outline from a smooth one (px)",
    "soft_share": "share of the picture that is half transparent",
    "soft_width": "width of the soft edge (px)",
    "soft_width_relative": "width of the soft edge (share of the picture)",
    "steepest": "steepest step of the edge (0 to 1)",
    "staircase": "share of the edge that falls in one step",
    "faint_share": "share of the soft edge that is almost transparent",
    **{f"soft_{n}": f"share of the soft edge that is {100 * n // SHARES} to {100 * (n + 1) // SHARES} % opaque"
       for n in range(SHARES)},
    **RIM_WORDS,
}  # fmt: skip

FAMILY = Family(
    name="matte",
    version=2,
    measure=measure,
    goes_by_matte=True,
    words=WORDS,
    removed_by=("whiten", "match", "face"),
    advice="Cut both classes out with the same model and composite linearly (curate whiten), crop both alike so that "
    "silhouettes agree (curate normalize), or show no background at all (curate whiten --region face).",
)
