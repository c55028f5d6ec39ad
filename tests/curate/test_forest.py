"""The forest of the probe: scikit-learn's own, tree by tree."""

import numpy as np
import pytest


@pytest.mark.parametrize("seed", [0, 42])
def test_it_predicts_to_the_last_bit_what_scikit_learn_predicts(seed):
    from sklearn.ensemble import ExtraTreesClassifier

    from curate.evidence.forest import Forest

    rng = np.random.default_rng(seed)
    values, labels = rng.normal(size=(80, 30)), rng.random(80) > 0.5
    ours, theirs = (
        kind(20, min_samples_leaf=3, random_state=seed).fit(values, labels) for kind in (Forest, ExtraTreesClassifier)
    )
    assert (ours.predict_proba(values + 0.3) == theirs.predict_proba(values + 0.3)).all()
    other = Forest(20, min_samples_leaf=3, random_state=seed + 1).fit(values, labels)
    assert (ours.predict_proba(values + 0.3) != other.predict_proba(values + 0.3)).any()


def test_its_trees_differ_from_each_other():
    from curate.evidence.forest import Forest

    rng = np.random.default_rng(0)
    forest = Forest(5, random_state=0).fit(rng.normal(size=(40, 10)), rng.random(40) > 0.5)
    assert len({tree.random_state for tree in forest.estimators_}) == 5
    assert len({tree.tree_.node_count for tree in forest.estimators_}) > 1
