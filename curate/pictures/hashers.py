"""Perceptual hashes of pictures, and the search for near ones among many."""

from collections.abc import Iterator
from itertools import pairwise

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

PREFIX = "p:"
SIDE = 32
BITS = 64
BLOCK = 2048
"""Rows and columns compared at once: 2048 × 2048 differences of 8 bytes are 32 MiB."""


def reduced(image: Image.Image) -> Image.Image:
    """Reduce a picture to what its hash is made of: grey, 32 × 32 pixels, as imagehash does it.

    The hash of the reduced picture is that of the picture, so several hashes cost one reduction.
    """
    return image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def phash(image: Image.Image) -> str:
    """Return the perceptual hash of an upright RGB picture: "p:" and 16 hex digits.

    The same 64 bits as `imagehash.phash(image)`: the signs, against their median, of the 8 × 8 lowest
    cosine coefficients of the picture at 32 × 32 pixels.
    """
    return f"{PREFIX}{imagehash.phash(image)}"


def mirrored(image: Image.Image) -> str:
    """Return the hash of a picture's mirror image, left and right exchanged; it costs one reduction."""
    return phash(ImageOps.mirror(reduced(image)))


def to_int(text: str) -> int:
    """Return the 64 bits of a written hash; raise ValueError for anything that is not one."""
    if not text.startswith(PREFIX) or len(text) != len(PREFIX) + BITS // 4:
        raise ValueError(f"{text!r} is not a perceptual hash such as p:8f3c00ff12ab9d01")
    return int(text[len(PREFIX) :], 16)


def near_pairs(hashes: NDArray[np.uint64], within: int) -> Iterator[tuple[int, int, int]]:
    """Yield (i, j, distance), i < j, for every pair of 64-bit hashes at most `within` bits apart.

    Exact: the bits are cut into `within + 1` bands, and two hashes that differ in at most `within` bits
    agree in one band, so that only hashes with an equal band are compared. Identical hashes are folded
    first. Memory is bounded by one block and the table of hashes; the order is fixed by the hashes.
    Source of the bands: Manku, Jain, Das Sarma (2007). Detecting near-duplicates for web crawling.
    """
    if not 0 <= within < BITS:
        raise ValueError(f"a distance between hashes lies between 0 and {BITS - 1}, not {within}")
    values, place = np.unique(np.asarray(hashes, dtype=np.uint64), return_inverse=True)
    order = np.argsort(place, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(place, minlength=len(values)))[:-1])
    for group in (several for several in members if len(several) > 1):
        yield from ((int(i), int(j), 0) for n, i in enumerate(group) for j in group[n + 1 :])
    for a, b, distance in _near_values(values, within):
        for i in members[a]:
            for j in members[b]:
                yield int(min(i, j)), int(max(i, j)), distance


def _near_values(values: NDArray[np.uint64], within: int) -> Iterator[tuple[int, int, int]]:
    masks = _bands(within + 1) if len(values) > BLOCK else [np.uint64(0)]  # few hashes: all in one bucket
    for number, mask in enumerate(masks):
        order = np.argsort(values & mask, kind="stable")
        keys = (values & mask)[order]
        starts = [0, *(np.flatnonzero(np.diff(keys)) + 1).tolist(), len(order)]
        for start, end in pairwise(starts):
            if end - start > 1:
                yield from _near_in(values, order[start:end], within, masks[:number])


def _near_in(
    values: NDArray[np.uint64], bucket: NDArray[np.intp], within: int, seen: list[np.uint64]
) -> Iterator[tuple[int, int, int]]:
    """Compare all pairs of one bucket, without those that agree in a band looked at before."""
    for top in range(0, len(bucket), BLOCK):
        rows = bucket[top : top + BLOCK]
        for left in range(top, len(bucket), BLOCK):
            columns = bucket[left : left + BLOCK]
            apart = np.bitwise_count(values[rows][:, None] ^ values[columns][None, :])
            near = apart <= within
            if left == top:
                near = np.triu(near, 1)
            for r, c in zip(*np.nonzero(near), strict=True):
                a, b = int(rows[r]), int(columns[c])
                if all((values[a] ^ values[b]) & mask for mask in seen):
                    yield a, b, int(apart[r, c])


def _bands(count: int) -> list[np.uint64]:
    """Cut 64 bits into `count` bands of nearly equal width, as masks."""
    edges = [BITS * n // count for n in range(count + 1)]
    return [np.uint64((1 << high) - (1 << low)) for low, high in pairwise(edges)]
