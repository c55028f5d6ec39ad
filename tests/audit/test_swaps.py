"""Pictures are delivered as either class came; what reads the delivery moves, and what it destroys is not reliance."""

import numpy as np
import pytest
from originals import jpeg, scene
from PIL import Image, ImageDraw

from audit.reliance import swaps
from audit.reliance.delivery import Delivery, differing
from curate.pictures import pixels
from imageledger.record import Record
from imageledger.store import Store

LABELS = ("real", "ai")


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def lit(seed, level, quality):
    """A scene with a disc in the middle and a background of this level, as a JPEG of this quality."""
    ground = Image.blend(scene(seed, (200, 240)), Image.new("RGB", (200, 240), (level,) * 3), 0.8)
    ImageDraw.Draw(ground).ellipse((50, 60, 150, 180), fill=(200, 150, 40 + 2 * seed))
    return jpeg(ground, quality)


@pytest.fixture
def delivered(tmp_path):
    """Two classes that were delivered differently: bright q60 reals, dark q95 ai."""
    store, rows = Store(tmp_path / "objects"), []
    for label, level, quality in (("real", 190, 60), ("ai", 90, 95)):
        for n in range(12):
            name = store.put(lit(n, level + n, quality), "jpg")
            rows.append(Record(source="s", member=f"{label}/{n}", label=label, origin=name, file=name))
    return store, rows


def corner(image):
    return float(np.asarray(image.convert("L"), dtype=float)[:20].mean())


def middle(image):
    """The hue of the disc, which no delivery here changes much."""
    values = np.asarray(image, dtype=float)[90:150, 80:120]
    return float((values[..., 0] - values[..., 2]).mean())


def asked(delivered, look, threshold, scale, **changes):
    store, rows = delivered

    def ask(_keys, images):
        return [float(sigmoid(scale * (look(image) - threshold))) for image in images]

    before = ask(None, (pixels.decode(store.read(row.file)).image for row in rows))
    found = swaps.swap(rows, before, LABELS, changes.get("outside", rows), store, ask)
    return {one.what: one for one in found}


def test_a_model_that_looks_at_the_background_moves_towards_the_class_of_the_delivery(delivered):
    found = asked(delivered, corner, 140, -0.1)
    whole = found[swaps.EVERYTHING]
    assert [(flips.hits, still.hits) for flips, still in zip(whole.flipped, whole.placebo, strict=True)] == [
        (12, 0)
    ] * 2
    assert whole.p < 0.001
    assert whole.bias.low > 1
    assert whole.drift.value == pytest.approx(0, abs=1)
    assert found["background"].p < 0.001
    assert found["quality"].still
    assert (whole.came[0].quality, whole.came[1].quality) == (60, 95)


def test_a_model_that_looks_at_the_middle_does_not_move_with_the_background(delivered):
    found = asked(delivered, middle, 100, 0.5)
    assert found["background"].still
    assert found["quality"].p > 0.05


def trace(image):
    """How strong a fine pattern is in the middle, which JPEG of low quality wipes out."""
    grey = np.asarray(image.convert("L"), dtype=float)[90:150, 80:120]
    return float(np.abs(np.diff(grey, axis=1)).mean())


def test_a_trace_that_a_delivery_destroys_moves_one_class_alone_and_that_is_no_bias(tmp_path):
    store, rows = Store(tmp_path / "objects"), []
    rng = np.random.default_rng(0)
    for label, quality in (("real", 30), ("ai", 97)):
        for n in range(12):
            values = np.asarray(scene(n, (200, 240)), dtype=float) * 0.3 + 90
            if label == "ai":
                values[90:150, 80:120] += 6 * rng.normal(size=(60, 40, 1))
            picture = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
            name = store.put(jpeg(picture, quality), "jpg")
            rows.append(Record(source="s", member=f"{label}/{n}", label=label, origin=name, file=name))
    found = asked((store, rows), trace, 4.0, 2.0)
    quality = found["quality"]
    real, ai = quality.shifts
    assert ai.value > 1, "the delivery of the reals takes the trace away"
    assert abs(real.value) < 0.3
    assert quality.p > 0.5
    assert not quality.still


def test_an_unstable_model_flips_under_the_placebo_too_and_shows_nothing(delivered):
    store, rows = delivered
    rng = np.random.default_rng(0)
    found = swaps.swap(rows, [0.4, 0.6] * 12, LABELS, rows, store, lambda _, images: [rng.random() for _ in images])
    for one in found:
        assert sum(flips.hits for flips in one.placebo) > 0
        assert one.p > 0.01


def test_how_the_classes_came_is_measured_on_pictures_that_no_number_chose(delivered):
    store, rows = delivered
    alike = [row for row in rows if row.label == "real"]
    twins = [Record(source="t", member=row.member, label="ai", origin=row.origin, file=row.file) for row in alike]
    chosen = (store, [*alike, *twins])
    assert asked(chosen, corner, 190, -0.1, outside=[*alike, *twins]) == {}, "they came alike: nothing can be asked"
    found = asked(chosen, corner, 190, -0.1, outside=rows)
    assert found["background"].p < 0.001


def test_deliveries_differ_only_beyond_what_nobody_sees():
    one = Delivery(quality=90, side=1000, light=100, background=100, colour=40)
    near = Delivery(quality=92, side=1040, light=103, background=97, colour=42)
    assert differing(one, near) == ()
    far = Delivery(quality=0, side=1100, light=105, background=95, colour=44)
    assert differing(one, far) == ("quality", "side", "light", "background", "colour")
    assert differing(Delivery(quality=100), Delivery(quality=0)) == ()
    assert differing(one.only("side"), far) == ("side",)


def test_a_group_counts_once_and_a_shift_within_the_margin_is_none():
    positive = np.arange(40) >= 20
    before = sigmoid(np.where(positive, 1.0, -1.0) + np.tile(np.linspace(-1, 1, 20), 2))
    moved = sigmoid(np.log(before / (1 - before)) + 0.1)
    came = (Delivery(quality=60), Delivery(quality=95))
    apart = [str(n) for n in range(40)]
    one = swaps.compared("quality", came, before, before, moved, positive, apart)
    assert one.still
    assert one.p > 0.5
    far = sigmoid(np.log(before / (1 - before)) + 1.0 + np.tile(np.repeat([0.5, -0.5], 10), 2))
    alone, grouped = (swaps.compared("quality", came, before, before, far, positive, names)
                      for names in (apart, [str(n // 10) for n in range(40)]))  # fmt: skip
    assert alone.p < 1e-6 < grouped.p


def test_where_deliveries_hardly_differ_less_of_a_shift_counts(delivered):
    found = asked(delivered, corner, 140, -0.1)
    assert {one.margin for one in found.values()} == {swaps.MARGIN}, "here they lie far apart"
    positive = np.arange(40) >= 20
    before = sigmoid(np.where(positive, 1.0, -1.0) + np.tile(np.linspace(-1, 1, 20), 2))
    moved = sigmoid(np.log(before / (1 - before)) + 0.12 + np.tile([0.02, -0.02], 20))
    came = (Delivery(light=100), Delivery(light=108))
    apart = [str(n) for n in range(40)]
    large, little = (swaps.compared("light", came, before, before, moved, positive, apart, margin)
                     for margin in (0.3, 0.1))  # fmt: skip
    assert (large.still, little.still) == (True, False)
    assert little.p < 0.001
