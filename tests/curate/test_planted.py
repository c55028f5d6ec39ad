"""Leaks that are planted in one's own numbers: as large as they say, and found as often as they say."""

import numpy as np
import pytest
from probed_world import EACH, alone, labels, noise, probed

from curate.evidence.permuted import Quick, folds_of
from curate.evidence.planted import SHARES, detectable, leaks
from curate.evidence.verdict import SHORTCUT


def planted(share, groups=None, positive=None, count=30):
    positive = labels() if positive is None else positive
    groups = alone(len(positive)) if groups is None else groups
    matrix = Quick(noise(1, columns=4, rows=len(positive))).matrix
    folds = folds_of(positive, groups, 0)
    return matrix, folds, leaks(matrix, positive, groups, folds, share=share, count=count, seed=0)


def test_every_fold_keeps_as_many_pictures_of_a_class():
    _, folds, made = planted(0.3)
    for held in folds:
        assert (made[held].sum(axis=0) == labels()[held].sum()).all()


def test_a_leak_of_a_whole_class_separates_it_in_one_number_and_a_leak_of_none_does_not():
    matrix, folds, made = planted(1.0)
    held = folds[0]
    for column in made.T:
        areas = [
            np.mean(matrix[held][column[held]][:, None, k] > matrix[held][~column[held]][None, :, k]) for k in range(4)
        ]
        assert max(max(areas), 1 - min(areas)) == 1
    _, _, nothing = planted(0.0, count=400)
    assert abs(nothing.mean(axis=1) - 0.5).max() < 0.15


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_a_share_of_the_class_lies_beyond_all_other_pictures(share):
    matrix, _, made = planted(share, count=60)
    first = []
    for column in made.T:
        runs = [np.argmin(column[np.argsort(sign * matrix[:, k])]) for k in range(4) for sign in (1, -1)]
        first.append(max(runs) / EACH)  # so many of the outermost pictures are positive
    assert np.mean(first) == pytest.approx(share, abs=0.12)


def test_groups_stay_whole_and_pairs_keep_one_picture_of_each_class():
    threes = [str(row // 3) for row in range(120)]
    positive = np.arange(120) // 3 % 2 == 1
    _, _, made = planted(0.4, threes, positive)
    assert (made.reshape(40, 3, -1).min(axis=1) == made.reshape(40, 3, -1).max(axis=1)).all()
    pairs = [str(row // 2) for row in range(120)]
    _, _, made = planted(0.4, pairs, np.arange(120) % 2 == 1)
    assert (made.reshape(60, 2, -1).sum(axis=1) == 1).all()


def test_more_pictures_find_smaller_leaks_and_few_find_none():
    def seen(each):
        (one, _) = probed(noise(3, columns=6, rows=2 * each), permutations=500)
        return one.detectable

    assert seen(12) is None
    assert 0.1 <= seen(400) < seen(60) <= 1


def test_numbers_that_never_vary_hide_every_leak():
    quick, positive = Quick(np.ones((40, 3))), labels(20)
    assert detectable(quick, positive, alone(40), [], None, seed=0, limit=0.01) is None


@pytest.mark.long
def test_a_leak_as_large_as_said_is_found_by_the_whole_probe_in_eight_of_ten_sets():
    values, positive, groups = noise(5), labels(), alone(2 * EACH)
    (one, _) = probed(values, positive, groups, permutations=1000)
    assert one.detectable in SHARES
    quick, folds = Quick(values), folds_of(positive, groups, 42)
    made = leaks(quick.matrix, positive, groups, folds, share=one.detectable, count=20, seed=9)
    found = sum(
        probed(values, column, groups, permutations=1000, joint=False)[0].verdict == SHORTCUT for column in made.T
    )
    assert found >= 13  # 16 are expected; fewer than 13 have a probability of 3 %
