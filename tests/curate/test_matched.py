"""Matching: a planted confounder is removed, a true signal stays, and nothing but content and numbers decides."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from matched_world import record, world

from curate.evidence.measure import Table
from curate.evidence.permuted import auc
from curate.manifest.balance import Wanted, divide, evenly, lot
from curate.manifest.matched import choice_of, select
from curate.manifest.matching import choose as choosing
from curate.manifest.parts import division

WANTED = Wanted(per_class=50, valid_fraction=0.2, seed=42)


def chosen(table, split):
    return np.array([row.key in split for row in table.records])


def separation(scores, table, side):
    """The AUC of some scores on a side."""
    label = np.array([row.label == "ai" for row in table.records])
    return float(auc(scores[side][:, None], label[side][:, None])[0])


def plain_of(table, wanted=WANTED):
    return divide([choice_of(row) for row in table.records], wanted)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_confounder_is_removed_and_a_true_signal_beside_it_stays(seed):
    table, signal = world(seed=seed)
    light = table.values["tone"].mean(axis=1)
    plain, matched = chosen(table, plain_of(table)), chosen(table, select(table, "ai", WANTED).split)
    assert separation(light, table, plain) > 0.7
    assert abs(separation(light, table, matched) - 0.5) < 0.12  # two standard deviations of chance
    assert separation(signal, table, matched) > 0.75


def test_the_counts_are_exact_and_pairs_take_every_picture_once():
    table, _ = world()
    made = select(table, "ai", WANTED)
    labels = {row.key: row.label for row in table.records}
    assert Counter((labels[key], side) for key, side in made.split.items()) == {
        ("real", "train"): 40, ("real", "valid"): 10, ("ai", "train"): 40, ("ai", "valid"): 10,
    }  # fmt: skip
    assert Counter(key for pair in made.pairs for key in pair) == Counter(list(made.split))
    assert {(labels[one], labels[other]) for one, other in made.pairs} == {("real", "ai")}
    assert set(made.loose) <= set(made.pairs)


def test_pairs_stay_on_one_side_of_the_split():
    table, _ = world()
    made = select(table, "ai", WANTED)
    assert all(made.split[one] == made.split[other] for one, other in made.pairs)


def test_no_group_is_torn_apart():
    table, _ = world(group=lambda n, label: f"person {n // 4}" if n < 80 else "")
    made = select(table, "ai", WANTED)
    sides = {}
    for row in table.records:
        if row.group and row.key in made.split:
            sides.setdefault(row.group, set()).add(made.split[row.key])
    assert len(sides) > 10
    assert all(len(found) == 1 for found in sides.values())


def test_pictures_that_no_matched_split_can_part_fall_back_on_the_plain_choice():
    table, _ = world(60, group=lambda n, label: "one burst" if n < 45 and label == "ai" else "")
    wanted = Wanted(per_class=30, valid_fraction=0.2, seed=1)
    made = select(table, "ai", wanted)
    assert Counter(made.split.values()) == {"train": 48, "valid": 12}
    assert {made.split[row.key] for row in table.records if row.group and row.key in made.split} <= {"train", "valid"}


def test_the_order_of_the_rows_is_irrelevant():
    table, _ = world()
    order = random.Random(1).sample(range(len(table.records)), len(table.records))
    assert select(table.take(order), "ai", WANTED) == select(table, "ai", WANTED)


@pytest.mark.long
def test_halves_that_are_as_alike_as_chance_has_them_are_left_as_they_are():
    def kept(table):
        """How many halves hold the plain choice of their own."""
        choices = [choice_of(row) for row in table.records]
        parts, counts = division(choices, WANTED.per_class, WANTED.seed)
        made, same = set(select(table, "ai", WANTED).split), 0
        for part, count in enumerate(counts):
            ranked = sorted(choices, key=lambda choice: (lot(WANTED.seed, choice.origin), choice.key))
            own = [choice for choice in ranked if parts[choice.key] == part]
            same += evenly(own, replace(WANTED, per_class=count)) <= made
        return same

    assert sum(kept(world(shift=0.0, seed=seed)[0]) for seed in range(6)) >= 3
    assert not any(kept(world(shift=1.2, seed=seed)[0]) for seed in range(2))


def test_the_halves_share_no_group_and_hold_labels_and_sources_evenly():
    table, _ = world(count=120, sources=("folder:a", "folder:b"), group=lambda n, label: f"{label}{n // 3}")
    choices = [choice_of(row) for row in table.records]
    parts, counts = division(choices, 50, 42)
    assert counts == [25, 25]
    by_group = {}
    for choice in choices:
        by_group.setdefault(choice.group, set()).add(parts[choice.key])
    assert all(len(found) == 1 for found in by_group.values())
    held = Counter((parts[choice.key], choice.label, choice.source) for choice in choices)
    assert max(held.values()) - min(held.values()) <= 6
    assert division(list(reversed(choices)), 50, 42) == (parts, counts)


def test_candidates_that_cannot_be_halved_choose_together():
    table, _ = world(40, group=lambda n, label: "one burst" if label == "ai" and n < 36 else "")
    assert division([choice_of(row) for row in table.records], 20, 42) is None
    assert select(table, "ai", Wanted(per_class=20, valid_fraction=0.2, seed=42)) is not None


def test_sources_give_evenly_where_the_matching_allows_it():
    table, _ = world(count=200, sources=("folder:a", "folder:b"), shift=0.6)
    made = select(table, "ai", WANTED)
    given = Counter((row.label, row.source) for row in table.records if row.key in made.split)
    assert all(abs(count - 25) <= 3 for count in given.values())


def test_a_family_in_which_the_classes_never_meet_is_left_out_and_named():
    table, _ = world()
    label = np.array([row.label == "ai" for row in table.records])
    values = {**table.values, "matte": table.values["matte"] + 20.0 * label[:, None]}
    made = select(Table(table.records, table.columns, values), "ai", WANTED)
    light = table.values["tone"].mean(axis=1)
    assert made.hopeless == ["matte"]
    assert abs(separation(light, table, chosen(table, made.split)) - 0.5) < 0.12


def test_numbers_that_never_differ_leave_nothing_to_match():
    rows = [record(n, label) for label in ("real", "ai") for n in range(60)]
    constant = {"tone": np.ones((120, 2)), "matte": np.full((120, 1), np.nan)}
    assert select(Table(rows, {"tone": ["a", "b"], "matte": ["c"]}, constant), "ai", WANTED) is None


def test_numbers_that_do_not_apply_are_matched_on_as_such():
    table, _ = world(shift=0.0, seed=2)
    label = np.array([row.label == "ai" for row in table.records])
    absent = np.random.default_rng(3).random(len(label)) < np.where(label, 0.6, 0.2)
    values = {**table.values, "tone": np.where(absent[:, None], np.nan, table.values["tone"])}
    table = Table(table.records, table.columns, values)

    def gap(split):
        side = chosen(table, split)
        return abs(absent[side & label].mean() - absent[side & ~label].mean())

    assert gap(plain_of(table)) > 0.25
    assert gap(select(table, "ai", WANTED).split) < 0.2


def test_large_choices_are_made_in_parts_and_thousands_of_candidates_are_narrowed(monkeypatch):
    monkeypatch.setattr(choosing, "PART", 20)
    monkeypatch.setattr(choosing, "POOL", 60)
    table, _ = world(count=300)
    made = select(table, "ai", WANTED)
    assert len(made.split) == 100
    assert len(set(made.pairs)) == 50
    light = table.values["tone"].mean(axis=1)
    assert separation(light, table, chosen(table, plain_of(table))) > 0.7
    assert abs(separation(light, table, chosen(table, made.split)) - 0.5) < 0.15
