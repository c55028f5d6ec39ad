"""Deliveries are swapped as they were measured, and only what depends on them flips."""

from dataclasses import replace

import numpy as np
import pytest
from originals import jpeg, png, scene
from PIL import Image, ImageDraw

from audit.reliance import swaps
from audit.reliance.swaps import Delivery
from curate.matting import compositing
from curate.pictures import pixels
from imageledger.record import Record, Step
from imageledger.store import Store


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def lit(seed, level, quality):
    """A scene with a disc in the middle and a background of this level, as a JPEG of this quality."""
    ground = Image.blend(scene(seed, (200, 240)), Image.new("RGB", (200, 240), (level,) * 3), 0.8)
    ImageDraw.Draw(ground).ellipse((50, 60, 150, 180), fill=(200, 150, 40 + seed))
    return jpeg(ground, quality)


@pytest.fixture
def delivered(tmp_path):
    """Two classes that were delivered differently: bright q60 reals, dark q95 ai."""
    store, rows = Store(tmp_path / "objects"), []
    for label, level, quality in (("real", 190, 60), ("ai", 90, 95)):
        for n in range(8):
            name = store.put(lit(n, level, quality), "jpg")
            rows.append(Record(source="s", member=f"{label}/{n}", label=label, origin=name, file=name))
    return store, rows


def corner(image):
    return float(np.asarray(image.convert("L"), dtype=float)[:20].mean())


def middle(image):
    return float(np.asarray(image.convert("L"), dtype=float)[90:150, 80:120].mean())


def ask_of(look, threshold, scale=-0.1):
    return lambda images: [float(sigmoid(scale * (look(image) - threshold))) for image in images]


def test_a_model_that_looks_at_the_background_flips_when_deliveries_are_swapped_but_not_under_the_placebo(delivered):
    store, rows = delivered
    ask = ask_of(corner, 140)
    before = list(ask(pixels.decode(store.read(row.file)).image for row in rows))
    found = swaps.swap(rows, before, ("real", "ai"), store, lambda _, images: ask(images))
    assert [(one.label, one.other, one.flipped.hits, one.placebo.hits) for one in found] == [
        ("real", "ai", 8, 0),
        ("ai", "real", 8, 0),
    ]
    assert all(one.p < 0.01 and one.shift > 1 for one in found)
    assert (found[0].delivery.quality, found[1].delivery.quality) == (95, 60)


def test_a_model_that_looks_at_the_middle_does_not_flip(delivered):
    store, rows = delivered
    ask = ask_of(middle, 100, scale=0.5)
    before = list(ask(pixels.decode(store.read(row.file)).image for row in rows))
    for one in swaps.swap(rows, before, ("real", "ai"), store, lambda _, images: ask(images)):
        assert (one.flipped.hits, one.placebo.hits) == (0, 0)
        assert abs(one.shift) < 1


def test_an_unstable_model_flips_under_the_placebo_too(delivered):
    store, rows = delivered
    rng = np.random.default_rng(0)
    for one in swaps.swap(
        rows, [0.4] * len(rows), ("real", "ai"), store, lambda _, images: [rng.random() for _ in images]
    ):
        assert one.placebo.hits > 0
        assert one.p > 0.01


def test_a_picture_delivered_as_it_was_reaches_the_model_as_it_did(tmp_path):
    store = Store(tmp_path / "objects")
    image = scene(3, (300, 260))
    origin = store.put(png(image), "png")
    crop = (20, 10, 240, 230)
    normal = store.put(pixels.encode(pixels.downscale(image, crop, 96), "jpeg", 90), "jpg")
    alpha = Image.new("L", (96, 96))
    ImageDraw.Draw(alpha).ellipse((10, 10, 86, 96), fill=255)
    edge = compositing.standard_edge(np.asarray(alpha))
    white = compositing.white_composite(pixels.decode(store.read(normal)).image, np.asarray(alpha), edge)
    steps = (
        Step(did="normalize@2", on=origin, settings={"quality": 90, "format": "jpeg"}, found={"crop": list(crop)}),
        Step(did="whiten@1", on=normal),
    )
    record = Record(
        source="s", member="m", label="real", origin=origin, file=store.put(png(white), "png"),
        matte=store.put(png(alpha), "png"), width=96, height=96, steps=steps,
    )  # fmt: skip
    own = Delivery(quality=0, side=260, background=swaps.brightness(image, swaps.background(record, image.size, store)))
    assert np.array_equal(np.asarray(swaps.remade(record, store, own)), np.asarray(white))
    bare = replace(record, file=normal, matte="", steps=steps[:1])
    own = replace(own, background=swaps.brightness(image, swaps.background(bare, image.size, store)))
    assert np.array_equal(
        np.asarray(swaps.remade(bare, store, own)), np.asarray(pixels.decode(store.read(normal)).image)
    )


def test_a_smaller_delivery_never_falls_below_what_the_model_sees(tmp_path):
    store = Store(tmp_path / "objects")
    image = scene(3, (300, 260))
    origin = store.put(png(image), "png")
    crop = (20, 10, 240, 230)
    normal = store.put(pixels.encode(pixels.downscale(image, crop, 96), "jpeg", 90), "jpg")
    step = Step(did="normalize@2", on=origin, settings={"quality": 90}, found={"crop": list(crop)})
    record = Record(source="s", member="m", label="real", origin=origin, file=normal, steps=(step,))
    for side in (20, 100, 900):
        assert swaps.remade(record, store, Delivery(quality=80, side=side, background=10)).size == (96, 96)


@pytest.mark.parametrize("quality", [1, 40, 75, 90, 95, 100])
def test_the_quality_of_a_table_is_found(quality):
    assert swaps.quality_of(pixels.decode(jpeg(scene(0), quality)).tables) == quality
    assert swaps.quality_of(0) == 0
