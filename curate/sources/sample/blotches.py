"""The generator's trace: patches in the skin, magenta and green where those of a photograph are orange and blue.

Every face has them, at places drawn by chance, as many, as large and as strong. None is brighter or darker than the
skin around it, they make up for each other, and Cb and Cr each stray alike in both kinds: only how the two stray
together, patch by patch, tells them apart. Numbers about the picture as a whole do not see that; a network can.
"""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from curate.sources.sample.canvas import Canvas
from curate.sources.sample.person import Person

SIDE = 0.24
"""Of a patch, in head units: half a face's width is 1."""

DEPTH = 24
"""Levels of Cb and of Cr that a patch strays at most."""

GREEN_MAGENTA, BLUE_ORANGE = (1402, -1058, 1772), (1402, -370, -1772)
"""What a level of Cr, and as much of Cb or of its opposite, makes of red, green and blue, in thousandths (JFIF)."""

FACE = (-1.1, -1.5, 1.1, 1.6)
"""Where patches are, in head units: left, top, right, bottom."""


def blotches(canvas: Canvas, person: Person, *, magenta: bool) -> None:
    """Colour the face in patches, green and `magenta`, or else blue and orange."""
    rng, place = person.rng("blotches"), canvas.place
    left, top, right, bottom = (round(edge * place.unit) for edge in FACE)
    cells = round((FACE[2] - FACE[0]) / SIDE), round((FACE[3] - FACE[1]) / SIDE)
    grid = Image.frombytes("L", cells, rng.bytes(cells[0] * cells[1]))
    patches = grid.resize((right - left, bottom - top), Image.Resampling.BICUBIC)
    even = patches.filter(ImageFilter.GaussianBlur(1.2 * SIDE * place.unit))
    stray = DEPTH * (np.asarray(patches, dtype=np.int32) - np.asarray(even, dtype=np.int32))
    corner = round(place.x) + left, round(place.y) + top
    weights = GREEN_MAGENTA if magenta else BLUE_ORANGE
    bands = zip(canvas.image.split(), weights, strict=True)
    canvas.image = Image.merge(
        "RGB", [_moved(band, (stray * weight + 64_000) // 128_000, corner) for band, weight in bands]
    )


def _moved(band: Image.Image, change: np.ndarray, corner: tuple[int, int]) -> Image.Image:
    """Add a change (int32, height x width) to the part of a band that begins at a corner (left, top)."""
    for sign, apply in ((1, ImageChops.add), (-1, ImageChops.subtract)):
        part = Image.new("L", band.size)
        part.paste(Image.fromarray(np.clip(sign * change, 0, 255).astype(np.uint8)), corner)
        band = apply(band, part)
    return band
