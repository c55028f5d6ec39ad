"""Whether two pictures share a part: the pixels decide where keypoints have said how one lies in the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.pictures.likeness import ALIKE, JUDGED, View, likeness
from curate.pictures.likeness import SIDE as VIEW_SIDE
from curate.pictures.placing import Placed

Grey = NDArray[np.uint8]
Region = tuple[int, int, int, int]

LEAST_SHARE = 0.3
"""What two pictures share must cover this share of the smaller one: a shared logo is not a shared picture."""

GROWN = 0.1
LEAST_SIDE = 24
TILES, TILES_SIDE, SLACK = 4, 160, 4
"""What is shared is cut into 4 × 4 tiles at 160 pixels, each compared by itself and moved by up to 4 pixels."""

LEAST_TILE, TILES_ALIKE = 0.55, 0.85
"""This share of the tiles with any texture must correlate so much.

Two faces in the same frame, or in screenshots of the same program, are alike everywhere but in the tiles that count.
"""

LEAST_TILES, MANY_TILES, LEAST_PART = 4, 13, 0.5
"""So many tiles must have texture where one picture lies in the other whole, and where two share only a part.

That part must be half of the smaller one: menus of two screenshots are alike too, but leave most of them empty.
"""

FLAT, TEXTURED = 1.5, 3.0
"""Standard deviations (grey levels of the band): a tile below the first tells nothing, unless the other has texture."""

COMPARABLE = 2.0
DIFFERS, PIECE, MOST_DIFFERING = 12.0, 5, 0.03
"""Where both show it at like sizes (up to 1:2), at most 3 % of what is shared may differ by more than 12 grey levels.

