"""Drawn pictures to check with: an ordinary portrait, and the strange ones that nobody thinks of."""

from collections.abc import Mapping
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

PORTRAIT = "portrait"


@cache
def drawn() -> Mapping[str, Image.Image]:
    """Return RGB pictures by what is strange about them."""
    chance = np.random.default_rng(7)
    return {
        PORTRAIT: portrait(),
        "one flat colour": Image.new("RGB", (64, 64), (120, 90, 60)),
        "all black": Image.new("RGB", (48, 64)),
        "all white": Image.new("RGB", (64, 48), (255, 255, 255)),
        "noise": Image.fromarray(chance.integers(0, 256, (96, 80, 3), dtype=np.uint8)),
        "a single pixel": Image.new("RGB", (1, 1), (9, 99, 199)),
        "a line of pixels": Image.fromarray(chance.integers(0, 256, (1, 90, 3), dtype=np.uint8)),
        "a column of pixels": Image.fromarray(chance.integers(0, 256, (90, 2, 3), dtype=np.uint8)),
        "wider than the window": portrait().resize((1300, 40)),
    }


def portrait(side: int = 112) -> Image.Image:
    """Return a drawn head on a gradient, with grain as of a sensor."""
    rows = np.arange(side)[:, None, None] + np.zeros((1, side, 1))
    shade = (60 + 120 * rows / side) + np.array([0, 10, 30])
    image = Image.fromarray(shade.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    head = (0.28 * side, 0.2 * side, 0.72 * side, 0.78 * side)
    draw.ellipse((0.1 * side, 0.75 * side, 0.9 * side, 1.4 * side), fill=(40, 60, 110))
    draw.ellipse(head, fill=(205, 160, 130))
    for across in (0.4, 0.6):
        draw.ellipse([side * edge for edge in (across - 0.04, 0.42, across + 0.04, 0.47)], fill=(30, 25, 25))
    draw.arc([side * edge for edge in (0.4, 0.52, 0.6, 0.66)], 20, 160, fill=(140, 60, 60), width=2)
    grain = np.random.default_rng(3).normal(0, 4, (side, side, 3))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def face_in(image: Image.Image) -> tuple[int, int, int, int]:
    """Return a box in the middle of a picture, where the portrait has its face."""
    width, height = image.size
    return round(0.28 * width), round(0.2 * height), max(1, round(0.72 * width)), max(1, round(0.78 * height))
