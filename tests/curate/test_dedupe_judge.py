"""From matches to verdicts: keepers, chains, conflicts, groups."""

import random
from dataclasses import replace

from copies_world import LEAST, picture, planned, statuses

from curate.dedupe.judge import Match, Pair, Picture, Verdict, candidates, decide, fold, verified


def test_a_copy_is_a_duplicate_of_the_larger_original():
    plan = planned([picture("copy", 0b11, area=50), picture("original", 0, area=90)], {("copy", "original"): 0.97})
    assert plan.verdicts["s", "copy"] == Verdict(
        status="duplicate", reason="near-duplicate: pHash distance 2, correlation 0.97",
        duplicate_of="s#original", similarity=0.97, group="cluster:original-byt",
    )  # fmt: skip
    assert plan.verdicts["s", "original"] == Verdict(group="cluster:original-byt")


def test_pictures_that_only_hash_alike_are_left_alone():
    plan = planned([picture("a"), picture("b")], {("a", "b"): 0.89})
    assert plan.verdicts == {}


def test_the_same_bytes_and_the_same_pixels_need_no_looking_into():
    rows = [
        picture("a", area=100),
        picture("b", origin="a-bytes", pixels="a-pixels"),
        picture("c", origin="c-bytes", pixels="a-pixels"),
    ]
    plan = planned(rows, {})
    assert {v.reason for v in plan.verdicts.values()} == {"", "same bytes", "same pixels"}
    assert {v.similarity for v in plan.verdicts.values() if v.reason} == {1.0}


def test_rows_without_pixel_digest_are_not_the_same_pixels():
    assert planned([picture("a", pixels="", phash=1), picture("b", pixels="", phash=2**40 - 1)], {}).verdicts == {}


def test_a_mirrored_copy_is_said_to_be_mirrored():
    rows = [picture("a", 0xFFFF0000, mirrored=0xFF), picture("b", 0xFF, mirrored=0xFFFF0000, area=50)]
    folded = fold(rows)
    heads = [same[0] for same in folded]
    pairs = candidates(heads, 6)
    assert pairs == [Pair(0, 1, 0, True)]
    matches = verified(heads, pairs, lambda one, other, turned: 0.98 if turned else 0.0, LEAST)
    plan = decide(folded, matches, lambda *_: 0.0, LEAST)
    assert plan.verdicts["s", "b"].reason == "mirrored near-duplicate: pHash distance 0, correlation 0.98"


def test_a_chain_does_not_make_its_ends_one_picture_but_keeps_them_in_one_group():
    rows = [picture("a", area=300), picture("b", 0b1, area=200), picture("c", 0b11, area=100)]
    plan = planned(rows, {("a", "b"): 0.95, ("b", "c"): 0.95})
    assert statuses(plan) == {"a": "ok", "b": "duplicate", "c": "ok"}
    assert len({verdict.group for verdict in plan.verdicts.values()}) == 1


def test_members_of_a_chain_too_far_apart_by_hash_are_compared_with_the_keeper():
    rows = [picture("a", area=300), picture("b", 0b11111, area=200), picture("c", 0b1111111111, area=100)]
    plan = planned(rows, {("a", "b"): 0.95, ("b", "c"): 0.95, ("a", "c"): 0.93})
    assert plan.verdicts["s", "c"].duplicate_of == "s#a"
    assert plan.verdicts["s", "c"].reason == "near-duplicate: pHash distance 10, correlation 0.93"


def test_the_same_picture_under_both_labels_removes_all_its_rows():
    rows = [picture("a", area=300), picture("b", 1, label="ai"), picture("c", 2), picture("far", 2**60 - 1)]
    plan = planned(rows, {("a", "b"): 0.96, ("a", "c"): 0.99, ("b", "c"): 0.95})
    assert statuses(plan) == {"a": "rejected", "b": "rejected", "c": "rejected"}
    assert plan.verdicts["s", "a"].reason == "conflict: the same picture is labelled ai as s#b"
    assert plan.verdicts["s", "b"].reason == "conflict: the same picture is labelled real as s#a"
    assert plan.verdicts["s", "c"].similarity == 0.95


def test_the_same_bytes_under_both_labels_are_a_conflict_too():
    plan = planned([picture("a"), picture("b", label="ai", origin="a-bytes", pixels="a-pixels")], {})
    assert statuses(plan) == {"a": "rejected", "b": "rejected"}
    assert {verdict.similarity for verdict in plan.verdicts.values()} == {1.0}