Measured at 160 pixels after a blur and a linear fit, in pieces of 5 × 5 pixels and more. Crops and turns stay below
0.7 %; two faces in screenshots of one program differ in 5 % and more, though the screen around them agrees.
"""

WHOLE = 0.93
"""A picture of which so much is shared counts as the whole of it."""

LEVELS, NEAR, PLAIN = 4, 3, 0.7
"""A surrounding is a frame or a screen where four grey levels (± 3) hold this share of its pixels."""

STEP, STEPPED = 8, 0.25
"""It also differs by so many grey levels from the picture, along this share of the border."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two pictures share: how alike it is (-1..1), the share of each (0..1), how they differ in words.

    `outer` says which of them, 0 or 1, is a frame or a screen around the other, where one is.
    """

    similarity: float
    shares: tuple[float, float]
    words: str
    outer: int | None = None


def overlap(one: Grey, other: Grey, placed: Placed) -> Overlap | None:
    """Compare the pixels that two reduced pictures share; None unless all of it is alike, tile by tile.

    First all that lies in both is compared, then what lies between the keypoints that agree, where the rest differs
    little: the edge of a small copy is seldom placed exactly.
    """
    turned = np.ascontiguousarray(other[:, ::-1]) if placed.mirrored else other
    first, second, shared, box = _laid(one, turned, placed)
    if shared.mean() < 0.01:
        return None
    areas = _areas(one, other, placed)
    shares = _most(shared, areas)
    if max(shares) < LEAST_PART:
        return None
    tiles = LEAST_TILES if max(shares) >= WHOLE else MANY_TILES
    regions = list(_regions(shared, box))
    left, top, right, bottom = regions[0]
    alike_in_size = 1 / COMPARABLE < placed.scale < COMPARABLE
    if alike_in_size and differing(first[top:bottom, left:right], second[top:bottom, left:right]) > MOST_DIFFERING:
        return None
    for region in regions:
        left, top, right, bottom = region
        covered = (right - left) * (bottom - top)
        if min(right - left, bottom - top) < LEAST_SIDE or covered < LEAST_SHARE * min(areas):
            continue
        a, b = first[top:bottom, left:right], second[top:bottom, left:right]
        if tiles_alike(a, b, tiles) < TILES_ALIKE:
            continue
        similarity = likeness(View(_sized(a, VIEW_SIDE)), View(_sized(b, VIEW_SIDE)))
        if similarity >= ALIKE:
            outer = _outer(one, turned, placed, shares)
            return Overlap(similarity, shares, _words(placed, shares, outer), outer)
    return None


def tiles_alike(a: Grey, b: Grey, least: int) -> float:
    """Return the share (0..1) of the tiles with texture that look alike; 0 where fewer than `least` have any."""
    first, second = (_band(_sized(each, TILES_SIDE)) for each in (a, b))
    scores = list(_scores(first, second))
    return float(np.mean(np.array(scores) >= LEAST_TILE)) if len(scores) >= least else 0.0


def differing(a: Grey, b: Grey) -> float:
    """Return the share (0..1) of two pictures of one size that differs in brightness, after a robust linear fit."""
    first, second = (cv2.GaussianBlur(_sized(each, TILES_SIDE).astype(np.float32), (0, 0), 2.0) for each in (a, b))
    rest = _unexplained(first, second, np.ones_like(first))
    for _ in range(3):  # least squares, each time with less weight for what did not fit
        weight = 1 / (1 + (rest / (2 * max(1.0, float(np.median(rest))))) ** 2)
        rest = _unexplained(first, second, weight)
    pieces = cv2.morphologyEx((rest > DIFFERS).astype(np.uint8), cv2.MORPH_OPEN, np.ones((PIECE, PIECE), np.uint8))
    return float(pieces.mean())


def _unexplained(first: NDArray[Any], second: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
    """Return how far each pixel of a picture lies from the weighted linear fit of the other, in grey levels."""
    share = weight / weight.sum()
    off, other_off = first - (share * first).sum(), second - (share * second).sum()
    gain = (share * off * other_off).sum() / max(1e-6, float((share * other_off**2).sum()))
    return np.asarray(np.abs(off - gain * other_off))


def _scores(first: NDArray[np.float32], second: NDArray[np.float32]) -> Iterator[float]:
    side = TILES_SIDE // TILES
    for top in range(0, TILES_SIDE, side):
        for left in range(0, TILES_SIDE, side):
            tile = first[top + SLACK : top + side - SLACK, left + SLACK : left + side - SLACK]
            field = second[top : top + side, left : left + side]
            if min(tile.std(), field.std()) >= FLAT:
                yield float(cv2.matchTemplate(field, tile, cv2.TM_CCOEFF_NORMED).max())
            elif max(tile.std(), field.std()) >= TEXTURED:
                yield 0.0


def _laid(one: Grey, other: Grey, placed: Placed) -> tuple[Grey, Grey, Grey, tuple[float, ...]]:
    """Lay the finer picture on the coarser one: both, where they share pixels, and the box of the keypoints there."""
    if placed.scale >= 1:
        to, size = placed.matrix, one.shape[::-1]
        inverse = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        laid = cv2.warpAffine(_softened(other, placed.scale), to, size, flags=inverse, borderMode=cv2.BORDER_REPLICATE)
        shared = cv2.warpAffine(np.ones_like(other), to, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
        return one, np.asarray(laid), np.asarray(shared), placed.box
    size = other.shape[::-1]
    soft = _softened(one, 1 / placed.scale)
    laid = cv2.warpAffine(soft, placed.matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shared = cv2.warpAffine(np.ones_like(one), placed.matrix, size, flags=cv2.INTER_NEAREST)
    left, top, right, bottom = placed.box
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    moved = corners @ placed.matrix[:, :2].T + placed.matrix[:, 2]
    return np.asarray(laid), other, np.asarray(shared), (*moved.min(axis=0), *moved.max(axis=0))


def _most(shared: Grey, areas: tuple[float, float]) -> tuple[float, float]:
    """Return the share of each picture (0..1) that lies in the other."""
    count = float(np.count_nonzero(shared))
    return min(1.0, count / areas[0]), min(1.0, count / areas[1])


def _softened(grey: Grey, shrunk: float) -> Grey:
    """Blur what will be shrunk, so that fine structure does not turn into coarse."""
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.5 * np.sqrt(shrunk**2 - 1))) if shrunk > 1.1 else grey


def _areas(one: Grey, other: Grey, placed: Placed) -> tuple[float, float]:
    """Return how many pixels of the coarser picture each of the two covers."""
    scale = placed.scale
    return one.size * min(1.0, scale**2), other.size * min(1.0, 1 / scale**2)


def _regions(shared: Grey, box: tuple[float, ...]) -> Iterator[Region]:
    rows, columns = np.flatnonzero(shared.any(axis=1)), np.flatnonzero(shared.any(axis=0))
    whole = _filled(shared, (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    yield whole
    left, top, right, bottom = box
    wide, high = GROWN * (right - left), GROWN * (bottom - top)
    yield (
        max(whole[0], round(left - wide)), max(whole[1], round(top - high)),
        min(whole[2], round(right + wide)), min(whole[3], round(bottom + high)),
    )  # fmt: skip


def _filled(shared: Grey, region: Region) -> Region:
    """Draw a region in, on the side that is emptiest, until the pictures share all of it."""
    left, top, right, bottom = region
    sums = np.asarray(cv2.integral(shared))
    count = sums.item

    def held(left: int, top: int, right: int, bottom: int) -> int:
        return int(count(bottom, right) - count(top, right) - count(bottom, left) + count(top, left))

    while right - left > LEAST_SIDE and bottom - top > LEAST_SIDE:
        high, wide = bottom - top, right - left
        empty = (
            1 - held(left, top, left + 1, bottom) / high, 1 - held(left, top, right, top + 1) / wide,
            1 - held(right - 1, top, right, bottom) / high, 1 - held(left, bottom - 1, right, bottom) / wide,
        )  # fmt: skip
        worst = empty.index(max(empty))
        if empty[worst] == 0:
            break
        left, top, right, bottom = left + (worst == 0), top + (worst == 1), right - (worst == 2), bottom - (worst == 3)
    return left, top, right, bottom


def _outer(one: Grey, other: Grey, placed: Placed, shares: tuple[float, float]) -> int | None:
    """Say which picture is a frame or a screen around the other, if one is."""
    if min(shares) >= WHOLE or max(shares) < WHOLE:
        return None
    if shares[1] < shares[0]:
        inside = cv2.warpAffine(np.ones_like(one), placed.matrix, other.shape[::-1], flags=cv2.INTER_NEAREST)
        return 1 if _plain(other, np.asarray(inside)) else None
    inverse = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    inside = cv2.warpAffine(np.ones_like(other), placed.matrix, one.shape[::-1], flags=inverse)
    return 0 if _plain(one, np.asarray(inside)) else None


def _plain(grey: Grey, inside: Grey) -> bool:
    """Tell whether what lies around is plain, and begins with a step: a wall that goes on is no frame."""
    return _is_plain(grey, inside) and _has_step(grey, inside)


def _has_step(grey: Grey, inside: Grey) -> bool:
    disc = np.ones((9, 9), np.uint8)
    within, beyond = cv2.erode(inside, disc), 1 - cv2.dilate(inside, disc)
    window = (25, 25)
    (inner, near), (outer, far) = (
        (cv2.blur(grey * side.astype(np.float32), window), cv2.blur(side.astype(np.float32), window))
        for side in (within, beyond)
    )
    at = (near > 0.1) & (far > 0.1)
    step = np.abs(inner[at] / near[at] - outer[at] / far[at])
    return bool(step.size and np.mean(step > STEP) >= STEPPED)


def _is_plain(grey: Grey, inside: Grey) -> bool:
    around = cv2.dilate(inside, np.ones((9, 9), np.uint8)) == 0
    counts = np.bincount(grey[around], minlength=256).astype(np.float64)
    total, held = counts.sum(), 0.0
    for _ in range(LEVELS):
        sums = np.convolve(counts, np.ones(2 * NEAR + 1), "same")
        level = int(sums.argmax())
        held += float(sums[level])
        counts[max(0, level - NEAR) : level + NEAR + 1] = 0
    return bool(total > 0 and held >= PLAIN * total)


def _words(placed: Placed, shares: tuple[float, float], outer: int | None) -> str:
    turn = abs(placed.turn)
    right = 90 * round(turn / 90)
    degrees = right if abs(turn - right) < 2 else round(turn)
    said = [] if not placed.mirrored else ["upside down and mirrored" if degrees == 180 else "mirrored"]
    if degrees and not (placed.mirrored and degrees == 180):
        said.append(f"turned by {degrees}°")
    if outer is not None:
        said.append("in a frame or a screenshot")
    elif max(shares) < WHOLE:
        said.append(f"another crop, {max(shares):.0%} shared".replace("%", " %"))
    elif min(shares) < WHOLE:
        said.append(f"cropped to {min(shares):.0%} of the area".replace("%", " %"))
    return ", ".join(said)


def _band(grey: Grey) -> NDArray[np.float32]:
    fine, coarse = (cv2.GaussianBlur(grey.astype(np.float32), (0, 0), sigma) for sigma in JUDGED)
    return np.asarray(fine - coarse, dtype=np.float32)


def _sized(grey: Grey, side: int) -> Grey:
    return np.asarray(cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA))
