"""Looking into two pictures: edits are alike, different pictures are not."""

import io

import numpy as np
import pytest
from originals import jpeg, scene
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from curate.history import on_original
from curate.pictures.likeness import ALIKE, likeness, view


def crop(image, left, top, right, bottom):
    width, height = image.size
    box = round(left * width), round(top * height), round(width * (1 - right)), round(height * (1 - bottom))
    return image.crop(box)


EDITS = {
    "recompressed": lambda image: Image.open(io.BytesIO(jpeg(image, 30))),
    "half the size": lambda image: image.resize((160, 160), Image.Resampling.BICUBIC),
    "squashed": lambda image: image.resize((200, 120)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.4),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
    "sharpened": lambda image: image.filter(ImageFilter.UnsharpMask(2, 150)),
    "4 % off the left": lambda image: crop(image, 0.04, 0, 0, 0),
    "4 % off a corner": lambda image: crop(image, 0.04, 0.04, 0, 0),
    "10 % off all around": lambda image: crop(image, 0.05, 0.05, 0.05, 0.05),
    "10 % off the top": lambda image: crop(image, 0, 0.1, 0, 0),
    "10 % off a corner": lambda image: crop(image, 0, 0, 0.1, 0.1),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_picture_is_the_same_picture(edit):
    for seed in range(3):
        original = scene(seed)
        assert likeness(view(original), view(EDITS[edit](original))) >= ALIKE


def test_different_pictures_are_not_alike():
    views = [view(scene(seed)) for seed in range(8)]
    for n, one in enumerate(views):
        assert all(likeness(one, other) < 0.5 for other in views[n + 1 :])


def test_likeness_does_not_depend_on_which_comes_first():
    one, other = view(scene(0)), view(crop(scene(0), 0.08, 0.02, 0, 0.05))
    assert likeness(one, other) == likeness(other, one)


def test_the_mirror_image_is_alike_only_when_mirrored():
    one, other = view(scene(0)), view(ImageOps.mirror(scene(0)))
    assert likeness(one, other) < 0.5
    assert likeness(one, other.mirrored()) > 0.99


def test_flat_pictures_are_like_nothing_not_even_each_other():
    flat = view(Image.new("RGB", (300, 300), "white"))
    assert likeness(flat, flat) == 0
    assert likeness(flat, view(scene(0))) == 0


def test_with_a_matte_only_the_person_counts():
    person = Image.new("L", (320, 320), 0)
    ImageDraw.Draw(person).ellipse((90, 60, 230, 300), fill=255)
    on_a, on_b = (Image.composite(scene(9), scene(ground), person) for ground in (1, 2))
    assert likeness(view(on_a), view(on_b)) < ALIKE
    assert likeness(view(on_a, person), view(on_b, person)) >= ALIKE
    swapped = Image.composite(scene(8), scene(1), person)
    assert likeness(view(on_a, person), view(swapped, person)) < 0.5


def test_a_matte_lies_where_its_crop_was_cut_out():
    matte = Image.new("L", (64, 64), 255)
    seen = view(scene(0, (400, 200)), on_original(matte, (200, 0, 400, 200), (400, 200))).person
    assert seen is not None
    assert np.allclose(seen[:, :60], 0, atol=2)
    assert np.allclose(seen[:, 68:], 255, atol=2)


def test_a_matte_that_shows_nobody_is_left_aside():
    nobody = Image.new("L", (320, 320), 0)
    seen = view(scene(0), nobody)
    assert likeness(seen, view(scene(0))) > 0.99
