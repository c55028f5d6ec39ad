"""Causes of mistakes: what speaks for each, what does not, and what is nearest; pure, nothing is trained or opened."""

import math
from dataclasses import replace

import numpy as np
import pytest

from audit.report.mistakes.causes import LIMITS, NUMBERS, Cause, Facts, Usual, causes
from audit.report.mistakes.compared import compared
from audit.report.mistakes.facts import typical_of, usual_of
from audit.report.mistakes.near import nearest
from audit.report.mistakes.overlay import coloured, overlay
from curate.nuisance import family

USUAL = {
    "brightness": Usual(120, 25, 100), "edges": Usual(-0.95, 0.2, 100), "texture": Usual(-2.3, 0.4, 100),
    "side": Usual(300, 80, 100), "kept": Usual(1.0, 0.002, 100), "dent": Usual(0.04, 0.015, 100),
    "scale": Usual(0.3, 0.02, 100),
}  # fmt: skip
ORDINARY = Facts(
    actual="real", called="ai", sure=0.7, typical=0.05, near=(4, 10), by_file=0.3, file_auc=0.9, looked=True,
    numbers={name: usual.median for name, usual in USUAL.items()} | {"colourless": 0.1}, usual=USUAL, grey_share=0.05,
)  # fmt: skip


def with_number(name, value):
    return replace(ORDINARY, numbers={**ORDINARY.numbers, name: value})


PLANTED = {
    Cause.NO_FACE: replace(ORDINARY, face=False, numbers={}),
    Cause.TORN: with_number("kept", 0.9),
    Cause.LOW: with_number("edges", -1.8),
    Cause.RETOUCHED: with_number("texture", -3.5),
    Cause.TIGHT: with_number("scale", 0.5),
    Cause.DARK: with_number("brightness", 30),
    Cause.GREY: with_number("colourless", 1.0),
    Cause.SHORTCUT: replace(ORDINARY, by_file=0.95),
    Cause.MISLABELLED: replace(ORDINARY, sure=0.98, typical=0.6, near=(9, 10), by_file=0.95),
    Cause.HARD: ORDINARY,
}


@pytest.mark.parametrize("cause", PLANTED)
def test_each_cause_is_named_first_where_it_is_planted_and_nowhere_else(cause):
    assert set(PLANTED) == set(Cause)
    first, *others = causes(PLANTED[cause])
    assert first.cause == cause
    assert first.evidence.endswith(".")
    assert cause == Cause.HARD or all(one.cause != Cause.HARD for one in others)


def test_what_a_whole_class_has_explains_no_single_mistake():
    dark = with_number("brightness", 30)
    assert causes(dark)[0].cause == Cause.DARK
    all_dark = replace(dark, usual={**USUAL, "brightness": Usual(35, 10, 100)})
    assert causes(all_dark)[0].cause == Cause.HARD
    assert causes(replace(all_dark, usual={"brightness": Usual(35, 10, 3)}))[0].cause == Cause.DARK
    assert causes(replace(PLANTED[Cause.GREY], grey_share=0.7))[0].cause == Cause.HARD


def test_a_file_like_those_of_its_label_speaks_against_a_wrong_label():
    doubted = replace(PLANTED[Cause.MISLABELLED], by_file=None)
    assert causes(doubted)[0].cause == Cause.MISLABELLED
    assert causes(replace(doubted, by_file=0.05))[0].cause == Cause.HARD
    assert causes(replace(doubted, by_file=0.05, file_auc=0.6))[0].cause == Cause.MISLABELLED
    assert causes(replace(doubted, near=(5, 10)))[0].cause == Cause.HARD
    assert causes(replace(doubted, typical=0.05))[0].cause == Cause.HARD


def test_files_that_tell_no_class_apart_are_no_shortcut():
    assert causes(replace(PLANTED[Cause.SHORTCUT], file_auc=0.6))[0].cause == Cause.HARD


def test_several_causes_stand_in_order_of_strength():
    both = replace(PLANTED[Cause.DARK], numbers={**PLANTED[Cause.DARK].numbers, "texture": -4.9})
    assert [one.cause for one in causes(both)] == [Cause.RETOUCHED, Cause.DARK]


def test_simply_hard_says_what_was_not_known():
    unknown = replace(ORDINARY, numbers={}, looked=False, by_file=None)
    assert [one.cause for one in causes(unknown)] == [Cause.HARD]
    assert "not known: its face, its matte, what its file alone says" in causes(unknown)[0].evidence
    assert "not known" not in causes(ORDINARY)[0].evidence


def test_every_number_that_causes_go_by_is_measured_by_its_family():
    for _, name, number in NUMBERS.values():
        assert family(name).words.get(number), number
    assert {limit.number for limits in LIMITS.values() for limit in limits} < set(NUMBERS)


def test_usual_is_robust_and_typical_counts_the_others():
    usual = usual_of(np.array([1.0, 2, 3, 4, 1000, math.nan]))
    assert (usual.median, usual.count) == (3, 5)
    assert usual.spread == pytest.approx(1.4826)
    assert usual_of(np.array([math.nan])) is None
    assert typical_of(0.8, [0.5, 0.7, 0.9, 0.95]) == 0.5
    assert typical_of(0.8, []) is None


def test_the_nearest_training_picture_of_each_class_is_found_and_copies_of_itself_are_left_out():
    known = np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0, 0.9, 0.2]], dtype=np.float32)
    positive = np.array([False, True, True, False])
    asked = np.array([[1, 0, 0]], dtype=np.float32)
    (near,) = nearest(asked, known, positive)
    assert near.rows == (0, 1)
    assert near.counted == (2, 4)
    assert near.alike[0] == pytest.approx(1, abs=1e-5)
    (other,) = nearest(asked, known, positive, [frozenset({0})])
    assert other.rows == (3, 1)
    assert other.counted == (2, 3)


def test_attention_is_compared_by_groups_and_few_groups_give_no_interval():
    rng = np.random.default_rng(0)
    shares = np.concatenate([rng.normal(0.3, 0.05, 40), rng.normal(0.5, 0.05, 40)]).tolist()
    positive = [False] * 40 + [True] * 40
    names = [f"g{number}" for number in range(80)]
    seen = compared(shares, [0.4] * 80, positive, names, ("real", "ai"))
    assert seen.difference[1] > 0.1
    assert "which is more than chance" in seen.sentence
    wider = compared(shares, [0.4] * 80, positive, [f"g{number // 8}" for number in range(80)], ("real", "ai"))
    assert np.ptp(wider.means[0][1:]) != np.ptp(seen.means[0][1:])
    assert compared(shares, [0.4] * 80, positive, ["one"] * 80, ("real", "ai")) is None
    same = compared([0.3, 0.5] * 40, [0.4] * 80, positive, names, ("real", "ai"))
    assert "which chance can do" in same.sentence


def test_the_overlay_grows_lighter_with_the_heat_and_keeps_the_size():
    from PIL import Image

    heat = np.linspace(0, 1, 50, dtype=np.float32)[None].repeat(20, axis=0)
    lightness = coloured(heat)[0] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    assert (np.diff(lightness) > 0).all()
    laid = overlay(Image.new("RGB", (50, 20), (90, 120, 40)), heat)
    assert laid.size == (50, 20)
