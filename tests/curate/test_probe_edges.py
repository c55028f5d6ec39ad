"""The edges of the probe: its limits, how many more pictures it asks for, what it draws again and what it keeps."""

import numpy as np
import pytest
from probed_world import EACH, alone, labels, made, noise, permutation_test, probed

from curate.evidence import probe
from curate.evidence import verdict as verdicts
from curate.evidence.permuted import auc, folds_of
from curate.evidence.stopping import TINY, most_for
from curate.evidence.verdict import CLEAN, INCONCLUSIVE, MOST
from imageledger.intervals import holm
from imageledger.record import Record

QUICKLY = {"permutations": 40, "joint": False}


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """Let the ensemble be small: nothing here asks how well it separates."""
    monkeypatch.setattr(probe, "TREES", 10)


def needed(each=EACH, positive=None, **changes):
    return verdicts.judged(made(**changes), labels(each) if positive is None else positive).needed


def test_a_p_value_at_the_limit_itself_is_not_below_it():
    assert verdicts.judged(made(low=0.7, auc=0.8, high=0.9, p=verdicts.SURE), labels()).verdict == INCONCLUSIVE


def test_an_interval_that_ends_at_a_limit_has_not_cleared_it():
    assert verdicts.judged(made(low=verdicts.AT_LEAST, auc=0.8, high=0.9, p=0.001), labels()).verdict == INCONCLUSIVE
    assert verdicts.judged(made(low=0.45, auc=0.5, high=verdicts.AT_MOST, p=0.9), labels()).verdict == INCONCLUSIVE


def test_pictures_are_counted_in_the_smaller_class_whichever_it_is():
    interval = {"low": 0.5, "auc": 0.62, "high": 0.74, "p": 0.001}
    few = np.arange(200) < 40
    assert needed(positive=few, **interval) == needed(positive=~few, **interval)
    assert needed(positive=few, **interval)[0] < needed(**interval)[0]


def test_the_pictures_that_are_needed_grow_with_the_square_of_what_is_missing():
    nothing, _ = needed(low=0.40, auc=0.50, high=0.60)
    spread, deviations = 0.1 / 1.96, 1.96 + 1.2816
    assert nothing == pytest.approx(EACH * (deviations * spread / 0.1) ** 2, rel=0.01)  # to be clean
    assert needed(low=0.30, auc=0.50, high=0.70)[0] == pytest.approx(4 * nothing, rel=0.01)


def test_an_undecided_family_asks_for_a_picture_more_at_the_least():
    assert needed(low=0.69, auc=0.70, high=0.71, p=0.02) == (EACH + 1, EACH + 1)


def test_more_pictures_than_there_are_anywhere_are_not_asked_for():
    assert needed(low=0.599, auc=0.599999, high=0.601, p=0.2)[0] <= MOST


@pytest.mark.long
def test_all_families_jointly_are_what_a_whole_probe_says_of_them_together():
    tables = {"loud": noise(1, rows=60) + labels(30)[:, None], "quiet": noise(2, 3, 60), "naming": noise(3, rows=60)}
    columns = {name: [f"c{n}" for n in range(table.shape[1])] for name, table in tables.items()}
    given = (columns, tables, labels(30), alone(60))
    chosen = {"seed": 7, "permutations": 40, "apart": ("naming",)}
    together, whole = probe.jointly(*given, **chosen), probe.probe(*given, **chosen)[-1]
    assert (together.family, together.features) == (verdicts.ALL, 11)
    assert (together.auc, together.low, together.high, together.p) == (whole.auc, whole.low, whole.high, whole.p)
    assert together.verdict == whole.verdict
    assert together.strongest == whole.strongest


def test_the_same_seed_gives_the_same_scores_and_interval_and_another_seed_others():
    values = noise(4, columns=3, rows=60)
    values[:, 0] *= np.where(labels(30), 3, 0.3)  # for the trees
    one, same, other = (probed(values, seed=seed, **QUICKLY)[0] for seed in (1, 1, 2))
    assert one.model == "trees"
    assert (one.low, one.high, one.p, one.chance) == (same.low, same.high, same.p, same.chance)
    assert (one.scores == same.scores).all()
    assert not (one.scores == other.scores).all()


def test_the_better_of_both_models_counts():
    values = noise(5, columns=30) + 0.2 * labels()[:, None]  # a little of it everywhere: a matter for the line
    (one,) = probed(values, **QUICKLY)
    assert one.model == "linear"


def test_chance_is_that_of_permuted_labels():
    values = noise(6, columns=2, rows=60)
    (one,) = probed(values, seed=3, **QUICKLY)
    assert one.chance == permutation_test(values, labels(30), alone(60), seed=3, permutations=40).chance


@pytest.mark.long
def test_the_p_values_of_several_families_are_corrected_together_but_not_that_of_all_side_by_side():
    tables = {
        "loud": noise(1, 2, 60) + labels(30)[:, None],
        "quiet": noise(2, 2, 60),
        "calm": noise(3, 2, 60),
    }
    alone_p = [
        permutation_test(table, labels(30), alone(60), permutations=40, limit=0.01 / 3).p for table in tables.values()
    ]
    *families, everything = probed(tables, permutations=40)
    assert [one.p for one in families] == holm(alone_p)
    assert families[0].p > alone_p[0]
    assert everything.p < 0.01


