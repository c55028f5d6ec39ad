"""A picture delivered as it was reaches the model as it did; each thing is set to what was asked, and no other."""

import numpy as np
import pytest
from originals import jpeg, png, scene
from PIL import Image, ImageDraw

from audit.reliance import delivery as deliveries
from audit.reliance.delivery import Delivery
from curate.matting import compositing
from curate.pictures import pixels
from imageledger.record import Record, Step
from imageledger.store import Store


def normalised(store, image, size=96):
    crop = (20, 10, 240, 230)
    normal = store.put(pixels.encode(pixels.downscale(image, crop, size), "jpeg", 90), "jpg")
    origin = store.put(png(image), "png")
    steps = (
        Step(did="normalize@2", on=origin, settings={"quality": 90, "format": "jpeg"}, found={"crop": list(crop)}),
    )
    return Record(source="s", member="m", label="real", origin=origin, file=normal, width=96, height=96, steps=steps)


def test_a_picture_delivered_as_it_was_reaches_the_model_as_it_did(tmp_path):
    store = Store(tmp_path / "objects")
    image = scene(3, (300, 260))
    bare = normalised(store, image)
    as_it_was = np.asarray(pixels.decode(store.read(bare.file)).image)
    own = Delivery(quality=0, side=260)
    assert np.array_equal(np.asarray(deliveries.remade(bare, image, store, own)), as_it_was)
    assert np.array_equal(np.asarray(deliveries.remade(bare, image, store, Delivery())), as_it_was)
    measured, _ = deliveries.delivery_of([deliveries.measured(bare, store=store)])
    assert np.abs(np.asarray(deliveries.remade(bare, image, store, measured), dtype=int) - as_it_was).max() <= 3


def test_a_whitened_picture_goes_the_same_way_with_the_same_matte(tmp_path):
    store = Store(tmp_path / "objects")
    image = scene(3, (300, 260))
    bare = normalised(store, image)
    alpha = Image.new("L", (96, 96))
    ImageDraw.Draw(alpha).ellipse((10, 10, 86, 96), fill=255)
    edge = compositing.standard_edge(np.asarray(alpha))
    white = compositing.white_composite(pixels.decode(store.read(bare.file)).image, np.asarray(alpha), edge)
    record = Record(
        source="s", member="m", label="real", origin=bare.origin, file=store.put(png(white), "png"),
        matte=store.put(png(alpha), "png"), width=96, height=96,
        steps=(*bare.steps, Step(did="whiten@1", on=bare.file)),
    )  # fmt: skip
    assert np.array_equal(np.asarray(deliveries.remade(record, image, store, Delivery(quality=0))), np.asarray(white))


def test_a_smaller_delivery_never_falls_below_what_the_model_sees(tmp_path):
    store = Store(tmp_path / "objects")
    image = scene(3, (300, 260))
    record = normalised(store, image)
    for side in (20, 100, 900):
        delivery = Delivery(quality=80, side=side, light=90, background=10, colour=20)
        assert deliveries.remade(record, image, store, delivery).size == (96, 96)


@pytest.mark.parametrize(("dial", "value"), [("light", 110.0), ("colour", 25.0), ("side", 150)])
def test_a_thing_is_set_to_what_was_asked_and_the_others_stay(dial, value):
    image = scene(5, (200, 240))
    grey = Image.blend(image, Image.new("RGB", image.size, (120, 110, 100)), 0.6)
    mask = np.zeros((240, 200), dtype=np.float32)
    came, _ = deliveries.redelivered(grey, Delivery(**{dial: value}), mask)

    def numbers(picture):
        values = np.asarray(picture, dtype=np.float32)
        return {"light": deliveries.grey(values), "colour": deliveries.chroma(values), "side": min(picture.size)}

    before, after = numbers(grey), numbers(came)
    assert after.pop(dial) == pytest.approx(value, rel=0.05)
    for name, number in after.items():
        assert number == pytest.approx(before[name], rel=0.05)


def test_the_background_alone_is_lit_where_the_mask_says_so():
    image = scene(5, (200, 240))
    mask = np.zeros((240, 200), dtype=np.float32)
    mask[:, :50] = 1
    came, _ = deliveries.redelivered(image, Delivery(background=150.0), mask)
    before, after = (np.asarray(picture, dtype=np.float32) for picture in (image, came))
    assert np.array_equal(before[:, 50:], after[:, 50:])
    assert deliveries.grey(after[:, :50]) == pytest.approx(150, abs=6)


@pytest.mark.parametrize("quality", [1, 40, 75, 90, 95, 100])
def test_the_quality_of_a_table_is_found(quality):
    assert deliveries.quality_of(pixels.decode(jpeg(scene(0), quality)).tables) == quality
    assert deliveries.quality_of(0) == 0


def test_deliveries_lie_as_far_apart_as_the_pictures_of_a_class_do():
    spreads = {"quality": 5.0, "side": 50.0, "light": 20.0, "background": 20.0, "colour": 10.0}
    one, other = Delivery(quality=90, light=100), Delivery(quality=95, light=150)
    assert deliveries.apart(one, other, spreads) == 2.5
    assert deliveries.apart(one.only("quality"), other.only("quality"), spreads) == 1
    assert deliveries.apart(Delivery(quality=100), Delivery(quality=0), spreads) == 0.2
