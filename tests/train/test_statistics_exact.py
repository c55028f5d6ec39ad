"""Do the intervals equal what the published formulas give, where those can be written down by hand?"""

import numpy as np
import pytest
from scipy.stats import t as student

from imageledger.intervals import wilson
from train.evaluation import statistics
from train.evaluation.statistics import Estimate


def alone(n):
    return np.arange(n)


def few(groups):
    """By how much a t quantile with (groups - 1) degrees of freedom widens a variance."""
    return (student.ppf(0.975, groups - 1) / statistics.NORMAL) ** 2


def hits(*counts, n=50):
    """One round for each count: so many pictures right, in an order of its own."""
    rng = np.random.default_rng(0)
    return np.array([rng.permutation([1.0] * count + [0.0] * (n - count)) for count in counts])


def wilson_of(share, n, effect):
    return wilson(share * n / effect, n / effect, 0.95)


def by_pictures(rounds):
    """The mean variance of one round and the variance of the mean of the rounds, each round about its own mean."""
    centred = rounds - rounds.mean(axis=1, keepdims=True)
    return centred.var(axis=1, ddof=1).mean(), centred.mean(axis=0).var(ddof=1)


def test_the_variance_grows_by_the_pictures_held_out_for_each_that_was_trained_on():
    assert statistics.correction(20, 80) == 1.25
    assert statistics.correction(50, 50) == 2


def test_a_share_of_single_pictures_has_wilsons_interval_with_a_t_quantile():
    found = statistics.share(hits(40), alone(50))
    assert (found.low, found.high) == pytest.approx(wilson_of(0.8, 50, 50 / 49 * few(50)))


def test_rounds_that_differ_in_level_are_each_taken_about_their_own_mean():
    rounds = hits(45, 25)
    one, mean = by_pictures(rounds)
    effect = (50 / 49) * (mean / one + 0.25) * few(50)
    found = statistics.share(rounds, alone(50), 1.25)
    assert found.value == pytest.approx(0.7)
    assert (found.low, found.high) == pytest.approx(wilson_of(0.7, 50, effect))


def test_a_group_that_weighs_more_than_all_others_costs_at_most_twice_what_agreement_would():
    right = np.array([[0.0] * 20 + [1.0] * 80])
    groups = np.concatenate([np.zeros(20, dtype=int), np.arange(1, 81)])
    found = statistics.share(right, groups)
    assert (found.low, found.high) == pytest.approx(wilson_of(0.8, 100, 2 * (20**2 + 80) / 100 * few(81)))


def test_groups_whose_pictures_all_agree_count_as_one_picture_each():
    right = np.repeat(hits(15, n=20), 4, axis=1)
    found = statistics.share(right, np.repeat(alone(20), 4))
    assert (found.low, found.high) == pytest.approx(wilson_of(0.75, 80, 4 * 20 / 19 * few(20)))


def test_balanced_accuracy_squares_and_adds_the_reaches_of_both_recalls():
    found = statistics.balanced(Estimate(0.9, 0.8, 0.95), Estimate(0.7, 0.58, 0.78))
    assert found.value == pytest.approx(0.8)
    assert found.low == pytest.approx(0.8 - np.hypot(0.1, 0.12) / 2)
    assert found.high == pytest.approx(0.8 + np.hypot(0.05, 0.08) / 2)


def sd_of_auc(area, ones, zeros):
    """Hanley and McNeil's formula, with both sizes at their mean as in Newcombe's method 5."""
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    size = (ones + zeros) / 2 - 1
    spread = area * (1 - area) + size * (first - area**2) + size * (second - area**2)
    return np.sqrt(spread / (ones * zeros))


def test_both_ends_of_an_auc_solve_newcombes_equation():
    scores = np.concatenate([np.arange(30) / 30 + 0.302, np.arange(20) / 20])[None]  # evenly spread: no larger variance
    positive = alone(50) < 30
    found = statistics.auc(scores, positive, alone(50), np.zeros((1, 50), dtype=int))
    area = np.mean([one > other for one in scores[0, :30] for other in scores[0, 30:]])
    assert found.value == pytest.approx(area)
    for end in (found.low, found.high):
        assert abs(area - end) == pytest.approx(student.ppf(0.975, 49) * sd_of_auc(end, 30, 20), rel=1e-6)
    assert found.low < area < found.high


def test_a_fold_of_one_class_leaves_the_others_as_they_are():
    rng = np.random.default_rng(2)
    scores, positive = rng.normal(size=60), alone(60) % 3 == 0
    folds = np.where(alone(60) < 40, 1 + alone(60) % 2, 3 * ~positive)  # 0 and 3 hold a single class each
    area, influence = statistics.placed(scores, positive, folds)
    inside = alone(60) < 40
    assert area == statistics.placed(scores[inside], positive[inside], folds[inside])[0]
    assert 0 < area < 1
    assert (influence[~inside] == 0).all()


