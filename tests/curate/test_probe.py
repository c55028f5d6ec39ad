"""The probe: what it finds, what it must not find, and how it says that it cannot know."""

import numpy as np
import pytest
from probed_world import EACH, alone, labels, made, noise, permutation_test, probed

from curate.evidence import permuted, probe
from curate.evidence import verdict as verdicts
from curate.evidence.permuted import Quick
from curate.evidence.verdict import CLEAN, INCONCLUSIVE, SHORTCUT
from imageledger.intervals import holm, newcombe
from imageledger.record import Record, groups_of


@pytest.mark.long
def test_a_feature_that_is_shifted_in_one_class_is_a_shortcut_and_is_named_with_its_medians():
    values = noise(1)
    values[:, 3] += 1.5 * labels()
    found = probed({"quiet": noise(2), "loud": values})
    quiet, loud, everything = found
    assert [one.family for one in found] == ["quiet", "loud", verdicts.ALL]
    assert (loud.verdict, everything.verdict) == (SHORTCUT, SHORTCUT)
    assert quiet.verdict != SHORTCUT
    assert loud.strongest.feature == "c3"
    assert loud.strongest.medians[1] - loud.strongest.medians[0] > 1
    assert loud.low < loud.auc < loud.high
    assert loud.auc > 0.8
    assert everything.strongest.feature == "loud.c3"


@pytest.mark.long
def test_a_feature_that_only_varies_more_in_one_class_is_found_by_the_trees():
    values = noise(3)
    values[:, 0] *= np.where(labels(), 4, 0.4)
    (one, _) = probed(values)
    assert one.verdict == SHORTCUT
    assert one.model == "trees"


@pytest.mark.long
def test_a_feature_that_is_there_in_one_class_only_is_found_by_its_absence():
    values = noise(4)
    values[labels(), 5] = np.nan
    (one, _) = probed(values)
    assert one.verdict == SHORTCUT
    assert one.auc > 0.99
    assert one.strongest.feature == "c5"


@pytest.mark.long
def test_chance_alone_gives_hardly_any_shortcut_and_small_p_values_no_more_often_than_they_should():
    quick = Quick(noise(5, columns=12))
    rng = np.random.default_rng(0)
    p_values = [
        permutation_test(quick, rng.permutation(labels()), alone(2 * EACH), seed=n, permutations=200).p
        for n in range(100)
    ]
    assert np.mean(np.array(p_values) < 0.05) <= 0.11  # 5 expected of 100; more than 11 has probability 0.4 %
    assert 0.35 < np.mean(p_values) < 0.65


@pytest.mark.long
def test_copies_of_one_picture_do_not_help_when_they_are_known_as_a_group():
    rng = np.random.default_rng(6)
    people = rng.normal(size=(40, 20))
    values = np.repeat(people, 5, axis=0)
    positive = np.repeat(rng.permutation(np.arange(40) % 2 == 0), 5)
    groups = [str(person) for person in np.repeat(np.arange(40), 5)]
    (known, _) = probed(values, positive, groups)
    (unknown, _) = probed(values, positive)
    assert unknown.auc > 0.95
    assert unknown.verdict == SHORTCUT
    assert known.p > 0.05
    assert known.high - known.low > unknown.high - unknown.low


def test_what_never_varies_is_clean_and_what_never_applies_is_left_out():
    found = probed({"still": np.ones((40, 3)), "absent": np.full((40, 2), np.nan)})
    assert [(one.family, one.auc, one.verdict) for one in found] == [
        ("still", 0.5, CLEAN), (verdicts.ALL, 0.5, CLEAN)
    ]  # fmt: skip
    assert found[0].strongest is None


@pytest.mark.long
def test_units_and_outliers_are_irrelevant():
    values = noise(7)
    values[:, 0] += labels()
    stretched = np.exp(3 * values)
    stretched[0, 1] = 1e30
    plain, strange = probed(values, joint=False)[0], probed(stretched, joint=False)[0]
    assert plain.auc == pytest.approx(strange.auc, abs=0.02)


@pytest.mark.long
def test_the_same_numbers_give_the_same_probe_with_one_worker_or_two(monkeypatch):
    monkeypatch.setattr("imageledger.engines.local.WORTH_A_POOL", 2)
    tables = {f"family{n}": noise(n, rows=24) for n in range(2)}
    one, two = (probed(tables, workers=workers, joint=False, permutations=100) for workers in (1, 2))
    assert [(p.auc, p.low, p.p, p.verdict) for p in one] == [(p.auc, p.low, p.p, p.verdict) for p in two]


def test_a_labelling_needs_two_pictures_of_each_class():
    with pytest.raises(ValueError, match="two pictures"):
        probed(noise(8, rows=20), positive=np.arange(20) == 3)


