"""The edges of what counts as a copy: ties, thresholds, mirrored links of a chain, and which comparison is reported."""

from copies_world import LEAST, picture, planned, statuses

from curate.dedupe.judge import Match, Pair, candidates, decide, fold, verified


def likenesses(scores):
    """A likeness that looks pairs up, straight and mirrored ones apart, and a list of what it was asked."""
    asked = []

    def alike(one, other, mirrored):
        asked.append((one.key[1], other.key[1], mirrored))
        return scores.get((one.key[1], other.key[1], mirrored), 0.2)

    return alike, asked


def chained(pictures, pairs, scores):
    """The plan for a chain of pictures of which these pairs, by their places, have been found to be the same."""
    alike, asked = likenesses(scores)
    matches = {Pair(one, other, 4, False): Match(4, False, 0.95) for one, other in pairs}
    return decide([[row] for row in pictures], matches, alike, LEAST), asked


def test_each_exact_copy_says_whether_it_shares_the_bytes_or_only_the_pixels():
    rows = [
        picture("kept", area=300),
        picture("bytes", origin="kept-bytes", pixels="kept-pixels"),
        picture("pixels", pixels="kept-pixels"),
    ]
    verdicts = planned(rows, {}).verdicts
    assert (verdicts["s", "bytes"].reason, verdicts["s", "pixels"].reason) == ("same bytes", "same pixels")


def test_a_likeness_at_the_limit_itself_is_enough():
    rows = [picture("a", area=300), picture("b", 1)]
    pair = Pair(0, 1, 1, False)
    assert verified(rows, [pair], lambda *_: LEAST, LEAST) == {pair: Match(1, False, LEAST)}
    assert statuses(planned(rows, {("a", "b"): LEAST})) == {"a": "ok", "b": "duplicate"}


def test_a_mirrored_pair_has_the_smaller_of_its_two_distances():
    one, other = picture("a", 0, mirrored=0xFF00), picture("b", 0xFF07, mirrored=0b1)
    assert candidates([one, other], 3) == [Pair(0, 1, 1, True)]
    assert candidates([other, one], 3) == [Pair(0, 1, 1, True)]


def test_of_two_ways_to_be_alike_the_better_is_reported_in_whichever_order_they_were_found():
    rows = [picture("a", area=300), picture("b", 1)]
    straight, turned = (Pair(0, 1, 1, False), Match(1, False, 0.97)), (Pair(0, 1, 0, True), Match(0, True, 0.95))
    for found in ([straight, turned], [turned, straight]):
        plan = decide([[row] for row in rows], dict(found), lambda *_: 0.0, LEAST)
        assert plan.verdicts["s", "b"].reason == "near-duplicate: pHash distance 1, correlation 0.97"


def test_a_picture_that_is_as_alike_mirrored_as_straight_is_not_called_mirrored():
    rows = [picture("a", area=300), picture("b", 1)]
    matches = {Pair(0, 1, 1, False): Match(1, False, 0.97), Pair(0, 1, 1, True): Match(1, True, 0.97)}
    plan = decide([[row] for row in rows], matches, lambda *_: 0.0, LEAST)
    assert plan.verdicts["s", "b"].reason.startswith("near-duplicate")
    chain = [picture("a", area=300), picture("b", 1, area=200), picture("c", 3)]
    plan, _ = chained(chain, [(0, 1), (1, 2)], {("a", "c", False): 0.93, ("a", "c", True): 0.93})
    assert plan.verdicts["s", "c"].reason.startswith("near-duplicate")


def test_a_link_of_a_chain_is_compared_with_the_keeper_both_straight_and_mirrored():
    rows = [picture("a", 0b0011, area=300), picture("b", 1, area=200), picture("c", 2**40, mirrored=0b0111)]
    plan, asked = chained(rows, [(0, 1), (1, 2)], {("a", "c", True): 0.93})
    assert asked == [("a", "c", False), ("a", "c", True)]
    assert plan.verdicts["s", "c"].reason == "mirrored near-duplicate: pHash distance 1, correlation 0.93"
    assert plan.verdicts["s", "c"].duplicate_of == "s#a"


def test_a_link_of_a_chain_that_reaches_the_limit_exactly_is_a_copy_of_the_keeper():
    rows = [picture("a", area=300), picture("b", 1, area=200), picture("c", 3)]
    plan, _ = chained(rows, [(0, 1), (1, 2)], {("a", "c", False): LEAST})
    assert plan.verdicts["s", "c"].duplicate_of == "s#a"


def test_a_link_that_is_unlike_the_keeper_does_not_hide_the_copies_behind_it():
    rows = [picture("a", area=300), picture("unlike", 1, area=200), picture("copy", 3, area=100)]
    plan, _ = chained(rows, [(0, 2), (1, 2)], {})
    assert statuses(plan) == {"a": "ok", "unlike": "ok", "copy": "duplicate"}
    assert plan.verdicts["s", "copy"].duplicate_of == "s#a"
    assert len({verdict.group for verdict in plan.verdicts.values()}) == 1


def test_what_is_left_of_a_chain_forms_a_cluster_of_its_own():
    rows = [picture(name, area=area) for name, area in (("a", 400), ("b", 300), ("c", 200), ("d", 100))]
    plan, _ = chained(rows, [(0, 1), (1, 2), (2, 3)], {("b", "d", False): 0.95})
    assert statuses(plan) == {"a": "ok", "b": "duplicate", "c": "ok", "d": "duplicate"}
    assert plan.verdicts["s", "d"].duplicate_of == "s#c"


def test_exact_copies_meet_through_a_third_that_shares_bytes_with_one_and_pixels_with_the_other():
    rows = [
        picture("a", origin="x", pixels=""), picture("b", origin="x", pixels="p"), picture("c", origin="y", pixels="p"),
    ]  # fmt: skip
    (together,) = fold(rows)
    assert {row.key[1] for row in together} == {"a", "b", "c"}
