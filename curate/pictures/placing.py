"""How one picture lies in another: keypoints that agree on one turn, scale and shift."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.pictures.keypoints import Points, Print

Matrix = NDArray[np.float64]

CLEARER = 0.85
"""A keypoint's partner must differ in fewer bits than this share of those of the second best (Lowe 2004)."""

FARTHEST = 80
"""Bits of 256 in which a keypoint's partner may differ."""

LEAST_POINTS = 8
"""So many keypoints must agree on one turn, scale and shift."""

WITHIN = 4.0
"""Pixels (of the reduced pictures) in which they must agree."""

SMALLEST = 0.2
"""Pictures that appear at less than a fifth of their size, longer side for longer side, are not looked for."""


@dataclass(frozen=True, slots=True)
class Placed:
    """How one picture lies in another, in pixels of their reductions: the matrix, and the box in the first that agrees.

    `matrix` (2, 3) takes places of the first to places of the second, mirrored where the flag is set.
    """

    matrix: Matrix
    mirrored: bool
    points: int
    box: tuple[float, float, float, float]

    @property
    def scale(self) -> float:
        """How many pixels of the second picture's reduction one of the first's becomes."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    @property
    def turn(self) -> float:
        """By how many degrees the first picture is turned, -180..180."""
        return float(np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0])))


def placed(one: Print, other: Print, *, mirrored: bool) -> Placed | None:
    """Find how the first picture lies in the second, or None where too few keypoints agree.

    A similarity (turn, one scale, shift) by RANSAC. Fischler, M. A. and Bolles, R. C. (1981). Random sample consensus.
    """
    theirs = other.mirrored if mirrored else other.straight
    pairs = _partners(one.straight, theirs)
    if len(pairs) < LEAST_POINTS:
        return None
    source, target = one.straight.places[pairs[:, 0], :2], theirs.places[pairs[:, 1], :2]
    matrix, agree = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=WITHIN, maxIters=2000, confidence=0.995
    )
    if matrix is None or agree.sum() < LEAST_POINTS:
        return None
    if not SMALLEST <= np.hypot(matrix[0, 0], matrix[1, 0]) <= 1 / SMALLEST:
        return None
    held = source[agree.ravel() != 0]
    (left, top), (right, bottom) = held.min(axis=0), held.max(axis=0)
    box = float(left), float(top), float(right), float(bottom)
    return Placed(np.asarray(matrix), mirrored, int(agree.sum()), box)


def _partners(one: Points, other: Points) -> NDArray[np.int64]:
    if len(one.codes) < 2 or len(other.codes) < 2:
        return np.zeros((0, 2), np.int64)
    far, near = cv2.batchDistance(one.codes, other.codes, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)
    clear = (far[:, 0] < CLEARER * far[:, 1]) & (far[:, 0] <= FARTHEST)
    return np.stack([np.flatnonzero(clear), near[clear, 0]], axis=1).astype(np.int64)
