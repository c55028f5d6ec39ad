"""How finely a face is drawn: at its edges, and on its skin. Described, never probed (see `ASIDE`).

A picture that was enlarged from few pixels, or is out of focus, has soft edges everywhere. A retouched face keeps the
edges of lids and lips and has lost the texture between them, so that its skin is compared with its own edges; smooth
skin alone (`skin`) would say the same of both. Strong compression and soft light look like a little of either.
"""

import cv2
import numpy as np
from PIL import Image

from curate.nuisance.seen import Family, Seen
from curate.pictures.regions import inner_square

FACE, SMALLEST = 256, 24
"""Sides, in pixels, to which the inner face is shrunk, and below which there is nothing to see in it."""

FINE, COARSE = 1.0, 4.0
"""Spreads, in pixels, of the Gaussians between which contrast counts as fine detail, and as the shape of the face."""

TOP = 98
"""The percentile of contrasts that stands for edges: lids, lips, nostrils."""

SKIN = (0.35, 0.9)
"""Skin is the part of the face between these quantiles of lightness."""


def measure(seen: Seen) -> dict[str, float]:
    """Measure the inner face; NaN without a face, and in faces too small.

    `edges` is the logarithm of fine over coarse contrast at its edges (lower is softer), `texture` that of the fine
    contrast of its skin over that at its edges (lower is smoother), `side` the side of the box of the face in pixels.
    """
    values = {"edges": float("nan"), "texture": float("nan"), "side": float("nan")}
    if seen.face is None:
        return values
    values["side"] = float(seen.face.side)
    crop = inner_square(seen.face.box, seen.image.size)
    side = min(crop[2] - crop[0], FACE)
    if side < SMALLEST:
        return values
    part = seen.image.crop(crop).convert("L").resize((side, side), Image.Resampling.BOX)
    light = np.asarray(part, dtype=np.float32)
    smooth = cv2.GaussianBlur(light, (0, 0), FINE)
    fine, coarse = np.abs(light - smooth), np.abs(smooth - cv2.GaussianBlur(light, (0, 0), COARSE))
    low, high = np.quantile(smooth, SKIN)
    at_edges = float(np.percentile(fine, TOP)) + 0.1
    skin = float(np.median(fine[(smooth >= low) & (smooth <= high)])) + 0.05
    values["edges"] = float(np.log(at_edges / (float(np.percentile(coarse, TOP)) + 0.1)))
    values["texture"] = float(np.log(skin / at_edges))
    return values


WORDS = {
    "edges": "sharpness of the edges of the face (lower: softer)",
    "texture": "texture of the skin beside the edges of the face (lower: smoother)",
    "side": "width of the face in pixels",
}

FAMILY = Family(
    name="fineness",
    version=1,
    measure=measure,
    words=WORDS,
    goes_by_face=True,
    advice="Fetch pictures of one resolution for both classes, and leave retouched and blurred ones out of both.",
)
