"""A synthetic generator trace, and the fixed probe that looks for it: how much signal does a recipe keep?

Generators build a picture by doubling its size, again and again, and a doubling without a proper low-pass leaves
replicas of the picture's own spectrum at the high frequencies (Zhang, Karaman and Chang, "Detecting and simulating
artifacts in GAN fake images", 2019; Durall, Keuper and Keuper, "Watch your up-convolution", 2020).
"""

from collections.abc import Iterable
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.evidence.permuted import auc, folds_of, prepare
from imageledger.types import Bools, Floats

DOUBLINGS = 2
"""The last doublings of the imagined generator: patterns of period 2 and 4 pixels."""

SPREAD = 16
"""Generators differ, and so do their traces: the strongest of a sample is this many times as strong as the faintest."""

AIM = 0.90
STRENGTHS = (0.1, 0.2, 0.4, 0.8, 1.6)
"""The trace is planted at the strength that gives this AUC where nothing was done to the pictures."""

REPEATS = 3
BLOCK, WINDOW = 64, 512
"""Side of the blocks whose spectra are averaged, and of the middle part of the picture that is looked at, in px."""

Array = NDArray[np.float32]


def planted(image: Image.Image, strength: float) -> Image.Image:
    """Return an RGB picture as if its last doublings had been made by an uneven transposed convolution."""
    whole = np.asarray(image, dtype=np.float32)
    edge = 2**DOUBLINGS
    height, width = (side // edge * edge for side in whole.shape[:2])
    small = cv2.resize(whole[:height, :width], (width // edge, height // edge), interpolation=cv2.INTER_AREA)
    uneven = even = small.astype(np.float32)
    for _ in range(DOUBLINGS):
        uneven, even = _doubled(uneven, _kernel()), _doubled(even, _even())
    traced = whole.copy()
    traced[:height, :width] += strength * (uneven - even)
    return Image.fromarray(np.clip(np.rint(traced), 0, 255).astype(np.uint8))


def share(seed: str) -> float:
    """Return how much of the strength a picture gets, 1/SPREAD..1, log-uniform, from hex digits of its content."""
    return float(SPREAD ** (int(seed[-8:], 16) / 2**32 - 1))


def calibrated(pictures: Iterable[tuple[Image.Image, str]]) -> float:
    """Return the strength at which the probe finds the trace with AUC AIM in untouched pictures (RGB image, seed).

    Between the STRENGTHS tried it is interpolated; beyond them, the nearest one is taken.
    """
    rows = []
    for image, seed in pictures:
        part = _middle(image)
        rows.append([spectrum(part), *(spectrum(planted(part, strength * share(seed))) for strength in STRENGTHS)])
    columns = [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)]
    areas = np.maximum.accumulate([separable(columns[0], column) for column in columns[1:]])
    return float(np.exp(np.interp(AIM, areas, np.log(STRENGTHS))))


def separable(clean: Floats, changed: Floats) -> float:
    """Return the AUC with which pictures are told from pictures in which something was planted.

    Both are n x k, row by row the same picture. Every second picture is taken changed, the rest clean; then the
    halves swap, and the two AUCs are averaged.
    """
    half = np.arange(len(clean)) % 2 == 0
    return float(np.mean([auc_of(np.where(now[:, None], changed, clean), now) for now in (half, ~half)]))


def auc_of(values: Floats, positive: Bools) -> float:
    """Return the cross-validated AUC of logistic regression on features (n x k), out of fold, over REPEATS draws."""
    from sklearn.linear_model import LogisticRegression

    matrix, _ = prepare(values)
    areas = []
    for seed in range(REPEATS):
        scores = np.zeros(len(positive))
        for held in folds_of(positive, [str(row) for row in range(len(positive))], seed):
            rest = np.setdiff1d(np.arange(len(positive)), held)
            model = LogisticRegression(C=4 / max(matrix.shape[1], 1), max_iter=300)
            scores[held] = model.fit(matrix[rest], positive[rest]).decision_function(matrix[held])
        areas.append(float(auc(scores[:, None], positive[:, None])[0]))
    return float(np.mean(areas))


def spectrum(image: Image.Image) -> Array:
    """Return the features of the fixed probe, float32: the mean log spectrum of luma, as peaks and as bands.

    The mean power of overlapping Hann-windowed blocks, its four quadrants folded, minus its own smooth course
    (peaks: as they are along both axes and the diagonal, elsewhere the largest of each 4 x 4 places), and its mean
    over 16 rings.
    """
    grey = np.asarray(_middle(image).convert("L"), dtype=np.float32)
    blocks = np.lib.stride_tricks.sliding_window_view(grey, (BLOCK, BLOCK))[:: BLOCK // 2, :: BLOCK // 2]
    flat = blocks - blocks.mean(axis=(2, 3), keepdims=True)
    power = np.abs(np.fft.rfft2(flat * _window())) ** 2
    half = BLOCK // 2
    logs = np.log(power + 1.0).mean(axis=(0, 1))  # the mean of logs: one busy block must not drown the others
    folded = 0.5 * (logs[: half + 1] + np.roll(logs[::-1], 1, axis=0)[: half + 1])
    peaks = folded - cv2.blur(folded.astype(np.float32), (7, 7), borderType=cv2.BORDER_REFLECT_101)
    tops = peaks[1:, 1:].reshape(half // 4, 4, half // 4, 4).max(axis=(1, 3))
    radius = np.hypot(*np.indices(folded.shape)) * (16 / half)
    rings = [float(folded[(radius >= ring) & (radius < ring + 1)].mean()) for ring in range(16)]
    parts = (peaks[0, 2:], peaks[2:, 0], np.diagonal(peaks)[2:], tops.ravel(), np.array(rings))
    return np.concatenate([np.asarray(part, dtype=np.float32) for part in parts])


def _middle(image: Image.Image) -> Image.Image:
    side = max(BLOCK, min(WINDOW, *image.size))
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _doubled(image: Array, kernel: Array) -> Array:
    spread = np.zeros((2 * image.shape[0], 2 * image.shape[1], 3), dtype=np.float32)
    spread[::2, ::2] = image
    return np.asarray(cv2.filter2D(spread, -1, kernel, borderType=cv2.BORDER_REFLECT_101), dtype=np.float32)


@cache
def _even() -> Array:
    tent = np.array([1, 3, 3, 1, 0], dtype=np.float32) / 4
    return np.asarray(np.outer(tent, tent), dtype=np.float32)


@cache
def _kernel() -> Array:
    """Return the kernel that repeats every pixel: next to no convolution after the doubling, replicas and all."""
    box = np.array([0, 1, 1, 0, 0], dtype=np.float32)
    return np.asarray(np.outer(box, box), dtype=np.float32)


@cache
def _window() -> Array:
    hann = np.hanning(BLOCK).astype(np.float32)
    return np.asarray(np.outer(hann, hann), dtype=np.float32)
