"""A model that copies the file within a class is caught, one that looks elsewhere is not."""

from dataclasses import replace

import numpy as np
import pytest

from audit.reliance import noise
from audit.reliance import report as reliance_report
from audit.reliance.judge import INDEPENDENT, RELIES, beside, judge, link
from audit.reliance.swaps import Delivery, Swap
from curate.evidence.verdict import ALL, Probe
from imageledger.counted import Counted


def probe(family, scores):
    return Probe(
        family=family, features=3, auc=0.8, low=0.7, high=0.9, model="linear", p=0.001, chance=0.59,
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


def test_a_model_that_copies_a_probe_is_caught_and_the_family_is_named():
    positive, probes, _ = world(0)
    found = judge(sigmoid(2 * probes[0].scores - 1), positive, probes, range(len(positive)), range(len(positive)))
    assert found.verdict == RELIES
    assert {one.family for one in found.followed} == {"tone", ALL}
    assert found.followed[0].rho > 0.9
    assert found.where_right.share > 0.8 > 0.3 > found.where_wrong.share
    assert found.p < 0.001


def test_a_model_that_leans_on_the_file_half_the_way_is_caught():
    positive, probes, face = world(1)
    found = judge(sigmoid(probes[0].scores + face - 1), positive, probes, range(len(positive)), range(len(positive)))
    assert found.verdict == RELIES


def test_a_model_that_looks_elsewhere_is_not_caught_however_well_the_file_tells_the_classes():
    caught = independent = 0
    for seed in range(100):
        positive, probes, face = world(seed, strength=3.0)
        found = judge(sigmoid(2 * face - 1.5), positive, probes, range(len(positive)), range(len(positive)))
        caught += found.verdict == RELIES
        independent += found.verdict == INDEPENDENT
    assert caught <= 4
    assert independent > 60


def test_following_the_file_backwards_is_not_leaning_on_it():
    positive, probes, _ = world(2)
    found = judge(sigmoid(-probes[0].scores), positive, probes, range(len(positive)), range(len(positive)))
    assert found.followed == []
    assert found.joint.rho < -0.5


def test_the_lead_is_divided_by_what_the_file_alone_gets_right():
    positive, probes, _ = world(3)
    found = judge(np.where(positive, 0.9, 0.1), positive, probes, range(len(positive)), range(len(positive)))
    assert found.lead == pytest.approx(0.5)
    share, most = found.from_file
    assert share == pytest.approx(found.file.share - 0.5)
    assert share < most == pytest.approx(found.file.interval[1] - 0.5)
    assert "of the model's lead of 50 points over chance, about" in reliance_report.headline(found)
    blind = judge(np.full(len(positive), 0.2), positive, probes, range(len(positive)), range(len(positive)))
    assert blind.lead == 0
    assert "no better than chance" in reliance_report.headline(blind)


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


def test_a_swap_that_moves_answers_is_reliance_and_one_that_does_not_is_none():
    positive, probes, face = world(0)
    found = judge(sigmoid(face), positive, probes, range(len(positive)), range(len(positive)))
    assert found.verdict != RELIES
    moved = Swap(
        label="real", other="ai", delivery=Delivery(quality=75, side=512, background=90), shift=1.2, p=0.001,
        flipped=Counted(np.arange(20) < 9, range(20)), placebo=Counted(np.arange(20) < 1, range(20)),
    )  # fmt: skip
    assert replace(found, swaps=(moved, replace(moved, label="ai", p=0.3))).moved == [moved]
    assert replace(found, swaps=(moved,)).verdict == RELIES
    assert replace(found, swaps=(replace(moved, p=0.02),)).verdict != RELIES


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
