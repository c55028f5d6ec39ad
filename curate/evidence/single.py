"""A probe that stakes all on one number: what many others would drown is seen by it."""

from typing import Any, Self

import numpy as np

from imageledger.types import Bools, Floats


class Single:
    """Logistic regression on the column that separates the classes best among the rows that it learns from.

    Takes prepared columns (`curate.evidence.permuted.prepare`), n x k; has scikit-learn's `fit` and `predict_proba`.
    """

    column: int
    model: Any

    def fit(self, matrix: Floats, positive: Bools) -> Self:
        """Choose the column whose class means differ most, in units of its spread."""
        from sklearn.linear_model import LogisticRegression

        apart = np.abs(matrix[positive].mean(axis=0) - matrix[~positive].mean(axis=0))
        self.column = int(np.argmax(apart / (matrix.std(axis=0) + 1e-12)))
        self.model = LogisticRegression().fit(matrix[:, [self.column]], positive)
        return self

    def predict_proba(self, matrix: Floats) -> Floats:
        """Return the share of either class (n x 2, 0..1)."""
        return np.asarray(self.model.predict_proba(matrix[:, [self.column]]))
