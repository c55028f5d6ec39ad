"""What the world does to pictures on their way: sent smaller, saved as JPEG, blurred, made noisy. No label is known.

Training on worn copies keeps a model from trusting what the first share destroys: Wang et al. (2020), CNN-generated
images are surprisingly easy to spot... for now, whose augmentation is blur and JPEG.
"""

import numpy as np
from PIL import Image, ImageFilter

from curate.pictures import pixels

VERSION = 1
"""Rises when a picture wears in another way than before: kept features go by it."""

QUALITIES, SCALES = (30, 95), (0.25, 1.0)
BLURS, NOISES = (0.3, 2.0), (1.0, 10.0)
"""Ranges that wear is drawn from: JPEG quality, share of the size, pixels of a Gaussian, grey levels."""

SMALLER, BLURRED, NOISY, SAVED = 1 / 3, 0.3, 0.3, 0.8
"""How often a worn copy was sent smaller (of those that were saved), blurred, made noisy, saved as JPEG."""


def worn(image: Image.Image) -> Image.Image:
    """Return a worn copy of an upright RGB picture, of the same size; the same picture always wears the same way."""
    rng = np.random.default_rng(int(pixels.pixel_digest(image)[:16], 16))
    scale = float(rng.uniform(*SCALES)) if rng.random() < SMALLER else 1.0
    quality = int(rng.integers(QUALITIES[0], QUALITIES[1] + 1))
    if rng.random() < BLURRED:
        image = blurred(image, radius=float(rng.uniform(*BLURS)))
    if rng.random() < NOISY:
        image = noisy(image, spread=float(rng.uniform(*NOISES)))
    return delivered(image, quality=quality, scale=scale) if rng.random() < SAVED else image


def delivered(image: Image.Image, *, quality: int, scale: float) -> Image.Image:
    """Shrink (Lanczos), save as JPEG (4:2:0), open, and bring back to its size (bicubic): sent as a smaller copy."""
    content = pixels.encode(shrunk(image, scale, Image.Resampling.LANCZOS), "jpeg", quality)
    return sized(pixels.decode(content).image, image.size)


def blurred(image: Image.Image, *, radius: float) -> Image.Image:
    """Blur with a Gaussian of this many pixels."""
    return image.filter(ImageFilter.GaussianBlur(radius))


def noisy(image: Image.Image, *, spread: float) -> Image.Image:
    """Add Gaussian noise of this many grey levels; its seed is drawn from the pixels, so that it is always the same."""
    rng = np.random.default_rng(int(pixels.pixel_digest(image)[:16], 16))
    values = np.asarray(image, dtype=np.float32)
    loud = values + rng.normal(0, spread, values.shape).astype(np.float32)
    return Image.fromarray(np.clip(np.rint(loud), 0, 255).astype(np.uint8))


def shrunk(image: Image.Image, scale: float, kernel: Image.Resampling) -> Image.Image:
    """Bring to this share of its size."""
    if scale >= 1:
        return image
    return image.resize((max(8, round(scale * image.width)), max(8, round(scale * image.height))), kernel)


def sized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Bring back to a size (bicubic)."""
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)