def test_folds_count_by_their_pairs():
    positive = np.array([True, False, True, True, False, False])
    scores = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 1.0])  # right in a fold of one pair, wrong in one of four
    assert statistics.placed(scores, positive, np.array([0, 0, 1, 1, 1, 1]))[0] == pytest.approx(0.2)


def test_influences_of_pictures_on_an_auc_add_up_to_nothing_and_are_those_of_delong():
    rng = np.random.default_rng(3)
    scores, positive = rng.normal(size=40).round(1), alone(40) < 15
    area, influence = statistics.placed(scores, positive, np.zeros(40, dtype=int))
    one, other = scores[:15], scores[15:]
    wins = (one[:, None] > other) + 0.5 * (one[:, None] == other)
    assert area == pytest.approx(wins.mean())
    assert influence[:15] == pytest.approx((wins.mean(axis=1) - area) / 15)
    assert influence[15:] == pytest.approx((wins.mean(axis=0) - area) / 25)


def test_scores_without_their_folds_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        statistics.auc(np.zeros((2, 4)), alone(4) < 2, alone(4), np.zeros((1, 4), dtype=int))


def test_the_mean_of_errors_has_the_t_interval_of_its_logarithm():
    errors = np.random.default_rng(4).random((1, 30))
    value, error = errors.mean(), errors.std(ddof=1) / np.sqrt(30)
    for stretch in (1.0, 1.25):
        reach = student.ppf(0.975, 29) * error * np.sqrt(stretch) / value
        found = statistics.mean_error(errors, alone(30), stretch)
        assert (found.low, found.value, found.high) == pytest.approx(
            (value * np.exp(-reach), value, value * np.exp(reach))
        )


def test_rounds_of_errors_are_each_taken_about_their_own_mean():
    errors = np.random.default_rng(5).random((3, 30)) * np.array([[1.0], [2.0], [4.0]])
    one, mean = by_pictures(errors)
    reach = student.ppf(0.975, 29) * np.sqrt((mean + 0.25 * one) / 30) / errors.mean()
    assert statistics.mean_error(errors, alone(30), 1.25).high == pytest.approx(errors.mean() * np.exp(reach))


def test_two_errors_are_the_fewest_that_have_an_interval_and_it_is_wide():
    found = statistics.mean_error(np.array([[1.0, 3.0]]), alone(2))
    assert np.log(found.high / 2) == pytest.approx(student.ppf(0.975, 1) / 2)


def test_where_no_error_was_seen_the_interval_ends_where_that_of_no_wrong_answer_does():
    found = statistics.mean_error(np.zeros((1, 40)), alone(40))
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(wilson(0, 40 / few(40))[1])
    assert statistics.mean_error(np.zeros((1, 40)), alone(40), 1.25).high > found.high


def error_of_difference(rounds, stretch):
    """What the bootstrap over single pictures and one more for either side comes to when drawn without end."""
    one, mean = by_pictures(rounds)
    together = np.append(rounds.mean(axis=0), [1.0, -1.0])
    shared = (stretch - 1) * (one / mean if mean else 1)
    return together.std() / np.sqrt(len(together)) * np.sqrt((1 + shared) * few(rounds.shape[1]))


@pytest.mark.parametrize("pictures", [3, 10, 100])
@pytest.mark.parametrize("stretch", [1.0, 1.25])
def test_models_that_never_differ_leave_the_error_of_one_picture_for_either_side(pictures, stretch):
    none = np.zeros((2, pictures))
    found, error = statistics.difference(none, alone(pictures), stretch)
    assert error == pytest.approx(error_of_difference(none, stretch), rel=0.04)
    assert (found.low + found.high) / 2 == pytest.approx(0, abs=0.2 * found.high)


@pytest.mark.parametrize("scale", [1, 0.05])
def test_the_error_of_a_difference_goes_by_the_spread_of_each_round_about_its_own_mean(scale):
    rng = np.random.default_rng(6)
    rounds = scale * (rng.normal(size=60) + rng.normal(size=(3, 60)) + np.array([[0.0], [1.0], [3.0]]))
    for stretch in (1.0, 1.5):
        found, error = statistics.difference(rounds, alone(60), stretch)
        assert error == pytest.approx(error_of_difference(rounds, stretch), rel=0.04)
        assert found.value == pytest.approx(rounds.mean())
        assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.2)


def test_so_many_draws_are_made_as_were_asked_for_in_whatever_blocks_and_again_for_the_same_seed():
    def drawn(seed):
        return np.array([rows[:5] for rows in statistics.drawn_again(alone(1500), seed, 2000)])

    first = drawn(1)
    assert first.shape == (2000, 5)
    assert first.mean() == pytest.approx(1, abs=0.05)
    assert (first == drawn(1)).all()
    assert not (first == drawn(2)).all()