@pytest.mark.parametrize(
    ("low", "auc", "high", "p", "verdict"),
    [
        (0.70, 0.80, 0.90, 0.001, SHORTCUT),
        (0.70, 0.80, 0.90, 0.02, INCONCLUSIVE),
        (0.54, 0.60, 0.66, 0.001, INCONCLUSIVE),
        (0.44, 0.50, 0.56, 0.9, CLEAN),
        (0.44, 0.52, 0.60, 0.9, INCONCLUSIVE),
        (0.56, 0.57, 0.59, 0.001, SHORTCUT),
        (0.28, 0.41, 0.55, 0.9, INCONCLUSIVE),  # so few pictures could not have shown a shortcut
    ],
)
def test_there_are_three_verdicts(low, auc, high, p, verdict):
    one = verdicts.judged(made(low=low, auc=auc, high=high, p=p), labels())
    assert one.verdict == verdict
    assert (one.needed[0] > EACH) == (verdict == INCONCLUSIVE)


def test_so_many_pictures_decide_in_eight_of_ten_cases_wherever_in_the_middle_half_the_truth_lies():
    undecided = verdicts.judged(made(low=0.52, auc=0.62, high=0.72, p=0.02), labels())
    spread, drawn = 0.10 / 1.96, np.random.default_rng(0).normal(size=20_000)
    fewest, most = undecided.needed
    assert EACH < fewest < most
    for number, truth in ((fewest, 0.62 + 0.674 * spread), (most, 0.62 - 0.674 * spread)):
        error = spread * (EACH / number) ** 0.5
        decided = (truth + error * drawn - 1.96 * error > verdicts.AT_LEAST) & (
            truth + error * drawn > 0.5 + 2.326 * error
        )
        assert decided.mean() == pytest.approx(0.8, abs=0.02)


def test_where_the_truth_may_lie_at_a_limit_no_number_of_pictures_is_named_as_the_most():
    fewest, most = verdicts.judged(made(low=0.30, auc=0.40, high=0.50, p=0.2), labels()).needed
    assert (fewest > EACH, most) == (True, 0)


@pytest.mark.long
def test_a_family_that_stands_apart_does_not_enter_what_is_said_of_all_together():
    loud = noise(11) + 3 * labels()[:, None]
    found = {one.family: one for one in probed({"naming": loud, "quiet": noise(12)}, apart=("naming",))}
    assert found["naming"].verdict == SHORTCUT
    assert found[verdicts.ALL].features == found["quiet"].features


def test_holm_is_as_published():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_enough_permutations_are_drawn_for_a_dozen_families():
    from curate.nuisance import FAMILIES

    assert len(FAMILIES) / (probe.PERMUTATIONS + 1) < verdicts.SURE


def test_permuted_labels_stay_in_their_fold_and_whole_in_their_group():
    positive = np.repeat(np.arange(30) % 2 == 0, 2)
    groups = [str(number) for number in np.repeat(np.arange(30), 2)]
    folds = permuted.folds_of(positive, groups, 0)
    drawn = np.concatenate(list(permuted.permuted(positive, groups, folds, 0, 20)), axis=1)
    assert (drawn[::2] == drawn[1::2]).all()
    assert not (drawn == positive[:, None]).all(axis=0).all()
    for held in folds:
        assert (drawn[held].sum(axis=0) == positive[held].sum()).all()
        assert {groups[row] for row in held}.isdisjoint(groups[row] for row in set(range(60)) - set(held))


def test_the_area_under_the_curve_counts_pairs_and_halves_ties():
    positive = np.array([False, True, False, True])[:, None]
    assert permuted.auc(np.array([1.0, 2, 3, 4])[:, None], positive)[0] == 0.75
    assert permuted.auc(np.zeros((4, 1)), positive)[0] == 0.5


def test_the_interval_of_a_perfect_score_is_newcombes_and_that_of_noise_is_a_bootstrap_that_holds_one_half():
    positive = labels()
    assert probe.interval(positive * 1.0, positive, alone(200), 1) == newcombe(1.0, 100, 100)
    low, high = probe.interval(noise(10, columns=1)[:, 0], positive, alone(200), 1)
    assert low < 0.5 < high
    assert 0.1 < high - low < 0.2


def test_groups_are_clusters_then_originals_then_the_picture_itself():
    rows = [
        Record(source="s", member="a", label="real", group="g"),
        Record(source="s", member="b", label="real", duplicate_of="s#a"),
        Record(source="s", member="c", label="real"),
    ]
    assert groups_of(rows) == ["g", "s#a", "s#c"]


def test_more_pictures_than_are_enough_are_left_out_by_digest_alone_in_every_class():
    records = [
        Record(source="folder:a", member=f"{n:03}", label="ai" if n % 4 else "real", origin=f"{(7 * n) % 101:064x}.jpg")
        for n in range(100)
    ]
    chosen = probe.enough(records, 20)
    assert [sum(one.label == label for one in chosen) for label in ("real", "ai")] == [20, 20]
    assert chosen == [one for one in records if one in chosen]
    for label in ("real", "ai"):
        kept = max(one.origin for one in chosen if one.label == label)
        assert all(one in chosen or one.origin > kept for one in records if one.label == label)
    assert probe.enough(records, 200) == records
