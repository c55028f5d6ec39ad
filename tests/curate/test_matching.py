"""The parts of matching: scaling that sees no label, assignments that are optimal, swaps that go by scores."""

import inspect
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest

from curate.evidence.permuted import auc
from curate.manifest.matching import chance, discrepancies, pairs, scale, swaps
from curate.manifest.matching.scores import crossfitted


def test_scaling_sees_no_label():
    for function in (scale.normal_scores, scale.likeness, scale.distances):
        assert not {"positive", "label", "labels", "chosen"} & set(inspect.signature(function).parameters)


def test_normal_scores_make_units_and_outliers_irrelevant():
    plain = np.random.default_rng(0).normal(size=(50, 1))
    wild = np.exp(7 * plain)
    one, other = (scale.normal_scores({"tone": ["a"]}, {"tone": values}).matrix for values in (plain, wild))
    assert np.array_equal(one, other)
    assert abs(one.mean()) < 1e-6
    assert abs(one.std() - 1) < 1e-6


def test_a_number_that_does_not_apply_lies_in_the_middle_and_has_a_column_of_its_own():
    values = np.array([[1.0], [np.nan], [3.0], [np.inf], [5.0]])
    made = scale.normal_scores({"face": ["eye"]}, {"face": values})
    assert made.names == ("eye", "eye applies")
    assert made.matrix[[1, 3], 0].tolist() == [0, 0]
    assert np.ptp(made.matrix[[0, 2, 4], 1]) == 0


def test_columns_that_say_nothing_or_the_same_are_left_out():
    values = np.array([[1.0, 7.0, 2.0], [2.0, 7.0, 4.0], [3.0, 7.0, 6.0]])
    assert scale.normal_scores({"tone": ["a", "b", "c"]}, {"tone": values}).names == ("a",)


@pytest.mark.parametrize("seed", range(6))
def test_the_assignment_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    cost = rng.random((4, 5))
    for count in (1, 2, 3, 4):
        made = pairs.assign(cost, count)
        best = min(
            sum(cost[row, column] for row, column in zip(rows, columns, strict=True))
            for rows in combinations(range(4), count)
            for columns in permutations(range(5), count)
        )
        assert len(made) == count == len({row for row, _ in made}) == len({column for _, column in made})
        assert sum(cost[pair] for pair in made) == pytest.approx(best)


def test_the_greedy_pairs_are_not_taken_where_they_cost_more_in_all():
    assert sorted(pairs.assign(np.array([[1.0, 2.0], [2.0, 9.0]]), 2)) == [(0, 1), (1, 0)]


def test_a_pair_outside_the_caliper_costs_more_than_any_within():
    positive = np.array([False] * 20 + [True] * 20)
    logits = np.concatenate([np.linspace(-2, 1, 20), np.linspace(-1, 2, 20)])
    cost = pairs.costs(np.ones((40, 40)), logits, positive)
    gap = np.abs(logits[:20, None] - logits[None, 20:])
    width = pairs.caliper(logits, positive)
    assert cost[gap <= width].max() < cost[gap > 1.01 * width].min()


def test_folds_keep_groups_whole_and_classes_even():
    positive = np.arange(100) % 2 == 0
    groups = np.arange(100) // 2
    dealt = chance.folds(positive, groups, seed=3)
    assert all(len(set(dealt[groups == group])) == 1 for group in range(50))
    assert {int(np.sum(positive[dealt == fold])) for fold in range(chance.FOLDS)} == {10}


def grounds(shift, seed=0, count=100):
    """Candidates of two classes whose numbers differ by `shift`, as probes that have not seen them score them."""
    rng = np.random.default_rng(seed)
    positive = np.arange(2 * count) % 2 == 0
    matrix = rng.normal(size=(2 * count, 6))
    matrix[:, 0] += shift * positive
    scores = crossfitted({"tone": matrix}, positive, np.arange(2 * count))
    ground = swaps.Ground(scores=scores, positive=positive, sources=positive * 1, quotas=np.array([40.0, 40.0]))
    scaled = scale.normal_scores({"tone": list("abcdef")}, {"tone": matrix})
    return ground, scaled, np.arange(2 * count) < 80


def gap(ground, chosen):
    """By how many standard deviations the mean scores of the chosen classes differ."""
    sides = [ground.scores[chosen & side] for side in (ground.positive, ~ground.positive)]
    return (sides[0].mean(axis=0) - sides[1].mean(axis=0)) / np.sqrt((sides[0].var(axis=0) + sides[1].var(axis=0)) / 2)


def test_swaps_bring_the_mean_scores_of_the_classes_together_and_as_far_beyond_as_they_are_told():
    ground, _, start = grounds(1.0)
    assert gap(ground, start).min() > 0.6
    met = swaps.bring_together(ground, start, overshoot=0.0)
    assert np.abs(gap(ground, met)).max() < 0.05
    beyond = swaps.bring_together(ground, start, overshoot=0.5)
    assert gap(ground, beyond).max() < -0.3
    assert all(side[ground.positive].sum() == side[~ground.positive].sum() == 40 for side in (met, beyond))


def test_sources_give_as_before_where_it_costs_little():
    ground, _, start = grounds(0.6)
    uneven = replace(ground, sources=np.arange(200) % 4, quotas=np.full(4, 20.0))
    after = swaps.bring_together(uneven, start)
    assert np.abs(uneven.uneven(after)).max() <= 3


def test_a_candidate_is_scored_by_probes_that_have_not_seen_it():
    positive = np.arange(60) % 2 == 0
    noise = np.random.default_rng(0).normal(size=(60, 40))
    scores = crossfitted({"tone": noise}, positive, np.arange(60))
    assert scores.shape == (60, 2)
    assert all(0.25 < auc(scores[:, [kind]], positive[:, None])[0] < 0.75 for kind in (0, 1))  # 1.00 had it been seen
    assert not crossfitted({"tone": np.ones((60, 4))}, positive, np.arange(60)).any()


def levels(scaled, ground, chosen):
    kernels = discrepancies.discrepancies(scaled, chosen, ground.positive)
    return discrepancies.levels(kernels, chosen, ground.positive)


def test_the_measures_are_about_one_under_chance():
    found = []
    for seed in range(10):
        ground, scaled, chosen = grounds(0.0, seed)
        found.append(levels(scaled, ground, chosen))
    assert np.all(np.abs(np.mean(found, axis=0) - 1) < 0.3)


def test_classes_that_never_meet_are_not_called_alike():
    ground, scaled, start = grounds(30.0)
    after = swaps.bring_together(ground, start)
    assert not chance.at_chance(scaled, after, ground.positive, np.arange(200))
