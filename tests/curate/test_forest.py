"""The forest of the probe: scikit-learn's own, tree by tree."""

import numpy as np
import pytest

from curate.evidence.forest import Forest


@pytest.mark.parametrize("seed", [0, 42])
def test_it_predicts_to_the_last_bit_what_scikit_learn_predicts(seed):
    from sklearn.ensemble import ExtraTreesRegressor

    rng = np.random.default_rng(seed)
    values, labels = rng.normal(size=(80, 30)), rng.random(80) > 0.5
    theirs = ExtraTreesRegressor(20, max_features="sqrt", min_samples_leaf=3, random_state=seed).fit(values, labels)
    ours = Forest(20, 3, seed).fit(values, labels).predict_proba(values + 0.3)
    assert (ours[:, 1] == theirs.predict(values + 0.3)).all()
    assert ours.sum(axis=1) == pytest.approx(1)
    assert (Forest(20, 3, seed + 1).fit(values, labels).predict_proba(values + 0.3) != ours).any()


def test_it_ranks_as_a_forest_of_classifiers_does():
    from sklearn.ensemble import ExtraTreesClassifier

    rng = np.random.default_rng(1)
    labels = rng.random(200) > 0.5
    values = rng.normal(size=(200, 30)) + 0.5 * labels[:, None]
    theirs = ExtraTreesClassifier(60, min_samples_leaf=3, random_state=1).fit(values[:100], labels[:100])
    ours = Forest(60, 3, 1).fit(values[:100], labels[:100])
    shares = [forest.predict_proba(values[100:])[:, 1] for forest in (theirs, ours)]
    assert np.corrcoef(shares)[0, 1] > 0.97