def test_twins_of_both_labels_are_kept_as_a_pair_where_that_is_asked_for_or_declared():
    twins = [picture("a", area=300), picture("b", 1, label="ai"), picture("copy", 2), picture("far", 2**60 - 1)]
    scores = {("a", "b"): 0.96, ("a", "copy"): 0.99, ("b", "copy"): 0.95}
    kept = planned(twins, scores, keep_pairs=True)
    assert statuses(kept) == {"a": "ok", "b": "ok", "copy": "duplicate"}
    assert len({(verdict.group, verdict.pair) for verdict in kept.verdicts.values()}) == 1
    assert kept.verdicts["s", "a"].pair.startswith("pair:")
    declared = [replace(row, pair="pair:7", group="pair:7") for row in twins[:3]]
    assert statuses(planned(declared, scores)) == statuses(kept)
    assert {verdict.pair for verdict in planned(declared, scores).verdicts.values()} == {"pair:7"}
    other = [declared[0], replace(declared[1], pair="pair:8")]
    assert statuses(planned(other, scores)) == {"a": "rejected", "b": "rejected"}


def test_the_very_same_picture_under_both_labels_is_a_conflict_even_among_pairs():
    same = [picture("a"), picture("b", label="ai", origin="a-bytes", pixels="a-pixels")]
    assert statuses(planned(same, {}, keep_pairs=True)) == {"a": "rejected", "b": "rejected"}


def test_what_a_person_keeps_is_neither_duplicate_nor_conflict():
    copies = [picture("a", area=300), picture("b", 1, kept=True)]
    plan = planned(copies, {("a", "b"): 0.99})
    assert statuses(plan) == {"a": "ok", "b": "ok"}
    assert plan.verdicts["s", "a"].group == plan.verdicts["s", "b"].group
    plan = planned([picture("a", kept=True), picture("b", 1, label="ai")], {("a", "b"): 0.99})
    assert statuses(plan) == {"a": "ok", "b": "rejected"}


def test_a_declared_group_stays_and_takes_the_copies_in():
    rows = [picture("a", area=300), picture("b", 1, group="person 7")]
    plan = planned(rows, {("a", "b"): 0.99})
    assert {verdict.group for verdict in plan.verdicts.values()} == {"person 7"}


def test_declared_groups_that_share_a_picture_become_one():
    rows = [
        picture("a", 0, group="x"), picture("b", 1, group="y"),
        picture("c", 2**50 - 1, group="y"), picture("d", 2**50 - 2, group="z"),
    ]  # fmt: skip
    plan = planned(rows, {("a", "b"): 0.99, ("c", "d"): 0.99})
    assert {verdict.group for verdict in plan.verdicts.values()} == {"x"}
    assert {plan.groups[name] for name in ("y", "z")} == {"x"}


def test_the_best_is_the_largest_then_the_least_compressed_then_by_content():
    def ranked(name, *rank):
        return Picture(
            key=("s", name),
            label="real",
            group="",
            pair="",
            origin=name,
            pixels="p",
            phash=0,
            mirrored=0,
            rank=(*rank, name),
        )

    rows = [
        ranked("large", -200, 900, -0.1), ranked("lossless", -100, 0, -1.0), ranked("fine", -100, 64, -2.0),
        ranked("heavy", -100, 900, -3.0), ranked("light", -100, 900, -0.5), ranked("later", -100, 900, -0.5),
    ]  # fmt: skip
    random.Random(0).shuffle(rows)
    (folded,) = fold(rows)
    assert [row.key[1] for row in folded] == ["large", "lossless", "fine", "heavy", "later", "light"]


def test_the_plan_does_not_depend_on_the_order_of_the_rows():
    rng = random.Random(3)
    rows = [
        picture(f"n{n}", rng.getrandbits(3), area=rng.randint(1, 5), label=rng.choice(["real", "ai"]))
        for n in range(30)
    ]
    scores = {(one.key[1], other.key[1]): rng.random() * 0.2 + 0.75 for one in rows for other in rows}
    plan = planned(rows, scores)
    assert plan.verdicts
    for _ in range(5):
        rng.shuffle(rows)
        assert planned(rows, scores) == plan


def test_a_pair_is_a_candidate_both_ways_when_its_hashes_are():
    rows = [picture("a", 0, mirrored=1), picture("b", 1, mirrored=0)]
    assert candidates(rows, 1) == [Pair(0, 1, 1, False), Pair(0, 1, 0, True)]
    matches = {Pair(0, 1, 1, False): Match(1, False, 0.95), Pair(0, 1, 0, True): Match(0, True, 0.97)}
    plan = decide([[row] for row in rows], matches, lambda *_: 0.0, LEAST)
    assert plan.verdicts["s", "b"].reason.startswith("mirrored")
