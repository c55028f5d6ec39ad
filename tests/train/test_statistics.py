"""Do the intervals hold the truth as often as they say? Asked of a thousand drawn data sets each."""

from functools import partial

import numpy as np
import pytest
import simulated
from scipy.stats import binomtest

from imageledger.intervals import wilson
from train.evaluation import statistics
from train.evaluation.calibration_error import calibration_error

CORRECTED = statistics.correction(1, 4)


def alone(n):
    return np.arange(n)


def ends(estimate):
    return estimate.low, estimate.high


def accuracy(world, number, stretch=1.0):
    return ends(statistics.share(world.right[number], world.groups, stretch))


def auc(world, number, stretch=1.0):
    return ends(statistics.auc(world.scores[number], world.positive, world.groups, world.folds[number], stretch))


def blind_to_groups(world, number):
    right = world.right[number].mean(axis=0)
    return wilson(right.sum(), len(right))


@pytest.fixture(scope="module")
def one_split():
    return simulated.judged(1000, 100, 2.0, largest=3, alike=0.7, seed=3)


@pytest.fixture(scope="module")
def folds():
    return simulated.crossvalidated(1000, 200, 30, 2.5, ridge=0.1, largest=3, alike=0.5, seed=2)


@pytest.mark.parametrize("figure", [accuracy, auc])
def test_the_interval_of_one_split_holds_the_truth_in_93_to_97_of_100_data_sets(one_split, figure):
    truth = {accuracy: one_split.accuracy, auc: one_split.auc}[figure]
    assert 0.93 <= simulated.covered(one_split, truth, figure) <= 0.97


@pytest.mark.long
@pytest.mark.parametrize("figure", [accuracy, auc])
def test_the_interval_of_folds_holds_what_their_models_are_worth_in_93_to_97_of_100_data_sets(folds, figure):
    truth = {accuracy: folds.accuracy, auc: folds.auc}[figure]
    assert 0.93 <= simulated.covered(folds, truth, partial(figure, stretch=CORRECTED)) <= 0.97


def test_the_interval_of_repeated_folds_holds_the_truth_in_93_to_97_of_100_data_sets():
    world = simulated.crossvalidated(1000, 100, 20, 2.5, ridge=0.1, repeats=3, seed=4)
    assert 0.93 <= simulated.covered(world, world.accuracy, partial(accuracy, stretch=CORRECTED)) <= 0.97


@pytest.mark.long
def test_an_interval_that_is_blind_to_groups_or_to_shared_training_pictures_is_found_too_narrow(one_split, folds):
    assert simulated.covered(one_split, one_split.accuracy, blind_to_groups) < 0.93
    assert simulated.covered(folds, folds.accuracy, accuracy) < 0.93
    assert simulated.covered(folds, folds.accuracy, blind_to_groups) < 0.90


def test_more_repeats_narrow_the_interval_but_not_below_what_shared_training_pictures_leave():
    right = np.random.default_rng(0).random((400, 200)) < 0.8  # every repeat an independent opinion: the best case
    found = [statistics.share(right[:repeats] * 1.0, alone(200), CORRECTED) for repeats in (1, 5, 400)]
    widths = [one.high - one.low for one in found]
    assert widths[0] > widths[1] > widths[2] > 0.4 * widths[0]


def test_single_pictures_give_nearly_wilsons_interval():
    right = np.repeat([[1.0, 0.0]], [180, 20], axis=1)
    assert ends(statistics.share(right, alone(200))) == pytest.approx(wilson(180, 200), abs=0.003)


