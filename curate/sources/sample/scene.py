"""What stands behind a sitter: an out-of-focus backdrop painted small and enlarged, as a lens would blur it."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from curate.sources.sample.canvas import Colour, mix, shade
from curate.sources.sample.person import Person

SMALL = 160
"""Pixels on the short side while the backdrop is painted: it is blurred anyway."""


def scene(person: Person, size: tuple[int, int]) -> Image.Image:
    """Return the backdrop of a sitter as an RGB picture of the given size in pixels."""
    short = min(size)
    small = (size[0] * SMALL // short, size[1] * SMALL // short)
    rng = person.rng("scene")
    image = _lit(person, small)
    PAINTERS[person.scene](image, person.backdrop, rng)
    image = image.filter(ImageFilter.GaussianBlur(SOFTNESS[person.scene]))
    return image.resize(size, Image.Resampling.BICUBIC)


def _lit(person: Person, size: tuple[int, int]) -> Image.Image:
    """Return the plain backdrop, brighter on the side the light comes from."""
    bright, dark = shade(person.backdrop, 1.14), shade(person.backdrop, 0.8)
    left, right = (bright, dark) if person.light < 0 else (dark, bright)
    corners = Image.frombytes("RGB", (2, 2), bytes([*left, *right, *shade(left, 0.86), *shade(right, 0.86)]))
    return corners.resize(size, Image.Resampling.BILINEAR, box=(0.5, 0.5, 1.5, 1.5))


def _plain(image: Image.Image, colour: Colour, rng: np.random.Generator) -> None:
    _blot(image, [0.5, 0.42], 0.5, shade(colour, 1.1))


def _wall(image: Image.Image, colour: Colour, rng: np.random.Generator) -> None:
    draw = ImageDraw.Draw(image)
    wide, high = image.size
    row, joint = int(rng.integers(12, 20)), shade(colour, 0.82)
    for number, top in enumerate(range(0, high, row)):
        start = (number % 2) * row
        for left in range(-start, wide, 2 * row):
            tone = shade(colour, rng.uniform(0.9, 1.08))
            draw.rectangle((left + 1, top + 1, left + 2 * row - 1, top + row - 1), fill=tone)
        draw.line((0, top, wide, top), fill=joint)


def _bokeh(image: Image.Image, colour: Colour, rng: np.random.Generator) -> None:
    warm = [(255, 214, 150), (255, 240, 214), (186, 220, 255), shade(colour, 1.5), shade(colour, 0.6)]
    for _ in range(int(rng.integers(18, 34))):
        tone = mix(colour, warm[int(rng.integers(len(warm)))], rng.uniform(0.2, 0.62))
        _blot(image, rng.uniform(0, 1, 2).tolist(), rng.uniform(0.03, 0.09), tone, rng.uniform(0.4, 0.9))


def _window(image: Image.Image, colour: Colour, rng: np.random.Generator) -> None:
    draw = ImageDraw.Draw(image)
    wide, high = image.size
    left = int(wide * (rng.uniform(-0.1, 0.08) if rng.random() < 0.5 else rng.uniform(0.6, 0.72)))
    right, top, bottom = left + int(wide * 0.36), int(high * 0.05), int(high * rng.uniform(0.55, 0.8))
    draw.rectangle((left - 4, top - 4, right + 4, bottom + 4), fill=shade(colour, 0.66))
    draw.rectangle((left, top, right, bottom), fill=mix(colour, (242, 246, 250), 0.78))
    for part in (1, 2):
        at = left + (right - left) * part // 3
        draw.rectangle((at - 1, top, at + 1, bottom), fill=shade(colour, 0.7))
    draw.rectangle((left, (top + bottom) // 2 - 1, right, (top + bottom) // 2 + 1), fill=shade(colour, 0.7))


def _leaves(image: Image.Image, colour: Colour, rng: np.random.Generator) -> None:
    for _ in range(90):
        tone = mix(shade(colour, rng.uniform(0.62, 1.25)), (96, 132, 70), rng.uniform(0.1, 0.5))
        _blot(image, rng.uniform(0, 1, 2).tolist(), rng.uniform(0.03, 0.1), tone, 0.7)


def _shelves(image: Image.Image, colour: Colour, rng: np.random.Generator) -> None:
    draw = ImageDraw.Draw(image)
    wide, high = image.size
    step = int(rng.integers(34, 50))
    for top in range(int(rng.integers(0, 20)), high, step):
        left = 0
        while left < wide:
            right = left + int(rng.integers(5, 14))
            tone = mix(colour, (int(rng.integers(256)), int(rng.integers(160)), int(rng.integers(140))), 0.28)
            draw.rectangle((left, top + int(rng.integers(4, 14)), right, top + step - 4), fill=tone)
            left = right + 1
        draw.rectangle((0, top + step - 4, wide, top + step), fill=shade(colour, 0.6))


def _blot(image: Image.Image, at: list[float], radius: float, colour: Colour, strength: float = 1.0) -> None:
    """Paint one disc; `at` and `radius` are parts of the picture's width and height."""
    wide, high = image.size
    x, y, r = at[0] * wide, at[1] * high, radius * min(wide, high)
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse((x - r, y - r, x + r, y + r), fill=round(255 * strength))
    image.paste(colour, mask=mask)


PAINTERS = {
    "plain": _plain, "wall": _wall, "bokeh": _bokeh, "window": _window, "leaves": _leaves, "shelves": _shelves,
}  # fmt: skip
SOFTNESS = {"plain": 16.0, "wall": 0.9, "bokeh": 1.0, "window": 1.6, "leaves": 2.2, "shelves": 2.0}
"""How far out of focus each backdrop lies, in pixels of the small painting."""
