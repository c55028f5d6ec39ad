"""A canvas for the drawn portraits: soft-edged shapes in head units, painted with Pillow's integer arithmetic.

Everything here is integer or plain double arithmetic (no numpy transcendental, no float32), so that a
picture comes out the same on every processor.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point = tuple[float, float]
Colour = tuple[int, int, int]

SUPERSAMPLE = 2
COARSE_FROM = 8.0
"""Edges softer than this many pixels are painted at a quarter of the size: nobody sees it, and it is quick."""


def mix(first: Colour, second: Colour, part: float) -> Colour:
    """Return the colour that lies `part` (0..1) of the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(first, second, strict=True))
    return red, green, blue


def shade(colour: Colour, factor: float) -> Colour:
    """Return a colour made darker (below 1) or lighter (above 1), within 0..255."""
    red, green, blue = (min(255, max(0, round(value * factor))) for value in colour)
    return red, green, blue


def curve(points: Sequence[Point], steps: int = 6) -> list[Point]:
    """Return an open Catmull-Rom spline through the points, `steps` pieces between neighbours."""
    ends = [points[0], *points, points[-1]]
    spans = zip(ends, ends[1:], ends[2:], ends[3:], strict=False)
    return [_between(*span, step / steps) for span in spans for step in range(steps)] + [points[-1]]


def closed(points: Sequence[Point], steps: int = 6) -> list[Point]:
    """Return a closed Catmull-Rom spline through the points."""
    ring = [points[-1], *points, points[0], points[1]]
    spans = zip(ring, ring[1:], ring[2:], ring[3:], strict=False)
    return [_between(*span, step / steps) for span in spans for step in range(steps)]


def oval(x: float, y: float, wide: float, high: float) -> list[Point]:
    """Return an ellipse about (x, y) with the half axes `wide` and `high`."""
    part = 0.70710678
    rim = [(0, -1), (part, -part), (1, 0), (part, part), (0, 1), (-part, part), (-1, 0), (-part, -part)]
    return closed([(x + wide * a, y + high * b) for a, b in rim])


def mirrored(half: Sequence[Point]) -> list[Point]:
    """Return a whole outline from its right half, which runs from the top middle to the bottom middle."""
    return [*half, *((-x, y) for x, y in reversed(half) if x)]


def _between(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    x, y = (
        0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t * t * t)
        for p, q, r, s in zip(a, b, c, d, strict=True)
    )
    return x, y


@dataclass(frozen=True, slots=True)
class Place:
    """Where head units lie in the picture: origin in pixels, pixels per unit, and the lean of the head.

    `lean` is the tangent of half the angle, `turn` (-1..1) moves the middle of the face to one side.
    """

    x: float
    y: float
    unit: float
    lean: float = 0.0
    turn: float = 0.0

    def pixels(self, point: Point) -> Point:
        """Return the pixel position of a point given in head units."""
        u, v = point
        u += 0.22 * self.turn * max(0.0, 1.0 - u * u) * max(0.0, 1.0 - v * v / 4)
        scale = self.unit / (1 + self.lean * self.lean)
        cosine, sine = (1 - self.lean * self.lean) * scale, 2 * self.lean * scale
        return self.x + cosine * u - sine * v, self.y + sine * u + cosine * v

    def upright(self) -> "Place":
        """Return the same place without lean and turn: for the body below the head."""
        return Place(self.x, self.y, self.unit)


