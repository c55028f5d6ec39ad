"""A probe that stakes all on one number: what many others would drown is seen by it."""

from typing import Self

import numpy as np

from imageledger.types import Bools, Floats


class Single:
    """A linear discriminant (Fisher 1936) on the column that separates the classes best among the rows it learns from.

    Takes prepared columns (`curate.evidence.permuted.prepare`), n x k; has scikit-learn's `fit` and `predict_proba`.

    >>> table = np.array([[0.0, 5.0], [0.1, 1.0], [1.0, 4.0], [0.9, 2.0]])
    >>> Single().fit(table, np.array([False, False, True, True])).column
    0
    """

    column: int
    weight: float
    bias: float

    def fit(self, matrix: Floats, positive: Bools) -> Self:
        """Choose the column whose class means differ most, in units of its spread."""
        ones, zeros = matrix[positive], matrix[~positive]
        means = ones.mean(axis=0), zeros.mean(axis=0)
        self.column = int(np.argmax(np.abs(means[0] - means[1]) / (matrix.std(axis=0) + 1e-12)))
        high, low = (float(mean[self.column]) for mean in means)
        inside = [part[:, self.column].var() for part in (ones, zeros)]
        self.weight = (high - low) / max(float(np.average(inside, weights=(len(ones), len(zeros)))), 1e-3)
        self.bias = -self.weight * (high + low) / 2 + float(np.log(len(ones) / len(zeros)))
        return self

    def predict_proba(self, matrix: Floats) -> Floats:
        """Return the share of either class (n x 2, 0..1)."""
        share = 1 / (1 + np.exp(-np.clip(self.weight * matrix[:, self.column] + self.bias, -30, 30)))
        return np.stack([1 - share, share], axis=1)
