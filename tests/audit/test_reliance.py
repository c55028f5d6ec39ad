"""What moves with the delivery relies on it; what goes with numbers may read the face; some cannot be asked."""

from dataclasses import replace

import numpy as np
import pytest

from audit.reliance import noise
from audit.reliance import report as reliance_report
from audit.reliance.delivery import Delivery
from audit.reliance.explained import WEAK, explained
from audit.reliance.judge import CANNOT, INCONCLUSIVE, INDEPENDENT, RELIES, RunReliance, beside, judge, link
from audit.reliance.swaps import Shift, Swap
from curate.evidence.verdict import ALL, Probe
from imageledger.counted import Counted


def probe(family, scores, low=0.7):
    return Probe(
        family=family, features=3, auc=0.8, low=low, high=0.9, model="linear", p=0.001, chance=0.59,
        verdict="SHORTCUT", strongest=None, measured=1.0, scores=scores,
    )  # fmt: skip


def world(seed, each=60, strength=1.0):
    """Labels, two probes that tell something and one that is noise, and what the face alone would say."""
    rng = np.random.default_rng(seed)
    positive = np.arange(2 * each) % 2 == 1
    tone, noise, face = (rng.normal(0, 1, 2 * each) for _ in range(3))
    tone, face = tone + strength * positive, face + 1.5 * positive
    return positive, [probe("tone", tone), probe("border", noise), probe(ALL, tone + 0.2 * noise)], face


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def judged(answers, positive, probes):
    everything = range(len(positive))
    return judge(answers, positive, probes, everything, everything)


def asked(answers, positive, numbers, seed=0):
    """Ask one family of numbers, named c0, c1, …, about answers."""
    columns = {"tone": [f"c{n}" for n in range(numbers.shape[1])]}
    groups = [str(row) for row in range(len(positive))]
    (one,) = explained(answers, positive, {"tone": numbers}, columns, groups, seed=seed, permutations=300)
    return one


def swapped(*values, p=0.5, what="light"):
    """A swap that moves the classes by so much, known to 0.1."""
    first, last = (Shift(value=value, low=value - 0.1, high=value + 0.1, p=p) for value in values)
    none = Counted(np.zeros(10, dtype=bool), range(10))
    came = Delivery(light=90.0), Delivery(light=120.0)
    return Swap(what=what, margin=0.3, came=came, shifts=(first, last), bias=first, drift=last, flipped=(none, none),
                placebo=(none, none))  # fmt: skip


def test_answers_that_are_a_number_are_explained_by_its_family_even_where_the_classes_agree_in_it():
    rng = np.random.default_rng(0)
    positive = np.arange(120) % 2 == 1
    numbers = rng.normal(size=(120, 6))  # matched: the classes do not differ in any
    one = asked(sigmoid(3 * numbers[:, 2]), positive, numbers)
    assert one.share > 0.8
    assert (one.p, one.feature) == (1 / 301, "c2")
    assert one.rho > 0.95
    assert asked(sigmoid(-3 * numbers[:, 2]), positive, numbers).rho < -0.95


def test_a_number_that_acts_the_other_way_at_both_ends_is_seen_too():
    rng = np.random.default_rng(1)
    positive = np.arange(160) % 2 == 1
    numbers = rng.normal(size=(160, 4))
    one = asked(sigmoid(numbers[:, 1] ** 2 - 1), positive, numbers)
    assert one.share > 0.3
    assert one.p < 0.01


@pytest.mark.long
def test_answers_that_go_with_nothing_are_called_explained_no_more_often_than_they_may():
    small = weak = 0
    for seed in range(100):
        positive, _, face = world(seed, strength=3.0)
        numbers = np.random.default_rng(1000 + seed).normal(size=(120, 12)) + 3 * positive[:, None]
        one = asked(sigmoid(2 * face - 1.5), positive, numbers, seed)
        small, weak = small + (one.p < 0.05), weak + (one.high < WEAK)
    assert small <= 11  # 5 expected; more than 11 has probability 0.4 %
    assert weak > 60


def test_only_a_delivery_that_moves_both_classes_its_way_is_reliance():
    positive, probes, face = world(0, each=300)
    plain = judged(sigmoid(face), positive, probes)
    assert plain.verdict == INCONCLUSIVE, "nothing was swapped"
    still, both, one = swapped(0.1, -0.1), swapped(1.2, 0.9, p=1e-5), swapped(1.2, 0.0, p=0.4)
    assert replace(plain, swaps=(still, both)).moved == [both]
    assert replace(plain, swaps=(still, both)).verdict == RELIES
    assert replace(plain, swaps=(still,)).verdict == INDEPENDENT
    assert replace(plain, swaps=(still, one)).verdict == INCONCLUSIVE, "a trace that was destroyed"
    assert replace(plain, swaps=(swapped(1.2, 0.9, p=0.02),)).verdict == INCONCLUSIVE


def test_answers_that_follow_the_call_of_the_file_are_not_independent_of_it():
    positive, probes, face = world(0, each=300)
    found = judged(sigmoid(face + probes[0].scores), positive, probes)
    assert replace(found, swaps=(swapped(0.0, 0.0),)).verdict == INCONCLUSIVE


def test_answers_that_go_with_numbers_are_neither_reliance_nor_independence():
    positive, probes, _ = world(1, each=300)
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=(600, 4))
    answers = sigmoid(3 * numbers[:, 0])
    found = replace(judged(answers, positive, probes), swaps=(swapped(0.0, 0.0),))
    assert found.verdict == INDEPENDENT
    found = replace(found, explained=(asked(answers, positive, numbers),))
    assert found.verdict == INCONCLUSIVE
    assert [one.family for one in found.going_with] == ["tone"]
    run = RunReliance(run="r", labels=("real", "ai"), pictures="", split="valid", keys=[], reliance=found)
    said = " ".join(finding.sentence for finding in reliance_report.findings(run))
    assert "That alone shows no reliance: a face" in said