class Canvas:
    """An RGB picture and the place of the head in it."""

    def __init__(self, image: Image.Image, place: Place) -> None:
        self.image = image
        self.place = place

    def mask(self, points: Sequence[Point], soft: float = 0.0) -> Image.Image:
        """Return a shape as an 8-bit mask of the whole picture; `soft` is the width of its edge in head units."""
        whole = Image.new("L", self.image.size)
        if patch := self._patch(points, soft):
            whole.paste(patch[0], patch[1])
        return whole

    def paint(self, points: Sequence[Point], colour: Colour, soft: float = 0.0, strength: float = 1.0) -> None:
        """Paint a shape in one colour, with an edge `soft` head units wide, `strength` (0..1) opaque."""
        patch = self._patch(points, soft) if strength > 0.004 else None
        if patch:
            mask, corner = patch
            if strength < 1:
                mask = mask.point([round(value * strength) for value in range(256)])
            self.image.paste(colour, (*corner, corner[0] + mask.width, corner[1] + mask.height), mask)

    def stroke(
        self, points: Sequence[Point], wide: float, colour: Colour, soft: float = 0.0, strength: float = 1.0
    ) -> None:
        """Paint a smooth line that is `wide` head units thick in the middle and pointed at both ends."""
        line = curve(points)
        last = len(line) - 1
        upper, lower = [], []
        for number, (x, y) in enumerate(line):
            before, after = line[max(0, number - 1)], line[min(last, number + 1)]
            dx, dy = after[0] - before[0], after[1] - before[1]
            length = max(1e-9, (dx * dx + dy * dy) ** 0.5)
            half = wide * 2 * (number / last) * (1 - number / last) + wide * 0.08
            upper.append((x - dy / length * half, y + dx / length * half))
            lower.append((x + dy / length * half, y - dx / length * half))
        self.paint([*upper, *reversed(lower)], colour, soft, strength)

    def mottle(self, rng: np.random.Generator, cells: int, strength: float, mask: Image.Image) -> None:
        """Lighten and darken irregular patches, `cells` across the picture, inside a mask."""
        wide, high = self.image.size
        rows = max(2, cells * high // wide)
        grain = Image.frombytes("L", (cells, rows), rng.bytes(cells * rows)).resize(
            self.image.size, Image.Resampling.BICUBIC
        )
        dark = ImageChops.multiply(grain.point([max(0, round((127 - v) * 2 * strength)) for v in range(256)]), mask)
        light = ImageChops.multiply(grain.point([max(0, round((v - 128) * 2 * strength)) for v in range(256)]), mask)
        self.image.paste((40, 15, 10), mask=dark)
        self.image.paste((255, 240, 225), mask=light)

    @contextmanager
    def inside(self, mask: Image.Image) -> Iterator[None]:
        """Let everything painted in the block show only inside the mask."""
        before = self.image.copy()
        yield
        self.image = Image.composite(self.image, before, mask)

    def _patch(self, points: Sequence[Point], soft: float) -> tuple[Image.Image, tuple[int, int]] | None:
        """Return the shape's mask cut to where it shows, and its upper left corner; None when it shows nowhere."""
        placed = [self.place.pixels(point) for point in points]
        blur = soft * self.place.unit / 2
        margin = 2 + 3 * blur
        xs, ys = [x for x, _ in placed], [y for _, y in placed]
        left, top = max(0, int(min(xs) - margin)), max(0, int(min(ys) - margin))
        right = min(self.image.width, int(max(xs) + margin) + 1)
        bottom = min(self.image.height, int(max(ys) + margin) + 1)
        if right <= left or bottom <= top:
            return None
        if blur > COARSE_FROM:
            return _coarse(placed, (left, top, right, bottom), blur), (left, top)
        size = ((right - left) * SUPERSAMPLE, (bottom - top) * SUPERSAMPLE)
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon([((x - left) * SUPERSAMPLE, (y - top) * SUPERSAMPLE) for x, y in placed], fill=255)
        mask = mask.reduce(SUPERSAMPLE)
        return (mask.filter(ImageFilter.GaussianBlur(blur)) if blur > 0.2 else mask), (left, top)


def _coarse(placed: Sequence[Point], box: tuple[int, int, int, int], blur: float) -> Image.Image:
    left, top, right, bottom = box
    pad = int(3 * blur / 4) + 1
    small = Image.new("L", ((right - left) // 4 + 1 + 2 * pad, (bottom - top) // 4 + 1 + 2 * pad))
    ImageDraw.Draw(small).polygon([((x - left) / 4 + pad, (y - top) / 4 + pad) for x, y in placed], fill=255)
    small = small.filter(ImageFilter.GaussianBlur(blur / 4)).crop((pad, pad, small.width - pad, small.height - pad))
    large = small.resize((small.width * 4, small.height * 4), Image.Resampling.BILINEAR)
    return large.crop((0, 0, right - left, bottom - top))