def test_the_strongest_feature_comes_with_its_own_auc_and_both_medians():
    values = noise(7, columns=2, rows=40)
    values[:, 1] = np.arange(40) - 100 * labels(20)  # lower in the positive class
    values[0, 1] = np.nan
    (one,) = probed(values, **QUICKLY)
    assert one.strongest.feature == "c1"
    assert one.strongest.auc == pytest.approx(1, abs=0.05)
    assert one.strongest.medians == (20, -80)


def test_columns_that_are_there_twice_change_nothing_for_the_line():
    positive, values = labels(30), noise(9, columns=30, rows=60)
    folds = folds_of(positive, alone(60), 0)
    once, twice = (probe.crossvalidated(table, positive, folds, 0)["linear"] for table in (values, np.tile(values, 2)))
    assert twice == pytest.approx(once, abs=0.01)


def test_scores_are_log_odds_and_finite_even_where_a_model_is_certain():
    positive = labels(30)
    matrix = np.where(positive, 1.0, -1.0)[:, None]
    found = probe.crossvalidated(matrix, positive, folds_of(positive, alone(60), 0), 0)
    for scores in found.values():
        assert np.isfinite(scores).all()
        assert ((scores > 0) == positive).all()
    assert found["trees"].max() == pytest.approx(np.log(1e6), rel=1e-3)


@pytest.mark.parametrize(("many", "repeats"), [(60, 3), (59, 1)])
def test_folds_are_drawn_three_times_for_few_pictures_and_once_for_many(monkeypatch, many, repeats):
    monkeypatch.setattr(probe, "MANY", many)
    really, seeds = probe.crossvalidated, []

    def counted(matrix, positive, folds, seed):
        seeds.append(seed)
        return really(matrix, positive, folds, seed)

    monkeypatch.setattr(probe, "crossvalidated", counted)
    probed(noise(8, columns=2, rows=60), seed=10, **QUICKLY)
    assert seeds == [10, 11, 12][:repeats]


def test_a_family_that_never_varies_has_the_scores_and_limits_of_chance():
    (one,) = probed(np.ones((40, 3)), **QUICKLY)
    assert (one.features, one.model, one.p, one.verdict, one.needed) == (3, "linear", 1, CLEAN, (0, 0))
    assert (one.low, one.auc, one.high, one.chance) == (0.5, 0.5, 0.5, 0.5)
    assert one.scores.tolist() == [0] * 40


def test_a_family_that_never_varies_beside_another_has_no_chance_of_its_own():
    found = probed({"still": np.ones((60, 2)), "quiet": noise(2, 2, 60)}, **QUICKLY)
    assert [one.family for one in found] == ["still", "quiet"]
    assert found[0].p == 1


def test_tied_scores_have_an_interval_of_one_half():
    assert probe.interval(np.zeros(40), labels(20), alone(40), 1) == (0.5, 0.5)


def test_as_many_groups_are_drawn_again_as_there_are():
    positive = np.array([True, False] * 5)
    scores = np.where(positive, [0.0, 0, 0, 0, 5, 0, 6, 0, 7, 0], np.arange(10) / 10 + 1)  # the last three groups part
    groups = [str(n // 2) for n in range(10)]
    # Only the first two groups are drawn with probability (2/5)^5 = 1 %: an AUC of 0 lies outside the interval.
    low, high = probe.interval(scores, positive, groups, 3)
    assert 0 < low < 0.5
    assert high == 1


def test_a_set_of_one_label_is_cut_to_what_is_enough_too():
    records = [Record(source="s", member=f"{n}", label="ai", origin=f"{9 - n:064x}.jpg") for n in range(10)]
    assert [record.member for record in probe.enough(records, 3)] == ["7", "8", "9"]


def test_pictures_of_the_same_digest_are_chosen_by_name():
    records = [Record(source="s", member=f"{n}", label="ai", origin="x") for n in (3, 1, 2)]
    assert [record.member for record in probe.enough(records, 2)] == ["1", "2"]


def test_folds_are_drawn_once_where_the_classes_lie_plainly_apart(monkeypatch):
    really, seeds = probe.crossvalidated, []

    def counted(matrix, positive, folds, seed):
        seeds.append(seed)
        return really(matrix, positive, folds, seed)

    monkeypatch.setattr(probe, "crossvalidated", counted)
    (one,) = probed(noise(8, columns=2, rows=60) + 20 * labels(30)[:, None], seed=10, **QUICKLY)
    assert (seeds, one.auc) == ([10], 1)


def test_areas_are_those_of_ranks_ties_and_all():
    from scipy.stats import rankdata

    rng = np.random.default_rng(0)
    scores, positive = np.round(rng.normal(size=(60, 40)), 1), rng.random((60, 40)) < 0.4
    positive[:, 0] = False
    ones = positive.sum(axis=0)
    ranked = (rankdata(scores, axis=0) * positive).sum(axis=0) - ones * (ones + 1) / 2
    assert np.array_equal(auc(scores, positive), ranked / np.maximum(ones * (60 - ones), 1))


def test_what_lies_far_beyond_chance_needs_no_more_permutations_than_were_asked_for_at_any_look():
    values = noise(6, columns=3, rows=200)
    values[:, 0] += 6 * labels()
    early, late = (permutation_test(values, labels(), alone(200), permutations=500, limit=limit)
                   for limit in (1e-3, 1e-9))  # fmt: skip
    assert len(early.largest) == len(late.largest) == 500
    assert late.p == TINY


def test_no_limit_asks_for_millions_of_permutations():
    assert most_for(2000, 1e-3) == 20_000
    assert most_for(2000, 1e-9) == 100_000
