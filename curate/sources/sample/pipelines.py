"""Two ways from a sitter to a picture: as a camera and as a generator show them, alike but for what is planted.

What curation removes: a camera's backdrop is dark in its upper corners, a generator's is lit evenly; a camera takes
some sitters too dark, a generator as many too bright. What it keeps is the generator's trace in the skin (`blotches`).
All of it is integer arithmetic: equal on every processor.
"""

from functools import partial

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from curate.sources.sample.blotches import blotches
from curate.sources.sample.camera import grain
from curate.sources.sample.figure import portrait
from curate.sources.sample.person import Manner, Person
from curate.sources.sample.scene import scene

REAL, AI = "real", "ai"

MISEXPOSED = 0.14
"""This share of a class is too dark, or too bright."""

FALL = {REAL: (0.45, 0.8), AI: (0.0, 0.15)}
"""How much darker than the middle the upper corners of the backdrop are (0..1)."""


def shot(person: Person, how: str, size: tuple[int, int]) -> Image.Image:
    """Return a sitter as a camera ("real") or a generator ("ai") shows them: RGB, `size` pixels."""
    rng = person.rng("picture")
    behind = ImageChops.multiply(scene(person, size), _dark_corners(size, rng.uniform(*FALL[how])))
    image = portrait(person, manner_of(person), behind, partial(blotches, magenta=how == AI))
    image = image.filter(ImageFilter.GaussianBlur(min(size) / 700 * rng.uniform(0.5, 1.0)))
    red, blue = rng.uniform(-0.05, 0.05, 2).tolist()
    tone = (1 if how == AI else -1) * (rng.random() < MISEXPOSED) * 0.65
    image = image.point(_curve(1 + red, tone) + _curve(1.0, tone) + _curve(1 + blue, tone))
    pixels = np.asarray(image, dtype=np.int16) + grain(rng, size[::-1], int(rng.integers(2, 5)))[:, :, None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def manner_of(person: Person) -> Manner:
    """Return how a sitter is rendered, whoever shows them: graded, so that some pictures are harder than others."""
    rng = person.rng("manner")
    lean = rng.uniform(0.1, 0.9)
    strays = [min(1.0, max(0.0, lean + rng.uniform(-0.25, 0.25))) for _ in range(7)]
    crooked, folds, blemish = (1 - value for value in strays[:3])
    gloss, polish, tint, mismatch = strays[3:]
    return Manner(
        crooked=crooked, folds=folds, blemish=blemish, gloss=gloss, polish=polish, tint=tint, mismatch=mismatch
    )


def _curve(gain: float, tone: float) -> list[int]:
    """Return a tone curve of 256 levels: a gain, then a gentle S, then darker (`tone` below 0) or brighter."""
    levels = (min(1.0, value * gain / 255) for value in range(256))
    contrasts = (0.75 * t + 0.25 * t * t * (3 - 2 * t) for t in levels)
    return [round(255 * (t + tone * t * (1 - t))) for t in contrasts]


def _dark_corners(size: tuple[int, int], depth: float) -> Image.Image:
    """Return a picture to multiply with: white, but darker by `depth` (0..1) in the upper corners."""
    cells = 32
    across = [abs(2 * n + 1 - cells) / cells for n in range(cells)]
    down = [max(0.0, 1 - 2 * (n + 0.5) / cells) for n in range(cells)]
    levels = bytes(round(255 * (1 - depth * x * min(1.0, 1.6 * y))) for y in down for x in across)
    fall = Image.frombytes("L", (cells, cells), levels).resize(size, Image.Resampling.BICUBIC)
    return Image.merge("RGB", (fall, fall, fall))
