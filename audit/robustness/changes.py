"""What happens to a picture on its way through the world, as functions of the picture alone: no label is ever known.

Every change ends at the size it began with, so that a model is asked about pictures of the size that it knows.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PIL import Image, ImageFilter

from curate.pictures import pixels
from train.degrade import blurred, delivered, noisy, shrunk, sized

QUALITIES = (95, 75, 60, 40)
SCALES = (1.0, 0.5, 0.25)
SCREEN = 0.83
"""A screenshot shows a picture at this share of its size: no whole number of its pixels fall on one of the screen."""
GAMMA = 0.95

Change = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """One change with its name; `quality` and `scale` place it in the grid of JPEG by scale, 0 outside of it."""

    name: str
    change: Change
    quality: int = 0
    scale: float = 0.0


def as_webp(image: Image.Image, *, quality: int) -> Image.Image:
    """Save as lossy WebP and open again."""
    target = io.BytesIO()
    image.save(target, "WEBP", quality=quality, method=4)
    return pixels.decode(target.getvalue()).image


def screenshot(image: Image.Image) -> Image.Image:
    """Render as a screen does, and photograph the screen without loss: what a screenshot saved as PNG holds.

    Shown at SCREEN of its size (bicubic), sharpened slightly (unsharp mask, 1 px, 50 %), lightened by a gamma of
    GAMMA, and brought back to its size (bicubic). PNG itself changes no pixel, so nothing is encoded.
    """
    shown = shrunk(image, SCREEN, Image.Resampling.BICUBIC)
    sharp = shown.filter(ImageFilter.UnsharpMask(radius=1, percent=50, threshold=0))
    lit = [round(255 * (level / 255) ** GAMMA) for level in range(256)]
    return sized(sharp.point(lit * 3), image.size)


PERTURBATIONS = (
    *(
        Perturbation(
            name=f"JPEG {quality}" + (f", size ×{scale:g}" if scale < 1 else ""),
            change=partial(delivered, quality=quality, scale=scale), quality=quality, scale=scale,
        )
        for quality in QUALITIES for scale in SCALES
    ),
    *(Perturbation(name=f"blur {radius} px", change=partial(blurred, radius=radius)) for radius in (1, 2)),
    *(Perturbation(name=f"noise {spread}/255", change=partial(noisy, spread=spread)) for spread in (4, 10)),
    *(Perturbation(name=f"WebP {quality}", change=partial(as_webp, quality=quality)) for quality in (80, 50)),
    Perturbation(name="screenshot", change=screenshot),
)  # fmt: skip
"""Everything that `audit robustness` tries, in this order."""
