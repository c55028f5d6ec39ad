"""Which of many pictures may show parts of one another: keypoints that agree vote for how one lies in the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.pictures.keypoints import BITS, SIDE, Points, Print

TABLES, WIDTH = 8, 32
"""Keypoints agree when the same 32 of their 256 bits are equal, for at least one of eight choices of 32 bits.

Copies that were halved and recompressed agree in dozens of keypoints, two portraits in five or so.
"""

ENOUGH = 6
"""So many keypoints must vote for one way in which one picture lies in the other."""

TURN, SCALE, SHIFT = 30.0, 0.36, 64.0
"""Width of a box of votes: degrees, logarithm of the scale (two levels), and pixels at SIDE of the centre."""

COMMON = 4096
"""Bits that so many keypoints share tell no picture from another, and do not vote."""

BLOCK = 16
"""Pictures compared with all others at once, which bounds memory."""


@dataclass(frozen=True, slots=True)
class _Index:
    """The keypoints of all pictures, and for each table their keys, the same in ascending order, and that order."""

    picture: NDArray[np.int32]
    places: NDArray[np.float32]
    keys: tuple[NDArray[np.uint32], ...]
    ordered: tuple[NDArray[np.uint32], ...]
    order: tuple[NDArray[np.int32], ...]


def voted(prints: Sequence[Print]) -> Iterator[tuple[int, int, bool]]:
    """Yield (i, j, mirrored), i < j, for the pairs in which enough keypoints agree on a turn, a scale and a shift.

    The second picture is mirrored where the flag is set; a pair may come both ways. The order is fixed by the prints.
    Lowe, D. G. (2004). Distinctive image features from scale-invariant keypoints, section 7.2.
    """
    straight, mirrored = _index([one.straight for one in prints]), _index([one.mirrored for one in prints])
    first = np.searchsorted(straight.picture, np.arange(len(prints) + 1))
    for start in range(0, len(prints), BLOCK):
        rows = slice(int(first[start]), int(first[min(start + BLOCK, len(prints))]))
        found = [
            (i, j, turned) for others, turned in ((straight, False), (mirrored, True))
            for i, j in _agreeing(straight, rows, others, len(prints))
        ]  # fmt: skip
        yield from sorted(found)


def _index(points: Sequence[Points]) -> _Index:
    picture = np.repeat(np.arange(len(points), dtype=np.int32), [len(one.codes) for one in points])
    places = np.concatenate([one.places for one in points] or [np.zeros((0, 4), np.float32)])
    codes = np.concatenate([one.codes for one in points] or [np.zeros((0, BITS // 8), np.uint8)])
    columns = [_keys(codes, chosen) for chosen in _chosen()]
    order = [np.argsort(keys, kind="stable").astype(np.int32) for keys in columns]
    ordered = [keys[place] for keys, place in zip(columns, order, strict=True)]
    return _Index(picture, places, tuple(columns), tuple(ordered), tuple(order))


def _chosen() -> list[NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    return [np.sort(rng.permutation(BITS)[:WIDTH]) for _ in range(TABLES)]


def _keys(codes: NDArray[np.uint8], chosen: NDArray[np.int64]) -> NDArray[np.uint32]:
    keys = np.zeros(len(codes), np.uint32)
    for place, bit in enumerate(chosen):
        keys |= ((codes[:, bit // 8] >> np.uint8(bit % 8)) & np.uint8(1)).astype(np.uint32) << np.uint32(place)
    return keys


def _agreeing(index: _Index, rows: slice, others: _Index, count: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs (i, j), i among the rows and before j, for which enough keypoints vote alike."""
    one, other = _collisions(index, rows, others)
    if not len(one):
        return
    pair = index.picture[one].astype(np.int64) * count + others.picture[other]
    _, where, votes = np.unique(pair, return_inverse=True, return_counts=True)
    kept = votes[where] >= ENOUGH
    one, other, pair = one[kept], other[kept], pair[kept]
    way = _ways(index.places[one], others.places[other])
    found: set[int] = set()
    for offset in (0.0, 0.5):
        box = np.floor(way + offset).astype(np.int64)
        box[:, 0] %= round(360 / TURN)
        found.update(_full(pair, box, one, other))
    yield from ((int(each) // count, int(each) % count) for each in sorted(found))


def _collisions(index: _Index, rows: slice, others: _Index) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of keypoints with an equal key in any table, once each, the second in a later picture."""
    total = np.int64(max(1, len(others.picture)))
    met = []
    for keys, ordered, order in zip(index.keys, others.ordered, others.order, strict=True):
        turn = np.argsort(keys[rows], kind="stable")  # ascending questions are answered three times as fast
        asked = keys[rows][turn]
        low = np.searchsorted(ordered, asked, "left")
        many = np.searchsorted(ordered, asked, "right") - low
        many[many > COMMON] = 0
        one = np.repeat(turn, many) + rows.start
        at = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
        other = order[at].astype(np.int64)
        later = index.picture[one] < others.picture[other]
        met.append(one[later] * total + other[later])
    both = np.unique(np.concatenate(met))
    return both // total, both % total


def _ways(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Say for pairs of keypoints how the first picture lies in the second: turn, scale, and where its centre comes."""
    turn = np.mod(other[:, 2] - one[:, 2], 360).astype(np.float64)
    scale = (other[:, 3] - one[:, 3]).astype(np.float64)
    cos, sin = np.exp(scale) * np.cos(np.radians(turn)), np.exp(scale) * np.sin(np.radians(turn))
    x, y = SIDE / 2 - one[:, 0], SIDE / 2 - one[:, 1]
    across, down = other[:, 0] + cos * x - sin * y, other[:, 1] + sin * x + cos * y
    return np.stack([turn / TURN, scale / SCALE, across / SHIFT, down / SHIFT], axis=1)


def _full(
    pair: NDArray[np.int64], box: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]
) -> Iterator[int]:
    """Yield the pairs with a box in which enough different keypoints of both pictures vote."""
    columns = np.column_stack([pair, box])
    _, where, votes = np.unique(columns, axis=0, return_inverse=True, return_counts=True)
    where = where.ravel()
    kept = np.flatnonzero(votes[where] >= ENOUGH)
    kept = kept[np.argsort(where[kept], kind="stable")]
    edges = np.flatnonzero(np.diff(where[kept])) + 1
    for members in np.split(kept, edges):
        if len(members) and min(len(np.unique(one[members])), len(np.unique(other[members]))) >= ENOUGH:
            yield int(pair[members[0]])
