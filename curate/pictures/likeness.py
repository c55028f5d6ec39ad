"""Whether two pictures are the same picture: band-passed correlation after registration, inside the picture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.float32]

SIDE = 128
"""Views are compared at 128 × 128 pixels, whatever the shape: a changed aspect ratio is a scale like any other."""

COARSE = (5.0, 20.0)
FINE = (1.5, 6.0)
JUDGED = (1.0, 4.0)
"""Bands, as the two sigmas (pixels of a view) of a difference of Gaussians: to find the place, to settle it, to judge.

Light, colour and large shapes, which all aligned portraits share, lie below the last band; noise and
compression above it.
"""

ALIKE = 0.88
"""From this correlation on two views show the same picture.

benchmarks/dedupe.py measures on 560 real and AI portraits: copies, edits and crops up to 10 % reach 0.906 and more
(strong blur is the worst), different people whose hashes differ in up to 12 bits 0.733 at most.
"""

STEPS = 12
LEAST_SCALE, MOST_SCALE = 0.8, 1.25
MOST_SHIFT = SIDE / 8
LEAST_PERSON = 0.05
LEAST_SEEN = 0.02
"""Mattes that cover less of a view tell nothing, and neither do two pictures that share less once registered."""

DRAWN_IN = 5
"""Width (pixels of a view) of the window that draws a matte in, against the background beside the person."""

FLAT = 0.25
"""Below this standard deviation (grey levels) a band holds nothing but rounding, and nothing is alike."""

_CENTRE = (SIDE - 1) / 2
_Y, _X = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) - np.float32(_CENTRE)


@dataclass(frozen=True, slots=True)
class View:
    """A picture reduced for comparison: grey (SIDE, SIDE) uint8, and the person's alpha alike where it is known."""

    grey: NDArray[np.uint8]
    person: NDArray[np.uint8] | None = None

    def mirrored(self) -> "View":
        """Return the view of the mirror image, left and right exchanged."""
        turned = None if self.person is None else np.ascontiguousarray(self.person[:, ::-1])
        return View(np.ascontiguousarray(self.grey[:, ::-1]), turned)


def view(image: Image.Image, matte: Image.Image | None = None) -> View:
    """Reduce an upright RGB picture, and its matte, a grey picture of the same size, where there is one."""
    return View(_reduce(image.convert("L")), None if matte is None else _reduce(matte))


def likeness(a: View, b: View) -> float:
    """Return how alike two views are, -1..1: the better of registering each on the other, to three decimals.

    Registration allows a shift and one scale an axis, which is what crops and resizes do; a rotated copy is
    not found. Where either view knows its person, only the persons are compared.
    """
    one, other = a.grey.astype(np.float32), b.grey.astype(np.float32)
    person, other_person = _alpha(a), _alpha(b)
    best = max(_one_way(one, other, person, other_person), _one_way(other, one, other_person, person))
    return round(best, 3)


def _reduce(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0))


def _alpha(seen: View) -> Pixels | None:
    """Return the weight of each pixel, 0..1, drawn in a little so that the background does not reach into a band."""
    if seen.person is None or seen.person.mean() / 255 < LEAST_PERSON:
        return None
    return np.asarray(cv2.erode(seen.person, np.ones((DRAWN_IN, DRAWN_IN), np.uint8)) / np.float32(255))


def _one_way(still: Pixels, moved: Pixels, person: Pixels | None, other_person: Pixels | None) -> float:
    def weight_at(place: NDArray[np.float64]) -> Pixels:
        weight = _inside(place).astype(np.float32)
        if person is not None:
            weight *= person
        return weight if other_person is None else weight * _warp(other_person, place)

    place = np.array([1.0, 1.0, 0.0, 0.0])
    for band in (COARSE, FINE):
        place = _register(_band(still, band), _band(moved, band), place, weight_at)
    weight = weight_at(place)
    if weight.mean() < LEAST_SEEN:
        return 0.0
    return _correlation(_band(still, JUDGED), _warp(_band(moved, JUDGED), place), weight)


def _band(grey: Pixels, sigmas: tuple[float, float]) -> Pixels:
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in sigmas)
    return np.asarray(fine - coarse, dtype=np.float32)


def _register(
    still: Pixels, moved: Pixels, place: NDArray[np.float64], weight_at: Callable[[NDArray[np.float64]], Pixels]
) -> NDArray[np.float64]:
    """Refine where `moved` has to be sampled to look like `still`: scale and shift along x and y.

    Gauss-Newton on the weighted brightness difference with a free gain, from the place given.
    Lucas, B. D., Kanade, T. (1981). An iterative image registration technique.
    """
    slope_x = cv2.Sobel(moved, cv2.CV_32F, 1, 0, ksize=3) / 8
    slope_y = cv2.Sobel(moved, cv2.CV_32F, 0, 1, ksize=3) / 8
    for _ in range(STEPS):
        weight = weight_at(place)
        if weight.mean() < LEAST_SEEN:
            break
        dx, dy = _warp(slope_x, place), _warp(slope_y, place)
        columns = (dx * _X, dy * _Y, dx, dy, _warp(moved, place), np.ones_like(still))
        table = np.stack([column.ravel() for column in columns]).astype(np.float64)
        weighted = table * weight.ravel()
        answer = np.linalg.lstsq(weighted @ table.T, weighted @ still.ravel(), rcond=None)[0]
        gain = answer[4]
        if gain <= 1e-3:
            break
        step = np.clip(answer[:4] / gain, (-0.05, -0.05, -3, -3), (0.05, 0.05, 3, 3))
        place = place + step
        place[:2] = np.clip(place[:2], LEAST_SCALE, MOST_SCALE)
        place[2:] = np.clip(place[2:], -MOST_SHIFT, MOST_SHIFT)
        if np.abs(step * (SIDE / 2, SIDE / 2, 1, 1)).max() < 0.02:
            break
    return place


def _warp(pixels: NDArray[Any], place: NDArray[np.float64]) -> Pixels:
    scale_x, scale_y, shift_x, shift_y = place
    matrix = np.array(
        [[scale_x, 0, _CENTRE * (1 - scale_x) + shift_x], [0, scale_y, _CENTRE * (1 - scale_y) + shift_y]]
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(pixels, matrix, (SIDE, SIDE), flags=how, borderMode=cv2.BORDER_REPLICATE))


def _inside(place: NDArray[np.float64]) -> NDArray[np.bool_]:
    scale_x, scale_y, shift_x, shift_y = place
    return (np.abs(_X * scale_x + shift_x) <= _CENTRE) & (np.abs(_Y * scale_y + shift_y) <= _CENTRE)


def _correlation(a: Pixels, b: Pixels, weight: Pixels) -> float:
    share = weight.astype(np.float64) / float(weight.sum())
    a_off, b_off = a - (share * a).sum(), b - (share * b).sum()
    spread_a, spread_b = np.sqrt((share * a_off**2).sum()), np.sqrt((share * b_off**2).sum())
    if min(spread_a, spread_b) < FLAT:
        return 0.0
    return float((share * a_off * b_off).sum() / (spread_a * spread_b))
