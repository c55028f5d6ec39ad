"""Data sets of which the truth is known: two normal classes, pictures in groups, and linear models cross-validated."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm


@dataclass(frozen=True)
class World:
    """Many data sets at once: `scores` and `folds` are sets x repeats x n (positive above 0); truths one a set."""

    scores: np.ndarray
    folds: np.ndarray
    positive: np.ndarray
    groups: np.ndarray
    accuracy: np.ndarray
    auc: np.ndarray

    @property
    def right(self) -> np.ndarray:
        return ((self.scores > 0) == self.positive).astype(float)


def groups_of(n: int, largest: int, rng: np.random.Generator) -> np.ndarray:
    """Divide the two halves of n rows into groups of 1 to `largest`."""
    numbers, number = [], 0
    for _ in range(2):
        rest = n // 2
        while rest:
            size = min(rest, int(rng.integers(1, largest + 1)))
            numbers += [number] * size
            rest, number = rest - size, number + 1
    return np.array(numbers)


def rows(sets: int, groups: np.ndarray, columns: int, alike: float, rng: np.random.Generator) -> np.ndarray:
    """Draw normal numbers (sets x n x columns) of which rows of a group share a part."""
    shared = rng.normal(size=(sets, groups.max() + 1, columns))[:, groups]
    return np.sqrt(alike) * shared + np.sqrt(1 - alike) * rng.normal(size=(sets, len(groups), columns))


def judged(sets: int, n: int, apart: float, *, largest: int = 1, alike: float = 0.0, seed: int = 0) -> World:
    """A model that does not change judges test sets; the class means of its scores are `apart` standard deviations."""
    rng = np.random.default_rng(seed)
    groups, positive = groups_of(n, largest, rng), np.arange(n) >= n // 2
    scores = rows(sets, groups, 1, alike, rng)[..., 0] + np.where(positive, apart / 2, -apart / 2)
    truth = np.ones(sets)
    return World(
        scores[:, None], np.zeros((sets, 1, n), dtype=int), positive, groups,
        norm.cdf(apart / 2) * truth, norm.cdf(apart / np.sqrt(2)) * truth,
    )  # fmt: skip


def crossvalidated(
    sets: int, n: int, columns: int, apart: float, *, ridge: float | None = None, folds: int = 5, repeats: int = 1,
    largest: int = 1, alike: float = 0.0, seed: int = 0,
) -> World:  # fmt: skip
    """Linear discriminants (nearest mean without `ridge`) are trained on four folds and judge the fifth.

    The truth is the mean over the trained models of what each is worth on the whole population.
    """
    rng = np.random.default_rng(seed)
    groups, positive = groups_of(n, largest, rng), np.arange(n) >= n // 2
    means = np.zeros(columns)
    means[0] = apart / 2
    values = rows(sets, groups, columns, alike, rng) + np.where(positive, 1, -1)[:, None] * means
    scores, place = np.zeros((sets, repeats, n)), np.zeros((sets, repeats, n), dtype=int)
    accuracy, auc = np.zeros((2, sets, repeats, folds))
    border = groups[n // 2]
    for repeat in range(repeats):
        sides = (rng.permutation(border) % folds, rng.permutation(groups.max() + 1 - border) % folds)
        drawn = np.concatenate(sides)[groups]
        for fold in range(folds):
            held = drawn == fold
            weights, offset = discriminant(values[:, ~held], positive[~held], ridge)
            scores[:, repeat, held] = np.einsum("snc,sc->sn", values[:, held], weights) + offset[:, None]
            place[:, repeat, held] = fold
            accuracy[:, repeat, fold], auc[:, repeat, fold] = worth(weights, offset, means)
    return World(scores, place, positive, groups, accuracy.mean((1, 2)), auc.mean((1, 2)))


def discriminant(values: np.ndarray, positive: np.ndarray, ridge: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Train a linear rule on each of many sets (sets x n x columns)."""
    one, other = values[:, positive].mean(1), values[:, ~positive].mean(1)
    weights = one - other
    if ridge is not None:
        inner = values - np.where(positive[:, None], one[:, None], other[:, None])
        spread = np.swapaxes(inner, 1, 2) @ inner / len(positive) + ridge * np.eye(values.shape[2])
        weights = np.linalg.solve(spread, weights[..., None])[..., 0]
    return weights, -np.einsum("sc,sc->s", weights, (one + other) / 2)


def worth(weights: np.ndarray, offset: np.ndarray, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the true accuracy and AUC of linear rules where the classes lie at +means and -means."""
    length = np.linalg.norm(weights, axis=1)
    away = weights @ means / length
    accuracy = (norm.cdf(away + offset / length) + norm.cdf(away - offset / length)) / 2
    return accuracy, norm.cdf(np.sqrt(2) * away)


def covered(world: World, truth: np.ndarray, interval: Callable[[World, int], tuple[float, float]]) -> float:
    """Return the share of data sets whose interval holds the truth."""
    ends = np.array([interval(world, number) for number in range(len(truth))])
    return float(np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1])))
