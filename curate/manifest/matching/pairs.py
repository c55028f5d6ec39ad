"""Pair pictures of two classes that are alike: a caliper, and an assignment that is optimal as a whole."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from imageledger.types import Floats

CALIPER = 0.2
"""Pairs should not lie further apart than this share of the standard deviation of the logit of the propensity
(Austin, 2011; Rosenbaum and Rubin, 1985)."""

Pairs = list[tuple[int, int]]


def caliper(logits: Floats, positive: NDArray[np.bool_]) -> float:
    """Return how far apart the logits of a pair may lie."""
    variance = (logits[positive].var() + logits[~positive].var()) / 2
    return float(CALIPER * np.sqrt(variance))


def costs(apart: Floats, logits: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Return what each pair costs, negatives x positives: its distance, and dearly what exceeds the caliper.

    Mahalanobis distance within propensity calipers (Rosenbaum and Rubin, 1985), the caliper as a penalty, so that
    the wanted number of pairs can always be had.
    """
    gap = np.abs(logits[~positive][:, None] - logits[positive][None, :])
    width = max(caliper(logits, positive), 1e-6)
    between = apart[np.ix_(~positive, positive)]
    penalty = between.max(initial=1.0) * np.maximum(gap / width - 1, 0)
    return np.round(between + penalty, 6)


def assign(cost: Floats, count: int) -> Pairs:
    """Return the `count` pairs (row, column) of least total cost, each row and column used at most once.

    Solved exactly: dummy rows and columns without cost take up what is left over (Jonker and Volgenant, 1987).
    """
    rows, columns = cost.shape
    whole = np.zeros((rows + columns - count, rows + columns - count))
    whole[:rows, :columns] = cost
    whole[rows:, columns:] = cost.sum() + 1
    taken = zip(*linear_sum_assignment(whole), strict=True)
    return [(int(row), int(column)) for row, column in taken if row < rows and column < columns]
