"""Recipes by name: which square of a picture is kept, and how far it is shrunk.

Pure functions on values. No function here can see a label, a source or a generator: both classes go the same way.
What a picture's own content decides, its pixel digest decides.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from curate.pictures.pixels import Box

GRID = 8
"""Side of a JPEG's blocks: the square can start at any place within a block, so that their old grid is broken."""

STEP, MOST = 8, 224
"""The size that is found by itself is a multiple of STEP pixels, and at most MOST: what usual networks take. More would
be shrunk again in training, and a model of larger pictures refuses the smaller ones that people ask about."""

EDGE = 0.03
"""This share of the shorter side is left out along every edge: captions, watermarks and lines stand there."""

NEAR = 0.05
"""A factor is no whole number when it is further than this from one: nearer, old blocks stay in step."""

SHARE = 0.95
"""This share of the pictures of each label must be large enough for the size that is found by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a picture becomes a square of one size.

    `ratio` is the least factor by which its sides are shrunk; 1 allows any, and leaves the square where it is. Above
    1, EDGE is left out all around, the factor is never near a whole number, and the square is moved by chance: by a
    block of an old JPEG at least, and by up to `wander` of the room there is. The square lies in the "centre", around
    the "face" where one is found, or is besides no wider than `room` widths of the "face box".
    """

    name: str
    ratio: float = 1.0
    framing: Literal["centre", "face", "face box"] = "centre"
    room: float = 2.0
    wander: float = 0.0

    def least(self, size: int) -> int:
        """Return the side in pixels of the smallest square that is shrunk to `size`."""
        return math.ceil(round(self.ratio * size, 6))

    def needs(self, size: int) -> int:
        """Return the shorter side in pixels that a picture needs: the smallest square, room to move it, the edges."""
        if self.ratio == 1:
            return size
        side = self.least(size) + GRID
        while side - 2 * round(EDGE * side) < self.least(size) + GRID:
            side += 1
        return side


PLAIN = Recipe(name="plain", framing="face box")
FORENSIC = Recipe(name="forensic", ratio=1.6, framing="face", wander=0.1)
RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in (FORENSIC, PLAIN)}


def square(recipe: Recipe, native: tuple[int, int], face: Box | None, size: int, seed: str) -> Box:
    """Return the square (left, top, right, bottom) of a picture of `native` pixels (width, height) that is kept.

    `seed` are hex digits of the picture's content, 16 at least. Raises ValueError when the picture is too small.
    """
    if min(native) < recipe.needs(size):
        raise ValueError(f"{min(native)} px, where {recipe.name} needs {recipe.needs(size)}")
    shrunk = recipe.ratio > 1
    edge = round(EDGE * min(native)) if shrunk else 0
    room = min(native) - 2 * edge
    moved = max(GRID, round(recipe.wander * room)) if shrunk else 0
    side = max(recipe.least(size), room - moved)
    x, y = native[0] / 2, native[1] / 2
    if face is not None and recipe.framing != "centre":
        x, y = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
        if recipe.framing == "face box":
            side = min(side, max(recipe.least(size), round(recipe.room * (face[2] - face[0]))))
    side = _off_whole(side, size) if shrunk else side
    left = _start(x, side, (edge, native[0] - edge), moved, _part(seed, 0))
    top = _start(y, side, (edge, native[1] - edge), moved, _part(seed, 1))
    return left, top, left + side, top + side


def largest_size(recipe: Recipe, side: int) -> int:
    """Return the largest multiple of STEP up to MOST for which pictures of this shorter side are large enough; or 0."""
    return max((size for size in range(STEP, MOST + 1, STEP) if recipe.needs(size) <= side), default=0)


def side_of_most(sides: Mapping[int, int], share: float = SHARE) -> int:
    """Return the largest side in pixels that this share of the pictures reaches, from {shorter side: pictures}."""
    wanted = math.ceil(round(share * sum(sides.values()), 6))
    for side in sorted(sides, reverse=True):
        wanted -= sides[side]
        if wanted <= 0:
            return side
    return 0


def _start(centre: float, side: int, limits: tuple[int, int], moved: int, chance: float) -> int:
    """Return where a square begins: around a centre, moved by chance (0..1) within a range that lies in the limits."""
    last = limits[1] - side
    moved = min(moved, last - limits[0])
    first = min(max(limits[0], centre - (side + moved) / 2), last - moved)
    return round(first + moved * chance)


def _off_whole(side: int, size: int) -> int:
    """Make a square a little smaller where it would be shrunk by nearly a whole number, such as 2.03."""
    whole = round(side / size)
    return math.floor((whole - NEAR) * size) if whole > 1 and abs(side / size - whole) < NEAR else side


def _part(seed: str, number: int) -> float:
    """Return chance number `number`, 0..1, of hex digits."""
    return int(seed[8 * number : 8 * number + 8], 16) / 2**32
