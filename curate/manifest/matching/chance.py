"""Tell when classes are no more alike than chance would have them: cheap cross-validated probes to stop at."""

import numpy as np
from numpy.typing import NDArray

from curate.manifest.matching.scale import Scaled
from imageledger.types import Floats

FOLDS = 5
REPEATS = 4

JOINTLY, ALONE = 0.5, 1.0
"""Classes are as alike as chance has them when the AUC of a probe of all columns exceeds 0.5 by no more than the one,
and that of each family by no more than the other, in standard deviations of an AUC under chance."""


def folds(positive: NDArray[np.bool_], groups: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Deal groups out to folds, groups whole and classes even, in an order drawn from the seed."""
    numbers = np.zeros(len(groups), dtype=np.int64)
    held = np.zeros((FOLDS, 2))
    names, place = np.unique(groups, return_inverse=True)
    sizes = np.stack([np.bincount(place, ~positive), np.bincount(place, positive)], axis=1)
    dealt = np.zeros(len(names), dtype=np.int64)
    for name in np.random.default_rng(seed).permutation(len(names)):
        dealt[name] = np.argmin(held @ sizes[name])
        held[dealt[name]] += sizes[name]
    numbers[:] = dealt[place]
    return numbers


def at_chance(
    scaled: Scaled, chosen: NDArray[np.bool_], positive: NDArray[np.bool_], groups: NDArray[np.int64]
) -> bool:
    """Tell whether no probe, linear or not, finds more between the chosen classes than chance puts there."""
    labels, own = positive[chosen], groups[chosen]
    noise = _noise(chosen)
    if separation(scaled.matrix[chosen], labels, own) > 0.5 + JOINTLY * noise:
        return False
    families = dict.fromkeys(scaled.families)
    return all(separation(scaled.of(name)[chosen], labels, own) <= 0.5 + ALONE * noise for name in families)


def separation(matrix: Floats, positive: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    """Return the cross-validated AUC of the better of two probes: kernel ridge regression, linear and Laplacian."""
    spread = matrix.std(axis=0)
    standard = (matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1)
    linear = standard @ standard.T / max(matrix.shape[1], 1)
    squares = np.diag(linear)
    apart = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * linear, 0))
    curved = np.exp(-apart / max(float(np.median(apart)), 1e-9))
    return max(_auc(kernel, penalty, positive, groups) for kernel, penalty in ((linear, 1.0), (curved, 0.1)))


def _noise(chosen: NDArray[np.bool_]) -> float:
    """Return the standard deviation of an AUC of classes that do not differ (Mann and Whitney, 1947)."""
    count = chosen.sum() / 2
    return float(np.sqrt((2 * count + 1) / (12 * count**2)))


def _auc(kernel: Floats, penalty: float, positive: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    from scipy.stats import rankdata

    scores = np.zeros(len(kernel))
    for repeat in range(REPEATS):
        dealt = folds(positive, groups, repeat)
        for fold in range(FOLDS):
            out = dealt == fold
            rest = ~out
            if out.any() and rest.any():
                known = kernel[np.ix_(rest, rest)]
                wanted = positive[rest] - positive[rest].mean()
                weights = np.linalg.solve(known + penalty * np.eye(len(known)), wanted)
                scores[out] += kernel[np.ix_(out, rest)] @ weights
    ranks = rankdata(np.round(scores, 9))
    ones = int(positive.sum())
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * (len(positive) - ones)))