def test_where_the_files_of_both_classes_are_alike_there_is_nothing_to_ask():
    positive, _, face = world(2)
    nothing = judged(sigmoid(face), positive, [probe(ALL, np.random.default_rng(0).normal(size=120), low=0.45)])
    assert nothing.verdict == CANNOT
    assert replace(nothing, swaps=(swapped(1.2, 0.9, p=1e-5),)).verdict == RELIES


def test_the_worst_pictures_are_those_of_the_label_and_the_call_of_the_file_that_misleads():
    positive, probes, _ = world(0)
    found = judged(sigmoid(2 * probes[0].scores - 1), positive, probes)
    (both_no, false_alarm), (missed, both_yes) = found.cells
    assert both_no.share > 0.8 > 0.3 > missed.share
    assert both_yes.share > 0.8 > 0.3 > false_alarm.share
    assert sum(cell.total for row in found.cells for cell in row) == 120
    assert found.worst in ((0, 1), (1, 0))


def test_following_the_file_backwards_is_a_negative_correlation():
    positive, probes, _ = world(2)
    assert judged(sigmoid(-probes[0].scores), positive, probes).joint.rho < -0.5


def test_answers_that_do_not_vary_follow_nothing_and_few_pictures_say_nothing():
    positive, probes, _ = world(4)
    flat = judge(np.full(len(positive), 0.7), positive, probes, range(len(positive)), range(len(positive)))
    assert [one.rho for one in flat.links] == [0, 0, 0]
    tiny = link(np.array([0.1, 0.2, 0.8, 0.9]), positive[:4], probe("tone", np.arange(4.0)), range(4))
    assert (tiny.low, tiny.high, tiny.p) == (-1, 1, 1)


def test_only_the_rows_asked_for_are_judged():
    positive, probes, _ = world(5)
    rows = list(range(0, 120, 3))
    found = judge(sigmoid(probes[0].scores[rows]), positive, probes, rows, rows)
    assert found.model.total == found.file.total == 40


def test_of_two_models_the_one_that_follows_the_file_more_is_named_and_equals_are_not():
    positive, probes, face = world(6)
    everything = range(len(positive))
    copies, looks = sigmoid(2 * probes[0].scores - 1), sigmoid(face)
    found = beside(judge(copies, positive, probes, everything, everything), looks, "looks")
    assert found.shown
    assert found.low > 0.5
    back = beside(judge(looks, positive, probes, everything, everything), copies, "copies")
    assert (back.value, back.low, back.high) == pytest.approx((-found.value, -found.high, -found.low))
    same = beside(judge(looks, positive, probes, everything, everything), looks, "looks")
    assert (same.value, same.shown) == (0, False)
    assert same.high < 0.05  # they differ in nothing, and the interval knows it


@pytest.mark.long
def test_the_interval_of_the_difference_holds_the_truth_of_two_models_that_resemble_each_other():
    held = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        positive = np.arange(120) % 2 == 1
        file, shared, one, other = rng.normal(size=(4, 120))
        joint = probe(ALL, file)
        mine, theirs = 0.5 * file + shared + one, 0.2 * file + shared + other
        found = beside(judge(sigmoid(mine), positive, [joint], range(120), range(120)), sigmoid(theirs), "other")
        truth = [6 / np.pi * np.arcsin(rho / 2) for rho in (0.5 / 2.25**0.5, 0.2 / 2.04**0.5)]  # of normal variables
        held += found.low <= truth[0] - truth[1] <= found.high
    assert 276 <= held <= 297


@pytest.mark.long
def test_the_noise_of_training_is_taken_out_before_two_models_are_set_side_by_side():
    """Both follow the file alike, and one of them answers differently each time it is trained: raw, it looks better."""
    held = blamed = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        positive = np.arange(120) % 2 == 1
        file, face, own = rng.normal(size=(3, 120))
        steady = 0.5 * file + face + 0.1 * rng.normal(size=(3, 120))
        noisy = 0.5 * file + own + 1.5 * rng.normal(size=(3, 120))
        found = judge(sigmoid(steady.mean(0)), positive, [probe(ALL, file)], range(120), range(120))
        shares = noise.reliability(steady, positive), noise.reliability(noisy, positive)
        assert shares[1] < 0.8 < 0.9 < shares[0]
        told = beside(found, sigmoid(noisy.mean(0)), "noisy", shares)
        held += told.low <= 0 <= told.high
        blamed += beside(found, sigmoid(noisy.mean(0)), "noisy").value > 0.05
    assert 276 <= held <= 297
    assert blamed > 150


def test_the_reliability_of_repeats_is_what_their_mean_would_show_again():
    rng = np.random.default_rng(0)
    positive = np.arange(4000) % 2 == 1
    truth = rng.normal(size=4000) + 3 * positive  # the classes lie apart, which is no agreement within them
    for many in (2, 5):
        first, second = (truth + rng.normal(size=(many, 4000)) for _ in range(2))
        again = [np.corrcoef(first.mean(0)[side], second.mean(0)[side])[0, 1] for side in (positive, ~positive)]
        assert noise.reliability(first, positive) == pytest.approx(np.mean(again), abs=0.03)
    assert noise.reliability(rng.normal(size=(3, 4000)), positive) < 0.2
