"""Chosen pictures are judged by probes that share none with them: an illusion inside the set is none there."""

import numpy as np
import pytest
from probed_world import labels, made

from curate.evidence.permuted import auc, folds_of, prepare
from curate.evidence.probe import crossvalidated, interval, within
from curate.evidence.transfer import Pool, elsewhere, transfer
from curate.evidence.verdict import ALL, CLEAN, INCONCLUSIVE, SHORTCUT, Strongest, Told, Transfer
from curate.manifest.matching import pairs

EACH, CHOSEN = 120, 60


def population(shift, seed=0, columns=40):
    """Candidates in two halves, labels alternating, whose numbers all differ a little between the classes."""
    rng = np.random.default_rng(seed)
    positive = np.arange(2 * EACH) % 2 == 0
    values = rng.normal(size=(2 * EACH, columns)) + shift * positive[:, None]
    return values, positive, (np.arange(2 * EACH) // 2) % 2


def number_by_number(values, positive, part):
    """The best pairs within each half: what an in-sample balance of every number does."""
    chosen = np.zeros(len(positive), dtype=bool)
    for half in (0, 1):
        zeros, ones = np.flatnonzero(~positive & (part == half)), np.flatnonzero(positive & (part == half))
        apart = np.linalg.norm(values[zeros][:, None] - values[ones][None], axis=2)
        for row, column in pairs.assign(apart, CHOSEN // 2):
            chosen[[zeros[row], ones[column]]] = True
    return chosen


def given_of(chosen, positive, part):
    return Pool(chosen=chosen, positive=positive, groups=[str(row) for row in range(len(part))], part=part)


def inside(values, positive):
    matrix, _ = prepare(values)
    scores = crossvalidated(matrix, positive, folds_of(positive, [str(row) for row in range(len(positive))], 0), 0)
    return float(auc(scores["linear"][:, None], positive[:, None])[0])


@pytest.mark.long
def test_what_a_choice_hides_inside_the_set_is_still_told_by_probes_from_outside():
    hidden, told = [], []
    for seed in range(4):
        values, positive, part = population(0.2, seed)
        chosen = number_by_number(values, positive, part)
        hidden.append(inside(values[chosen], positive[chosen]))
        (result,) = transfer({"tone": values}, given_of(chosen, positive, part), permutations=250)
        told.append(result.worst.auc)
        assert len(result.scores) == 2 * CHOSEN
    assert np.mean(told) > np.mean(hidden) + 0.1
    assert np.mean(told) > 0.65


@pytest.mark.long
def test_of_numbers_that_say_nothing_p_and_interval_promise_no_more_than_they_hold():
    ps, held = [], 0
    for seed in range(40):
        values, positive, part = population(0.0, seed, columns=8)
        chosen = np.arange(2 * EACH) % 8 < 4
        (result,) = transfer({"tone": values}, given_of(chosen, positive, part), seed=seed, permutations=250)
        ps.append(result.p)
        held += result.chosen.low <= 0.5 <= result.chosen.high
    assert np.mean(ps) > 0.4
    assert sum(p < 0.05 for p in ps) <= 4
    assert held >= 36


def test_scores_of_two_halves_are_never_compared():
    positive = np.tile([False, True], 20)
    part = np.repeat([0, 1], 20)
    scores = positive + 10.0 * part  # right within each half; together the other half's negatives lie above
    assert within(scores, positive, part) == 1
    assert within(scores, positive, np.zeros(40, dtype=int)) < 0.8
    low, _ = interval(scores, positive, [str(row) for row in range(40)], 0, part)
    assert low > 0.7


def told(auc, reach=0.05):
    return Told(auc=auc, low=auc - reach, high=auc + reach)


def shown(family, chosen, candidates, p):
    return Transfer(family=family, chosen=told(chosen), candidates=told(candidates), p=p, chance=0.58,
                    scores=np.zeros(len(labels())))  # fmt: skip


NEAR = {"low": 0.45, "auc": 0.5, "high": 0.55, "p": 0.6}


@pytest.mark.parametrize(("chosen", "candidates", "p", "verdict"), [
    (0.5, 0.5, 0.5, CLEAN),
    (0.5, 0.7, 0.0005, SHORTCUT),
    (0.7, 0.5, 0.0005, SHORTCUT),
    (0.42, 0.5, 0.5, INCONCLUSIVE),
])  # fmt: skip
def test_the_verdict_is_that_of_the_lesson_that_tells_more(chosen, candidates, p, verdict):
    probe = made(family="tone", **NEAR)
    (moved,) = elsewhere([probe], {"tone": shown("tone", chosen, candidates, p)}, labels())
    assert (moved.verdict, moved.auc) == (verdict, max(chosen, candidates))
    assert moved.inside == Told(auc=0.5, low=0.45, high=0.55)


def test_without_anybody_to_judge_the_choice_nothing_is_clean_but_what_does_not_vary():
    strongest = Strongest(feature="mean", auc=0.52, low=0.5, high=0.56, medians=(0.0, 0.1))
    probes = [made(family="tone", strongest=strongest, **NEAR), made(family="metadata", **NEAR)]
    assert [probe.verdict for probe in elsewhere(probes, {}, labels())] == [INCONCLUSIVE, CLEAN]


def test_p_values_are_corrected_over_the_families_and_not_over_all_together():
    names = ("tone", "matte", ALL)
    probes = [made(family=name, **NEAR) for name in names]
    moved = elsewhere(probes, {name: shown(name, 0.6, 0.6, 0.02) for name in names}, labels())
    assert [probe.p for probe in moved] == [0.04, 0.04, 0.02]


def test_too_few_pictures_in_a_half_judge_nothing():
    _, positive, part = population(0.0)
    few = np.arange(2 * EACH) < 16
    assert not given_of(few, positive, part).judged
    assert given_of(np.ones(2 * EACH, dtype=bool), positive, part).judged
    assert not given_of(np.ones(2 * EACH, dtype=bool), positive, np.zeros(2 * EACH, dtype=int)).judged
