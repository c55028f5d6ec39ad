"""Folds, inner splits and parts to leave out: shares of each class, whole groups, and the reasons to refuse."""

from collections import Counter

import numpy as np
import pytest

from imageledger.errors import RunError
from train.folds import folds_of, hold_out_parts, inner_split


def world(each=60, seed=0):
    """Labels and groups of many pictures, most alone, some in groups of up to four, some groups of both classes."""
    rng = np.random.default_rng(seed)
    labels = ["real"] * each + ["ai"] * each
    groups = [str(number) for number in range(2 * each)]
    for _ in range(each // 3):
        together = rng.integers(2 * each, size=rng.integers(2, 5))
        for row in together:
            groups[row] = groups[together[0]]
    return labels, groups


def sides(held, everything):
    return set(held), set(everything) - set(held)


def names(rows, values):
    return {values[row] for row in rows}


@pytest.mark.parametrize("seed", range(5))
def test_every_row_is_held_out_once_and_no_group_is_torn(seed):
    labels, groups = world(seed=seed)
    folds = folds_of(labels, groups, 5, seed)
    assert sorted(row for held in folds for row in held) == list(range(len(labels)))
    for held in folds:
        inside, outside = sides(held, range(len(labels)))
        assert not names(inside, groups) & names(outside, groups)
        counts = Counter(labels[row] for row in held)
        assert all(abs(counts[label] - 12) <= 3 for label in ("real", "ai")), counts


@pytest.mark.parametrize(("reals", "number"), [(100, 5), (61, 5), (23, 10)])
def test_without_groups_the_classes_are_even_to_one_picture(reals, number):
    labels = ["real"] * reals + ["ai"] * 60
    folds = folds_of(labels, [str(n) for n in range(len(labels))], number, 42)
    for label in ("real", "ai"):
        counts = [sum(labels[row] == label for row in held) for held in folds]
        assert max(counts) - min(counts) <= 1


def test_the_seed_decides_the_folds_and_nothing_else_does():
    labels, groups = world()
    assert folds_of(labels, groups, 5, 1) == folds_of(labels, groups, 5, 1)
    assert folds_of(labels, groups, 5, 1) != folds_of(labels, groups, 5, 2)


def test_a_class_with_fewer_pictures_or_groups_than_folds_is_refused_with_a_number_that_works():
    with pytest.raises(RunError, match="ai has 3 pictures, too few for 5 folds") as few:
        folds_of(["real"] * 20 + ["ai"] * 3, [str(n) for n in range(23)], 5, 42)
    assert few.value.hint == "--folds 3"
    groups = [str(n) for n in range(20)] + [f"person {n % 4}" for n in range(20)]
    with pytest.raises(RunError, match="ai has 20 pictures in 4 groups that stay together, too few for 5") as together:
        folds_of(["real"] * 20 + ["ai"] * 20, groups, 5, 42)
    assert together.value.hint == "--folds 4"
    with pytest.raises(RunError, match="too few") as alone:
        folds_of(["real"] * 20 + ["ai"] * 3, [*map(str, range(20)), "x", "x", "x"], 2, 42)
    assert alone.value.hint == "more pictures"


def test_folds_that_would_lack_a_class_are_refused():
    with pytest.raises(RunError, match="no 2 folds keep every group whole and hold ai pictures each"):
        folds_of(["real", "ai", "real", "ai", "ai"], ["a", "b", "c", "c", "c"], 2, 42)


def test_an_inner_split_is_a_fifth_of_each_class_and_tears_no_group():
    labels, groups = world(each=80)
    inner, rest = sides(inner_split(labels, groups, 42), range(160))
    assert not names(inner, groups) & names(rest, groups)
    for label in ("real", "ai"):
        assert 12 <= sum(labels[row] == label for row in inner) <= 20
    assert inner_split(labels, groups, 42) == inner_split(labels, groups, 42)


def test_an_inner_split_of_one_group_a_class_is_refused():
    with pytest.raises(RunError, match="early stopping holds out a fifth"):
        inner_split(["real", "real", "ai", "ai"], ["a", "a", "b", "c"], 42)


def two_generators(each=40):
    labels = ["real"] * (2 * each) + ["ai"] * (2 * each)
    kinds = [""] * (2 * each) + ["gan"] * each + ["diffusion"] * each
    return labels, [str(n) for n in range(4 * each)], kinds


def test_a_generator_that_is_left_out_is_in_no_training_and_the_rest_stays_balanced():
    labels, groups, kinds = two_generators()
    parts = hold_out_parts(labels, groups, kinds, ["diffusion", "gan"], 42)
    for part in parts:
        assert {kinds[row] for row in part.own} == {part.name}
        assert len(part.own) == 40
        counts = Counter(labels[row] for row in part.rest)
        assert (counts["real"], counts["ai"]) == (40, 32)  # a fifth of the other generator is held out too
        assert part.name not in {kinds[row] for row in part.rest}
        assert not {*part.own, *part.beside} & set(part.rest)
    held = [row for part in parts for row in part.beside if labels[row] == "real"]
    assert sorted(held) == list(range(80))  # each real picture is held out beside one generator


def test_beside_each_part_others_are_held_out_that_no_other_part_has():
    labels, groups, _ = two_generators(each=60)
    kinds = [""] * 120 + [f"g{n % 4}" for n in range(120)]
    parts = hold_out_parts(labels, groups, kinds, ["g0", "g1", "g2", "g3"], 42)
    for name in ("g0", "g1"):
        known = [row for part in parts if part.name != name for row in part.beside if kinds[row] == name]
        assert len(known) == len(set(known)) == 18  # three of its five slices of six


def test_the_share_of_reals_follows_the_size_of_the_generator():
    labels = ["real"] * 100 + ["ai"] * 100
    kinds = [""] * 100 + ["large"] * 80 + ["small"] * 20
    large, small = hold_out_parts(labels, [str(n) for n in range(200)], kinds, ["large", "small"], 42)
    assert sum(labels[row] == "real" for row in large.beside) == 80
    assert sum(labels[row] == "real" for row in small.beside) == 20


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_both_sides_of_a_hold_out(seed):
    labels, groups = world(seed=seed)
    kinds = [f"{label}{number % 3}" for number, label in enumerate(labels)]
    for part in hold_out_parts(labels, groups, kinds, sorted(set(kinds)), seed):
        held = {*part.own, *part.beside}
        assert not names(held, groups) & names(part.rest, groups)
        assert names(part.rest, labels) == {"real", "ai"}


def test_a_real_picture_that_belongs_to_an_ai_one_is_held_out_with_it():
    labels, groups, kinds = two_generators()
    groups[0], groups[1] = groups[80], groups[120]  # a photo that "gan" and one that "diffusion" started from
    diffusion, gan = hold_out_parts(labels, groups, kinds, ["diffusion", "gan"], 42)
    assert 0 in gan.beside
    assert 1 in diffusion.beside


def test_a_source_of_one_class_that_is_left_out_alone_takes_as_large_a_share_of_the_other():
    labels = ["real"] * 60 + ["ai"] * 60
    kinds = ["flickr"] * 40 + ["studio"] * 20 + ["gan"] * 60
    flickr, _ = hold_out_parts(labels, [str(n) for n in range(120)], kinds, ["flickr", "studio"], 42)
    assert sum(labels[row] == "ai" for row in flickr.beside) == 40
    (alone,) = hold_out_parts(labels, [str(n) for n in range(120)], kinds, ["studio"], 42)
    assert sum(labels[row] == "ai" for row in alone.beside) == 20
    assert Counter(labels[row] for row in alone.rest) == {"real": 40, "ai": 40}
