"""Choosing and splitting: exact, by content, groups whole."""

import hashlib
import random
from collections import Counter
from itertools import combinations

import pytest

from curate.manifest.balance import Choice, NoSplit, Wanted, divide, missing


def choice(n, label="real", source="a", group=""):
    origin = hashlib.sha256(f"{label} {source} {n}".encode()).hexdigest() + ".jpg"
    return Choice(key=(source, f"{label}/{n:05}"), label=label, source=source, origin=origin, group=group)


def plain(count, source="a"):
    return [choice(n, label, source) for label in ("real", "ai") for n in range(count)]


def counts(choices, split):
    return Counter((each.label, split[each.key]) for each in choices if each.key in split)


def exact(wanted):
    return {
        (label, side): number
        for label in ("real", "ai")
        for side, number in (("train", wanted.train), ("valid", wanted.valid))
    }


def sides(choices, split):
    """The sides on which each group stands."""
    found = {}
    for each in choices:
        if each.key in split and each.group:
            found.setdefault(each.group, set()).add(split[each.key])
    return found


WANTED = Wanted(per_class=100, valid_fraction=0.2, seed=42)


def test_the_counts_are_exact_whether_or_not_there_are_more_pictures():
    for count in (100, 101, 137, 500):
        choices = plain(count)
        assert counts(choices, divide(choices, WANTED)) == exact(WANTED)


def test_the_order_of_the_input_is_irrelevant():
    choices = plain(150) + plain(30, "b")
    shuffled = random.Random(1).sample(choices, len(choices))
    assert divide(choices, WANTED) == divide(shuffled, WANTED)


def test_another_seed_chooses_others():
    choices = plain(200)
    one, other = divide(choices, WANTED), divide(choices, Wanted(per_class=100, valid_fraction=0.2, seed=43))
    assert one != other
    assert counts(choices, other) == exact(WANTED)


def test_five_more_pictures_move_few_others():
    choices = plain(240) + plain(160, "b")
    before = divide(choices, WANTED)
    new = [choice(n, "real", "a") for n in range(900, 905)]
    after = divide(choices + new, WANTED)
    moved = [each.key for each in choices if before.get(each.key) != after.get(each.key)]
    assert len(moved) <= 2 * len(new)


def test_another_source_leaves_the_other_label_as_it_was():
    choices = plain(200)
    before = divide(choices, WANTED)
    after = divide(choices + [choice(n, "ai", "b") for n in range(200)], WANTED)
    assert all(before.get(each.key) == after.get(each.key) for each in choices if each.label == "real")


def test_sources_of_a_class_give_equally_many_on_both_sides():
    choices = plain(1000, "large") + plain(60, "middle") + plain(10, "small")
    split = divide(choices, WANTED)
    given = Counter((each.label, each.source, split[each.key]) for each in choices if each.key in split)
    for label in ("real", "ai"):
        total = {
            name: given[label, name, "train"] + given[label, name, "valid"] for name in ("large", "middle", "small")
        }
        assert total == {"large": 45, "middle": 45, "small": 10}
        assert given[label, "small", "valid"] == 2
        assert given[label, "large", "valid"] == given[label, "middle", "valid"] == 9


def test_pictures_of_equal_content_stay_on_one_side():
    choices = plain(100)
    twins = [Choice(key=("z", each.key[1]), label=each.label, source="a", origin=each.origin) for each in choices[::3]]
    for seed in range(5):
        split = divide(choices + twins, Wanted(per_class=120, valid_fraction=0.2, seed=seed))
        for twin in twins:
            there = {split[key] for key in (twin.key, ("a", twin.key[1])) if key in split}
            assert len(there) < 2


@pytest.mark.parametrize("seed", range(40))
def test_no_random_structure_of_groups_is_ever_separated(seed):
    rng = random.Random(seed)
    wanted = Wanted(per_class=rng.choice([10, 25, 40]), valid_fraction=rng.choice([0.1, 0.2, 0.5]), seed=seed)
    persons = rng.randint(4, 40)
    choices = [
        choice(n, label, rng.choice("abc"), group=rng.choice(["", f"person {rng.randrange(persons)}"]))
        for label in ("real", "ai")
        for n in range(wanted.per_class + rng.randint(0, 10))
    ]
    try:
        split = divide(choices, wanted)
    except NoSplit:
        assert not possible(choices, wanted)
        return
    assert counts(choices, split) == exact(wanted)
    assert all(len(there) == 1 for there in sides(choices, split).values())


@pytest.mark.parametrize("seed", range(60))
def test_a_split_is_found_exactly_where_there_is_one(seed):
    rng = random.Random(seed)
    wanted = Wanted(per_class=rng.randint(4, 9), valid_fraction=rng.choice([0.2, 0.35, 0.5]), seed=seed)
    if not 0 < wanted.valid < wanted.per_class:
        wanted = Wanted(per_class=8, valid_fraction=0.25, seed=seed)
    spanning = seed % 2 == 0
    choices = [
        choice(n, label, group=f"{'' if spanning else label} {rng.randrange(4)}")
        for label in ("real", "ai")
        for n in range(wanted.per_class + rng.randint(0, 2))
    ]
    try:
        split = divide(choices, wanted)
    except NoSplit:
        assert not possible(choices, wanted)
        return
    assert possible(choices, wanted)
    assert counts(choices, split) == exact(wanted)
    assert all(len(there) == 1 for there in sides(choices, split).values())


def possible(choices, wanted):
    """Try every subset of the blocks (of these small examples) as the validation side."""
    blocks = {}
    for each in choices:
        blocks.setdefault(each.group or each.origin, Counter())[each.label] += 1
    total = Counter(each.label for each in choices)
    large = [block for block in blocks.values() if block.total() > 1]
    single = Counter(next(iter(block)) for block in blocks.values() if block.total() == 1)
    if len(large) > 16:
        return True
    for size in range(len(large) + 1):
        for some in combinations(large, size):
            held = sum(some, Counter())
            if all(
                max(wanted.valid, held[label]) <= min(total[label] - wanted.train, held[label] + single[label])
                for label in ("real", "ai")
            ):
                return True
    return False


def test_subset_sums_are_solved_where_taking_in_turn_fails():
    sizes = [7, 7, 6, 6, 6, 5, 3]  # 20 of 40: only by looking ahead
    choices = [
        choice(100 * g + n, label, group=f"{label} {g}")
        for label in ("real", "ai")
        for g, size in enumerate(sizes)
        for n in range(size)
    ]
    for seed in range(20):
        wanted = Wanted(per_class=40, valid_fraction=0.5, seed=seed)
        split = divide(choices, wanted)
        assert counts(choices, split) == exact(wanted)
        assert all(len(there) == 1 for there in sides(choices, split).values())


def test_a_group_that_fits_on_neither_side_is_said_to():
    choices = plain(10) + [choice(n, "real", group="one person") for n in range(500, 595)]
    choices += [choice(n, "ai") for n in range(500, 595)]
    with pytest.raises(NoSplit, match="real has 105 pictures in 11 groups, the largest of 95"):
        divide(choices, WANTED)


def test_what_is_missing_is_counted_by_label():
    choices = [choice(n, "real") for n in range(97)] + [choice(n, "ai") for n in range(100)]
    assert missing(choices, ("real", "ai"), 100) == {"real": 3}
    assert missing([], ("real", "ai"), 100) == {"real": 100, "ai": 100}
