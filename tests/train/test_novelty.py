"""What the training pictures are like: far is what 99 % of them are not, and too few of them say nothing."""

import json

import numpy as np
import pytest
from drawn import portrait
from PIL import Image

from train.models import novelty as familiar
from train.models.novelty import Familiar

NAMES = [one for ones in familiar.NUMBERS.values() for one in ones]


def table(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, len(NAMES))) * np.arange(1, len(NAMES) + 1)


@pytest.mark.long
def test_about_one_new_picture_in_a_hundred_is_far_when_it_is_like_the_training_ones():
    shares = []
    for seed in range(8):
        told = familiar.fit(table(120, seed), [])
        shares.append(np.mean([told.distance(row) > told.limit for row in table(500, 100 + seed)]))
    assert 0.002 < np.mean(shares) < 0.03


def test_what_differs_in_one_number_by_ten_spreads_is_far():
    told = familiar.fit(table(120), [])
    for number in range(len(NAMES)):
        row = np.zeros(len(NAMES))
        row[number] = 10 * (number + 1)
        assert told.distance(row) > told.limit


def test_numbers_that_do_not_apply_count_as_the_median():
    rows = table(80)
    rows[::7, 9] = np.nan
    told = familiar.fit(rows, [])
    usual = list(told.median)
    assert told.distance([float("nan")] * len(NAMES)) == pytest.approx(told.distance(usual))
    rows[:, 9] = np.nan
    assert np.isfinite(familiar.fit(rows, []).limit)


def test_a_number_that_never_varied_breaks_nothing():
    rows = table(60)
    rows[:, 2] = 0.0
    assert familiar.fit(rows, []).distance(rows[0]) < familiar.fit(rows, []).limit * 2


def test_too_few_training_pictures_say_nothing():
    assert familiar.fit(table(familiar.FEWEST - 1), []) is None


def test_an_enlarged_original_has_less_fine_detail_than_a_native_one():
    native = [portrait(seed, 320)[0] for seed in range(3)]
    enlarged = [portrait(seed, 160)[0].resize((320, 320), Image.Resampling.BICUBIC) for seed in range(3)]
    told = familiar.fit(table(60), [familiar.fine_of(one) for one in native])
    assert all(familiar.fine_of(one) < told.fine for one in enlarged)
    assert familiar.fit(table(60), [float("nan")]).fine is None


def test_it_survives_json_and_nothing_else_passes_for_it():
    told = familiar.fit(table(60), [-3.0])
    values = json.loads(json.dumps(told.plain()))
    assert Familiar.of_json(values) == told
    for name, value in (("limit", -1), ("limit", "1"), ("mean", [0.0]), ("names", ["x"]), ("fine", [1]), ("n", 1.5),
                        ("inverse", [[1.0]]), ("inverse", [["x"] * 13] * 13), ("median", None)):  # fmt: skip
        with pytest.raises((ValueError, TypeError)):
            Familiar.of_json({**values, name: value})
    with pytest.raises(ValueError, match="and nothing else"):
        Familiar.of_json({**values, "more": 1})
