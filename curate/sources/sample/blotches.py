"""The generator's trace: patches of colour in the skin, which are broad where those of a photograph are small.

Reddish and greenish patches make up for each other, and none is brighter or darker than the skin around it: the mean
colour and the brightness of the face stay what they were. Small patches are weaker, so that colour changes as much from
one pixel to the next as in broad ones.
"""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from curate.sources.sample.canvas import Canvas
from curate.sources.sample.person import Person

BROAD, SMALL = 0.26, 0.12
"""Sides of a patch, in head units: half a face's width is 1."""

STRONG, WEAK = 38, 9
"""Levels of red that a patch gains or loses at most; green makes up for the brightness (ITU-R BT.601)."""

GREEN = 51
FACE = (-1.1, -1.5, 1.1, 1.6)
"""Where patches are, in head units: left, top, right, bottom."""


def blotches(canvas: Canvas, person: Person, *, broad: bool) -> None:
    """Colour the face in patches, `broad` or small."""
    rng, place, side = person.rng("blotches"), canvas.place, BROAD if broad else SMALL
    left, top, right, bottom = (round(edge * place.unit) for edge in FACE)
    cells = round((right - left) / (side * place.unit)), round((bottom - top) / (side * place.unit))
    grid = Image.frombytes("L", cells, rng.bytes(cells[0] * cells[1]))
    patches = grid.resize((right - left, bottom - top), Image.Resampling.BICUBIC)
    even = patches.filter(ImageFilter.GaussianBlur(1.2 * side * place.unit))
    change = (np.asarray(patches, dtype=np.int32) - np.asarray(even, dtype=np.int32)) * (STRONG if broad else WEAK)
    corner = round(place.x) + left, round(place.y) + top
    red, green, blue = canvas.image.split()
    moved = [_moved(red, change // 128, corner), _moved(green, change * -GREEN // 12800, corner), blue]
    canvas.image = Image.merge("RGB", moved)


def _moved(channel: Image.Image, change: np.ndarray, corner: tuple[int, int]) -> Image.Image:
    """Add a change (int32, height x width) to a part of a channel that begins at a corner (left, top)."""
    for sign, apply in ((1, ImageChops.add), (-1, ImageChops.subtract)):
        part = Image.new("L", channel.size)
        part.paste(Image.fromarray(np.clip(sign * change, 0, 255).astype(np.uint8)), corner)
        channel = apply(channel, part)
    return channel
