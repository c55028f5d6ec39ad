"""Counts of pictures: without groups as the textbooks have them, with groups as little as the groups are worth."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from imageledger.counted import Counted, mean_by_group, of_each
from imageledger.intervals import wilson


def flags(hits, total):
    return np.arange(total) < hits


def test_pictures_that_stand_alone_have_wilsons_interval_and_fishers_test():
    one, other = Counted(flags(36, 40), range(40)), Counted(flags(28, 40), [f"p{row}" for row in range(40)])
    assert one.interval == wilson(36, 40)
    assert one.against(other) == pytest.approx(fisher_exact([[36, 4], [28, 12]])[1])
    assert str(of_each([True, False])).startswith("1/2 = 50.0 %")


def test_four_copies_of_each_picture_are_worth_no_more_than_the_pictures():
    alone = Counted(flags(30, 40), range(40))
    copies = Counted(np.repeat(alone.flags, 4), np.repeat(np.arange(40), 4))
    assert np.ptp(copies.interval) >= 0.97 * np.ptp(alone.interval)
    assert np.ptp(Counted(copies.flags, range(160)).interval) < 0.6 * np.ptp(alone.interval)
    half = Counted(np.repeat(flags(20, 40), 4), copies.groups)
    assert copies.against(half) > 0.5 * alone.against(Counted(flags(20, 40), range(40)))


def test_groups_that_all_agree_count_as_their_number():
    low, _ = Counted(np.ones(40, dtype=bool), np.arange(40) // 4).interval
    assert low < wilson(10, 10)[0] + 0.001


@pytest.mark.long
def test_the_interval_of_grouped_pictures_holds_the_truth_and_that_of_single_ones_does_not():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), 3)
    held = np.zeros(2)
    for _ in range(600):
        share = rng.beta(0.8, 0.2, 30)  # pictures of a group agree with a correlation of one half
        found = rng.random(90) < share[groups]
        for kind, counted in enumerate((Counted(found, groups), Counted(found, range(90)))):
            low, high = counted.interval
            held[kind] += low <= 0.8 <= high
    with_groups, without = held / 600
    assert 0.93 <= with_groups <= 0.99
    assert without < 0.88


def test_a_count_without_groups_is_refused_and_nothing_counts_as_nothing():
    with pytest.raises(ValueError, match="3 pictures with 2 groups"):
        Counted(np.ones(3, dtype=bool), ["a", "b"])
    nothing = Counted(np.zeros(0, dtype=bool), [])
    assert (nothing.share, nothing.interval, str(nothing)) == (0.0, (0.0, 1.0), "0/0 (nothing to count)")


def test_a_group_is_the_mean_of_its_pictures():
    assert mean_by_group(np.array([1.0, 3.0, 10.0]), ["b", "b", "a"]).tolist() == [10.0, 2.0]
