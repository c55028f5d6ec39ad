"""Two ways from a sitter to a picture: as a camera and as a generator show them, alike but for what is planted.

What curation removes: a camera's backdrop is dark in its upper corners, a generator's is lit evenly; some photographs
are black and white, as many generated pictures garish. What it keeps is the generator's trace in the skin (`blotches`).
All of it is integer arithmetic: equal on every processor.
"""

from functools import partial

import numpy as np
from PIL import Image, ImageChops, ImageEnhance, ImageFilter

from curate.sources.sample.blotches import blotches
from curate.sources.sample.camera import curve, grain
from curate.sources.sample.figure import portrait
from curate.sources.sample.person import Manner, Person
from curate.sources.sample.scene import scene

REAL, AI = "real", "ai"

ODD = 0.14
"""This share of the photographs is black and white, and of the generated pictures garish."""

COLOUR = {REAL: 0.0, AI: 2.2}
"""By how much the colours of an odd picture are multiplied."""

FALL = {REAL: (0.45, 0.8), AI: (0.0, 0.15)}
"""How much darker than the middle the upper corners of the backdrop are (0..1)."""


def shot(person: Person, how: str, size: tuple[int, int]) -> Image.Image:
    """Return a sitter as a camera ("real") or a generator ("ai") shows them: RGB, `size` pixels."""
    rng = person.rng("picture")
    behind = ImageChops.multiply(scene(person, size), _dark_corners(size, rng.uniform(*FALL[how])))
    image = portrait(person, manner_of(person), behind, partial(blotches, magenta=how == AI))
    image = image.filter(ImageFilter.GaussianBlur(min(size) / 700 * rng.uniform(0.5, 1.0)))
    red, blue = rng.uniform(-0.05, 0.05, 2).tolist()
    image = image.point(curve(1 + red) + curve(1.0) + curve(1 + blue))
    if rng.random() < ODD:
        image = ImageEnhance.Color(image).enhance(COLOUR[how])
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


def _dark_corners(size: tuple[int, int], depth: float) -> Image.Image:
    """Return a picture to multiply with: white, but darker by `depth` (0..1) in the upper corners."""
    cells = 32
    across = [abs(2 * n + 1 - cells) / cells for n in range(cells)]
    down = [max(0.0, 1 - 2 * (n + 0.5) / cells) for n in range(cells)]
    levels = bytes(round(255 * (1 - depth * x * min(1.0, 1.6 * y))) for y in down for x in across)
    fall = Image.frombytes("L", (cells, cells), levels).resize(size, Image.Resampling.BICUBIC)
    return Image.merge("RGB", (fall, fall, fall))
