"""CLEAN is a claim that must be earned; and what no verdict may be built on is said."""

import numpy as np
import pytest
from probed_world import EACH, alone, labels, made, noise, permutation_test, probed

from curate.evidence.verdict import CLEAN, INCONCLUSIVE, SHORTCUT, Strongest, judged
from imageledger.errors import LedgerError

NEAR = {"low": 0.45, "auc": 0.5, "high": 0.55, "p": 0.6}
"""A probe that is CLEAN unless something else speaks against it."""


def strongest(high):
    return Strongest(feature="c0", auc=high - 0.04, low=high - 0.08, high=high, medians=(0.0, 1.0))


@pytest.mark.parametrize(("changes", "verdict"), [
    ({}, CLEAN),
    ({"p": 0.04}, INCONCLUSIVE),
    ({"low": 0.39}, INCONCLUSIVE),
    ({"low": 0.21, "auc": 0.30, "high": 0.39}, INCONCLUSIVE),
    ({"measured": 0.94}, INCONCLUSIVE),
    ({"measured": 0.95}, CLEAN),
    ({"strongest": strongest(0.59)}, CLEAN),
    ({"strongest": strongest(0.60)}, INCONCLUSIVE),
    ({"strongest": strongest(0.59), "detectable": None}, INCONCLUSIVE),  # nothing would have been found
])  # fmt: skip
def test_a_family_is_clean_only_when_everything_lies_near_chance_and_nearly_all_pictures_were_measured(
    changes, verdict
):
    assert judged(made(**{**NEAR, **changes}), labels()).verdict == verdict


def test_nothing_is_needed_where_more_pictures_would_not_decide():
    assert judged(made(**{**NEAR, "p": 0.04}), labels()).needed == (0, 0)


def test_more_pictures_are_needed_until_the_strongest_feature_lies_near_chance_too():
    plain, _ = judged(made(low=0.42, auc=0.5, high=0.62), labels()).needed
    fewest, _ = judged(made(low=0.42, auc=0.5, high=0.62, strongest=strongest(0.76)), labels()).needed
    assert fewest == pytest.approx(EACH * (0.26 / 0.1) ** 2, abs=2)
    assert fewest > plain > EACH


def test_an_auc_below_chance_for_certain_is_known_as_such():
    assert made(low=0.21, auc=0.30, high=0.39).below_chance
    assert not made(low=0.30, auc=0.40, high=0.47).below_chance


def crossed(seed):
    """Two numbers that say nothing alone: in one class they have the same sign, in the other the opposite."""
    values = noise(seed, columns=2)
    signs = np.sign(values[:, 0] * values[:, 1])
    values[:, 1] *= signs * np.where(labels(), 1, -1)
    return values


@pytest.mark.parametrize("seed", [1, 2])
def test_two_numbers_that_separate_only_together_are_a_shortcut(seed):
    (result, _) = probed(crossed(seed))
    assert (result.verdict, result.model) == (SHORTCUT, "trees")
    assert result.strongest.auc < 0.65


def twins(shift):
    """Sixty pictures and their twins, which differ by little; the second of each pair is shifted in one number."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=(60, 3))
    second = first + rng.normal(0, 0.1, size=(60, 3)) + [shift, 0, 0]
    return np.concatenate([first, second]), np.arange(120) >= 60, [str(row % 60) for row in range(120)]


def test_labels_are_exchanged_within_a_pair_so_that_a_difference_of_twins_shows():
    values, positive, pairs = twins(0.25)
    assert permutation_test(values, positive, pairs, permutations=300).p < 1 / 300
    assert permutation_test(values, positive, alone(120), permutations=300).p > 0.2
    values, positive, pairs = twins(0.0)
    assert permutation_test(values, positive, pairs, permutations=300).p > 0.05


def test_groups_that_leave_nothing_to_exchange_are_refused():
    positive = np.arange(20) >= 10
    with pytest.raises(LedgerError, match="nothing to exchange"):
        permutation_test(noise(1, rows=20), positive, ["a" if side else "b" for side in positive], permutations=100)


def test_near_the_limit_more_permutations_are_drawn_than_were_asked_for():
    values = np.random.default_rng(30).normal(size=(60, 3))
    values[:, 0] += 0.75 * labels(30)
    p = permutation_test(values, labels(30), alone(60), permutations=100).p
    assert 0 < p < 1 / 101, "a hundred permutations cannot give so small a p-value"
