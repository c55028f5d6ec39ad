"""Find the pictures that show parts of one another: turned, cropped, framed, in a screenshot."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from curate.pictures.keypoints import BYTES, PARTS, Points, Print
from curate.pictures.overlap import Grey, Overlap, overlap
from curate.pictures.placing import placed
from curate.pictures.votes import voted
from imageledger.types import Track, untracked

MOST = 20_000
"""More pictures than this are not searched for parts unless asked for: their keypoints take 40 KB each in memory."""

LOOKED_FOR = (
    "turned by 90, 180 or 270 degrees, mirrored, cropped by up to 15 % of each edge, in a frame of up to 25 %, or in a "
    "screenshot of which they fill 40 % of the height"
)
LOOKED_AT = "at 320 pixels"
UNSEEN = (
    "Not found for certain are tighter crops, smaller pictures in screenshots, collages, heavy blur or retouching, and "
    "other photographs of the same person"
)

NOTHING = Print((1, 1), *(Points(np.zeros((0, PARTS), np.float32), np.zeros((0, BYTES), np.uint8)) for _ in "ab"))
"""The print of a picture that could not be read: it is like no other."""


@dataclass(frozen=True, slots=True)
class Part:
    """Two pictures, by their places in a list, that share a part; the second is mirrored where the flag is set."""

    one: int
    other: int
    mirrored: bool
    overlap: Overlap


def parts(
    prints: Sequence[Print],
    grey: Callable[[int], Grey],
    wanted: Callable[[int, int], bool],
    track: Track = untracked,
) -> Iterator[Part]:
    """Yield the pairs that share a part, of those that are wanted, the better way round where both ways match.

    `grey` returns a picture as its keypoints saw it, and is asked only where keypoints agree.
    """
    ways: dict[tuple[int, int], list[bool]] = {}
    for i, j, mirrored in voted(prints):
        if wanted(i, j):
            ways.setdefault((i, j), []).append(mirrored)
    for (i, j), flags in track(sorted(ways.items()), len(ways), "comparing parts"):
        found = part(prints, grey, i, j, flags)
        if found is not None:
            yield found


def part(
    prints: Sequence[Print], grey: Callable[[int], Grey], i: int, j: int, ways: Sequence[bool] = (False, True)
) -> Part | None:
    """Compare two pictures, straight (False) and mirrored (True); None where they share no part."""
    best: Part | None = None
    for mirrored in ways:
        lie = placed(prints[i], prints[j], mirrored=mirrored)
        shared = None if lie is None else overlap(grey(i), grey(j), lie)
        if shared is not None and (best is None or shared.similarity > best.overlap.similarity):
            best = Part(i, j, mirrored, shared)
    return best
