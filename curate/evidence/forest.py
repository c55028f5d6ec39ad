"""Extremely randomised trees on small tables: scikit-learn's, without the time it spends between two trees."""

from typing import Self

import numpy as np

from imageledger.types import Bools, Floats


class Forest:
    """The trees of scikit-learn's ExtraTreesRegressor on labels of 0 and 1 (Geurts et al. 2006), to the last bit.

    For two classes, the squared error splits as Gini's impurity does, but for ties. On a few hundred rows,
    scikit-learn's forests spend most of the time on checks of settings and labels, anew for every tree, and half of
    the rest on making a generator for each: here all trees share a generator that is seeded again.
    """

    def __init__(self, trees: int, leaf: int, seed: int) -> None:
        self.trees, self.leaf, self.seed = trees, leaf, seed

    def fit(self, values: Floats, positive: Bools) -> Self:
        """Grow the trees on rows of finite numbers (n x k) and their labels (n)."""
        from sklearn import config_context
        from sklearn.tree import ExtraTreeRegressor

        rows, labels = values.astype(np.float32), positive.astype(np.float64)[:, None]
        shared = np.random.RandomState(self.seed)
        self.grown = []
        with config_context(skip_parameter_validation=True, assume_finite=True):
            for seed in shared.randint(np.iinfo(np.int32).max, size=self.trees):
                shared.seed(seed)
                tree = ExtraTreeRegressor(max_features="sqrt", min_samples_leaf=self.leaf, random_state=shared)
                self.grown.append(tree.fit(rows, labels, check_input=False))
        return self

    def predict_proba(self, values: Floats) -> Floats:
        """Return the shares of either label (n x 2, 0..1) that the trees give rows, as classifiers do."""
        rows = values.astype(np.float32)
        share = np.mean([tree.predict(rows, check_input=False) for tree in self.grown], axis=0)
        return np.stack([1 - share, share], axis=1)
