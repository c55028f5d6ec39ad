"""What choosing among models does to the figure that is reported: nothing, if other pictures chose."""

import numpy as np
import pytest
import simulated

SETS, CANDIDATES, VALID = 400, 20, 40


@pytest.fixture(scope="module")
def candidates():
    """Models on random halves of the columns (sets x candidates): right on pictures that choose and that judge, truth.

    Each is trained on 100 pictures; 40 more are the inner split, 40 more the validation split.
    """
    rng = np.random.default_rng(1)
    groups, positive = np.arange(180), np.arange(180) % 2 == 1
    means = np.full(40, 0.16)
    values = simulated.rows(SETS, groups, 40, 0.0, rng) + np.where(positive, 1, -1)[:, None] * means
    inner, valid, truth = np.zeros((3, SETS, CANDIDATES))
    for number in range(CANDIDATES):
        used = rng.permutation(40)[:20]
        weights, offset = simulated.discriminant(values[:, :100][..., used], positive[:100], 0.1)
        right = (np.einsum("snc,sc->sn", values[..., used], weights) + offset[:, None] > 0) == positive
        inner[:, number], valid[:, number] = right[:, 100:140].mean(1), right[:, 140:].mean(1)
        truth[:, number] = simulated.worth(weights, offset, means[used])[0]
    return inner, valid, truth


def excess(chosen_by, reported_on, truth):
    best = chosen_by.argmax(axis=1)
    rows = np.arange(len(best))
    return 100 * (reported_on[rows, best] - truth[rows, best]).mean()


def test_a_model_that_an_inner_split_chose_is_reported_within_a_point_of_the_truth(candidates):
    inner, valid, truth = candidates
    assert abs(excess(inner, valid, truth)) < 1


def test_choosing_the_best_on_the_validation_split_inflates_what_is_reported(candidates):
    _, valid, truth = candidates
    assert excess(valid, valid, truth) > 4
