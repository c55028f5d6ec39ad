"""A face in a picture: its square box and, where the detector knows them, five points. Pure functions on numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from curate.pictures import pixels
from curate.pictures.pixels import Box

Points = tuple[int, int, int, int, int, int, int, int, int, int]
"""x and y, in pixels, of both eyes, the tip of the nose and both corners of the mouth; left in the picture first."""

OTHERS_FROM = 1 / 3
"""Another face counts from this share of the largest one's side: smaller ones stand in the background."""


class Point(NamedTuple):
    """A place in a picture, in pixels."""

    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A face: `box` (left, top, right, bottom) in pixels, which both detectors give in the same proportions.

    `points` are None where the detector finds none.

    >>> Face(box=(40, 40, 120, 120)).within((20, 20, 180, 180), 80).box
    (10, 10, 50, 50)
    """

    box: Box
    points: Points | None = None

    @property
    def side(self) -> int:
        """The longer side of the box in pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def eyes(self) -> tuple[Point, Point] | None:
        """The middles of both eyes, left in the picture first."""
        return (Point(*self.points[0:2]), Point(*self.points[2:4])) if self.points else None

    @property
    def mouth(self) -> Point | None:
        """The middle between the corners of the mouth."""
        if self.points is None:
            return None
        return Point((self.points[6] + self.points[8]) / 2, (self.points[7] + self.points[9]) / 2)

    def within(self, crop: Box, size: int) -> Self | None:
        """Return the face in the picture that `downscale` makes of a crop; None where most of it lies outside."""
        if not pixels.mostly_within(self.box, crop):
            return None
        scale = size / (crop[2] - crop[0])
        moved = None
        if self.points:
            moved = tuple(round(scale * (edge - crop[number % 2])) for number, edge in enumerate(self.points))
        return type(self)(box=pixels.within(self.box, crop, size), points=moved)  # type: ignore[arg-type]

    def scaled(self, across: float, down: float) -> Self:
        """Return the face in the picture stretched by two factors."""

        def by(values: Sequence[int]) -> tuple[int, ...]:
            return tuple(round(value * (across, down)[number % 2]) for number, value in enumerate(values))

        return type(self)(box=by(self.box), points=by(self.points) if self.points else None)  # type: ignore[arg-type]


def counted(faces: Sequence[Face]) -> int:
    """Count the faces that matter: the largest, and all from OTHERS_FROM of its side."""
    largest = max((face.side for face in faces), default=0)
    return sum(face.side >= OTHERS_FROM * largest for face in faces)
