"""The parts of matching: scaling that sees no label, assignments that are optimal, swaps that stop at chance."""

import inspect
from itertools import combinations, permutations

import numpy as np
import pytest

from curate.manifest.matching import chance, pairs, scale, swaps


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


def test_the_propensity_of_a_picture_is_told_by_others_alone():
    rng = np.random.default_rng(0)
    matrix, positive = rng.normal(size=(80, 60)), np.arange(80) % 2 == 0
    logits = pairs.propensity(matrix, positive, np.arange(80))
    assert logits[positive].mean() - logits[~positive].mean() < 0.5  # in its own sample it would be far more


def test_folds_keep_groups_whole_and_classes_even():
    positive = np.arange(100) % 2 == 0
    groups = np.arange(100) // 2
    dealt = chance.folds(positive, groups, seed=3)
    assert all(len(set(dealt[groups == group])) == 1 for group in range(50))
    assert {int(np.sum(positive[dealt == fold])) for fold in range(chance.FOLDS)} == {10}


def grounds(shift, seed=0, count=100, kind="means"):
    rng = np.random.default_rng(seed)
    positive = np.arange(2 * count) % 2 == 0
    matrix = rng.normal(size=(2 * count, 6))
    if kind == "means":
        matrix[:, 0] += shift * positive
    else:
        matrix[:, 0] *= np.where(positive, shift, 1)
    scaled = scale.normal_scores({"tone": list("abcdef")}, {"tone": matrix})
    ground = swaps.Ground(
        scaled=scaled,
        positive=positive,
        groups=np.arange(2 * count),
        sources=positive * 1,
        quotas=np.array([40.0, 40.0]),
    )
    return ground, np.arange(2 * count) < 80


@pytest.mark.parametrize(("kind", "shift"), [("means", 1.2), ("spread", 4.0)])
def test_swaps_remove_differences_of_means_and_of_spread(kind, shift):
    ground, start = grounds(shift, kind=kind)
    after = swaps.improve(ground, start)
    assert not at_chance(ground, start)
    assert levels(ground, start).max() > 1.4
    assert np.abs(levels(ground, after) - 1).max() < 0.2
    assert after[ground.positive].sum() == after[~ground.positive].sum() == 40


@pytest.mark.parametrize("seed", range(4))
def test_swaps_bring_what_agrees_too_well_back_to_chance(seed):
    ground, start = grounds(0.0, seed)
    first, second = np.flatnonzero(ground.positive), np.flatnonzero(~ground.positive)
    apart = scale.distances(scale.likeness(ground.scaled.matrix, np.eye(6)))[np.ix_(second, first)]
    close = np.zeros_like(start)
    close[[index for row, column in pairs.assign(apart, 40) for index in (second[row], first[column])]] = True
    before, after = (levels(ground, side) for side in (close, swaps.improve(ground, close)))
    assert before.max() < 0.9
    assert np.abs(after - 1).max() < 0.3


def levels(ground, chosen):
    return swaps.levels(swaps.discrepancies(ground.scaled, chosen, ground.positive), chosen, ground.positive)


def at_chance(ground, chosen):
    return chance.at_chance(ground.scaled, chosen, ground.positive, ground.groups)


def test_the_measures_are_about_one_under_chance():
    found = []
    for seed in range(10):
        ground, chosen = grounds(0.0, seed)
        found.append(levels(ground, chosen))
    assert np.all(np.abs(np.mean(found, axis=0) - 1) < 0.3)


def test_classes_that_never_meet_are_not_called_alike():
    ground, start = grounds(30.0)
    assert not at_chance(ground, swaps.improve(ground, start))