def test_all_right_does_not_mean_certain_and_copies_do_not_help():
    right = np.ones((1, 40))
    low, high = ends(statistics.share(right, alone(40)))
    assert (low, high) == (pytest.approx(0.908, abs=0.01), pytest.approx(1))
    assert statistics.share(right, alone(40) // 4).low < wilson(10, 10)[0] + 0.001
    zero = statistics.share(0 * right, alone(40))
    assert (zero.low, zero.high) == (pytest.approx(0), pytest.approx(1 - low))


def test_perfectly_parted_classes_leave_the_auc_an_interval_too():
    positive, scores = alone(40) >= 20, alone(40)[None] * 1.0
    found = statistics.auc(scores, positive, alone(40), np.zeros((1, 40), dtype=int))
    assert found.value == found.high == pytest.approx(1)
    assert 0.8 < found.low < 0.95
    wrong = statistics.auc(-scores, positive, alone(40), np.zeros((1, 40), dtype=int))
    assert (wrong.low, wrong.high) == (pytest.approx(0, abs=1e-6), pytest.approx(1 - found.low))


def test_scores_of_different_folds_are_not_compared():
    positive, folds = alone(40) % 2 == 1, alone(40) // 20
    scores = positive + np.where(folds == 1, -10, 0) + 0.0  # the second model's scale lies elsewhere
    assert statistics.auc(scores[None], positive, alone(40), folds[None]).value == 1
    with pytest.raises(ValueError, match="both classes"):
        statistics.auc(scores[None], positive, alone(40), positive[None] * 1)


def test_balanced_accuracy_lies_between_the_recalls_with_an_interval_of_its_own():
    one, other = (statistics.share(np.repeat([[1.0, 0.0]], [hits, 50 - hits], axis=1), alone(50)) for hits in (50, 30))
    found = statistics.balanced(one, other)
    assert found.value == pytest.approx(0.8)
    assert other.low < found.low < found.value < found.high < 1


def test_the_mean_of_errors_has_an_interval_above_zero():
    errors = np.random.default_rng(1).random((1, 100)) ** 4
    found = statistics.mean_error(errors, alone(100))
    assert 0 < found.low < found.value < found.high < 0.5
    assert statistics.mean_error(0 * errors, alone(100)).high > 0.01


def test_so_many_negatives_are_needed_for_a_false_positive_rate():
    assert [statistics.needed_negatives(rate) for rate in (0.1, 0.05, 0.01)] == [29, 59, 299]
    for rate in (0.1, 0.05, 0.01):
        needed = statistics.needed_negatives(rate)
        assert (statistics.allowed_alarms(needed - 1, rate), statistics.allowed_alarms(needed, rate)) == (-1, 0)


def test_allowed_false_alarms_are_those_of_the_exact_upper_bound():
    for n in (60, 100, 250):
        allowed = statistics.allowed_alarms(n, 0.1)
        upper = [binomtest(alarms, n).proportion_ci(0.9, "exact").high for alarms in (allowed, allowed + 1)]
        assert upper[0] <= 0.1 < upper[1]


def test_a_threshold_with_the_allowed_false_alarms_keeps_the_rate_in_95_of_100_samples():
    rng, n = np.random.default_rng(6), 100
    allowed = statistics.allowed_alarms(n, 0.1)
    thresholds = np.sort(rng.random((4000, n)), axis=1)[:, n - 1 - allowed]  # the true rate above t is 1 - t
    assert 0.95 <= np.mean(1 - thresholds <= 0.1) < 0.99
    assert np.mean(1 - np.sort(rng.random((4000, n)), axis=1)[:, n - 11] <= 0.1) < 0.7  # the usual choice


def test_flipping_signs_is_mcnemars_exact_test_where_pictures_stand_alone():
    for only_one, only_other in ((2, 9), (0, 6), (5, 5), (0, 0)):
        apart = np.array([1] * only_one + [-1] * only_other + [0] * 30)
        exact = binomtest(only_one, only_one + only_other).pvalue if only_one + only_other else 1.0
        assert statistics.sign_flip(apart, alone(len(apart))) == pytest.approx(exact)


def test_copies_of_a_picture_do_not_make_a_difference_more_certain():
    apart = np.array([1] * 12)
    assert statistics.sign_flip(apart, alone(12)) < 0.001
    assert statistics.sign_flip(apart, alone(12) // 4) == pytest.approx(0.25)


@pytest.mark.long
def test_a_difference_is_held_by_its_interval_in_93_to_97_of_100_data_sets():
    one = simulated.judged(1000, 200, 2.0, largest=2, alike=0.6, seed=8)
    noise = np.random.default_rng(9).normal(size=one.scores.shape)
    shift = np.where(one.positive, 0.5, -0.5)
    scores = 0.8 * (one.scores - 2 * shift) + 0.6 * noise + 2.6 * shift  # better, and right on much the same pictures
    better = ((scores > 0) == one.positive).astype(float)
    truth = simulated.norm.cdf(1.3) - one.accuracy
    apart = better[:, 0] - one.right[:, 0]
    held = [statistics.difference(row[None], one.groups, seed=number)[0] for number, row in enumerate(apart)]
    inside = np.mean([found.low <= truth[0] <= found.high for found in held])
    assert 0.93 <= inside <= 0.97


def test_whole_groups_are_drawn_again():
    groups = np.array([0, 0, 0, 1, 2, 2])
    drawn = np.array(list(statistics.drawn_again(groups, 0, 50)))
    assert drawn.shape == (50, 6)
    assert (drawn[:, [0, 3, 4]].sum(axis=1) == 3).all()
    assert (drawn[:, 0] == drawn[:, 2]).all()


def test_two_models_that_agree_on_forty_pictures_are_not_shown_to_be_equal():
    found, error = statistics.difference(np.zeros((1, 40)), alone(40))
    assert found.value == 0
    assert found.low < -0.04 < 0.04 < found.high
    assert error > 0.02


def test_repeats_make_a_difference_surer_by_as_much_as_they_differ():
    rng = np.random.default_rng(4)
    shared, own = rng.normal(size=200), rng.normal(size=(4, 200))

    def reach(rounds, stretch):
        return statistics.difference(rounds, alone(200), stretch)[1]

    same, apart = np.tile(shared + own[0], (4, 1)), shared + own
    assert reach(same, 1.25) == pytest.approx(reach(same[:1], 1.25))
    assert reach(apart, 1.0) == pytest.approx(np.sqrt(1.25 / 2) * reach(same, 1.0), rel=0.1)
    assert reach(apart, 1.25) == pytest.approx(np.sqrt((1.25 + 0.25 * 2) / (1.25 * 2)) * reach(same, 1.25), rel=0.1)


@pytest.mark.long
def test_a_calibrated_model_lies_in_its_band_and_an_overconfident_one_above_it():
    inside, above = 0, 0
    for number in range(40):
        rng = np.random.default_rng(number)
        positive = alone(200) >= 100
        scores = rng.normal(size=200) + np.where(positive, 1, -1)
        calibrated, sure = (1 / (1 + np.exp(-times * scores)) for times in (2, 8))  # 2 is the truth
        found = calibration_error(calibrated, positive, alone(200), seed=number)
        inside += found.error.value <= found.band[1] and found.error.low == 0
        found = calibration_error(sure, positive, alone(200), seed=number)
        above += found.error.value > found.band[1] and found.error.low > 0
    assert inside >= 36
    assert above >= 36


@pytest.mark.long
def test_the_interval_of_the_calibration_error_holds_the_truth_inside_the_band_and_above_it():
    rng = np.random.default_rng(0)
    for times in (3, 4, 6):  # 2 is the truth
        positive = np.arange(200_000) >= 100_000
        scores = rng.normal(size=200_000) + np.where(positive, 1, -1)
        sure, true = (1 / (1 + np.exp(-factor * scores)) for factor in (times, 2))
        place = np.searchsorted(np.quantile(sure, (0.2, 0.4, 0.6, 0.8)), sure, side="right")
        error = np.abs(np.bincount(place, weights=sure - true)).sum() / len(sure)
        held = 0
        for number in range(50):
            drawn = np.concatenate([rng.choice(100_000, 60) + side for side in (0, 100_000)])
            found = calibration_error(sure[drawn], positive[drawn], alone(120), seed=number).error
            held += found.low <= error <= found.high and found.low <= found.value <= found.high
        assert held >= 45, times


def test_the_band_widens_for_fewer_pictures_and_for_copies():
    shares = np.random.default_rng(0).random(200)
    positive = np.random.default_rng(1).random(200) < shares
    many, few = (calibration_error(shares[:n], positive[:n], alone(n)).band[1] for n in (200, 40))
    copies = calibration_error(np.repeat(shares[:50], 4), np.repeat(positive[:50], 4), alone(200) // 4).band[1]
    assert many < few
    assert many < copies
