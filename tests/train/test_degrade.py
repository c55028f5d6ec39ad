"""Worn copies: the same every time, of the same size, in every way that they are said to wear; and what they count."""

import numpy as np
import pytest
from drawn import portrait

from curate.pictures import pixels
from train.degrade import worn
from train.pictures import TRAIN, VALID, Picture


def apart(one, other):
    return float(np.abs(np.asarray(one, dtype=np.float64) - np.asarray(other)).mean())


def test_a_picture_wears_the_same_way_every_time_and_keeps_its_size():
    for number in range(12):
        image, _ = portrait(number, 96)
        copy = worn(image)
        assert (copy.size, copy.mode) == (image.size, "RGB")
        assert pixels.pixel_digest(copy) == pixels.pixel_digest(worn(image.copy()))


def test_pictures_wear_each_in_its_own_way_and_some_hardly():
    found = [apart(image, worn(image)) for image, _ in (portrait(number, 96) for number in range(40))]
    assert len(set(found)) > 30
    assert min(found) < 1 < 3 < max(found)


def pictures_of(tmp_path, n=60):
    return [
        Picture(source="folder:x", member=f"{row}.png", file="", label=("real", "ai")[row % 2], group=str(row),
                split=VALID if row >= n - 20 else TRAIN, path=tmp_path / "none")
        for row in range(n)
    ]  # fmt: skip


def test_copies_that_did_not_wear_change_nothing_and_worn_ones_do(tmp_path):
    strong = pytest.importorskip("train.recipes.frozen")
    rows = pictures_of(tmp_path)
    labels = np.array([one.label == "ai" for one in rows])
    rng = np.random.default_rng(4)
    values = (rng.normal(size=(60, 2, 8)) + labels[:, None, None] * np.array([2, 2] + 6 * [0])).astype(np.float32)
    known = values[:40]
    plain = strong.fitted(rows, ("real", "ai"), values)
    same = strong.fitted(rows, ("real", "ai"), values, known)
    assert same.weight == pytest.approx(plain.weight, abs=2e-3)
    assert same.bias == pytest.approx(plain.bias, abs=2e-3)
    lost = values.copy()
    lost[..., 0] = -8  # whatever they show, worn pictures look like one class
    careful = strong.fitted(rows, ("real", "ai"), values, lost[:40])
    right = [((line.probabilities(lost) > 0.5) == labels)[40:].mean() for line in (plain, careful)]
    assert right[0] == 0.5
    assert right[1] > 0.7
    assert ((careful.probabilities(values) > 0.5) == labels)[40:].mean() > 0.7
