"""A probe of one number finds it among hundreds, where a line on all of them is lost."""

import numpy as np
import pytest
from probed_world import alone, labels, noise

from curate.evidence.permuted import auc, folds_of, prepare
from curate.evidence.probe import crossvalidated
from curate.evidence.single import Single


def test_one_of_384_numbers_is_found_where_a_line_on_all_is_lost():
    positive, values = labels(200), noise(3, columns=384, rows=400)
    values[positive, 200] += 1.0
    matrix, _ = prepare(values)
    scores = crossvalidated(matrix, positive, folds_of(positive, alone(400), 0), 0)
    areas = {name: float(auc(each[:, None], positive[:, None])[0]) for name, each in scores.items()}
    assert areas["single"] > 0.70 > areas["linear"] + 0.03


def test_it_takes_the_column_that_separates_best_and_gives_shares():
    positive, values = labels(30), noise(1, columns=4, rows=60)
    values[positive, 2] -= 2
    model = Single().fit(values, positive)
    shares = model.predict_proba(values)
    assert model.column == 2
    assert shares.sum(axis=1) == pytest.approx(np.ones(60))
    assert shares[positive, 1].mean() > 0.7 > 0.3 > shares[~positive, 1].mean()


def test_a_column_that_separates_perfectly_gives_finite_shares():
    positive = labels(30)
    shares = Single().fit(np.where(positive, 1.0, 0.0)[:, None], positive).predict_proba(np.array([[0.0], [1.0]]))
    assert np.isfinite(np.log(shares)).all()
    assert shares[0, 1] < 0.01 < 0.99 < shares[1, 1]
