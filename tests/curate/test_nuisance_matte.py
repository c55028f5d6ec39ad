import math

import numpy as np
import pytest
from drawn import portrait
from PIL import Image

from curate.matting.compositing import white_composite
from curate.nuisance import Seen, family

SIZE = 320


def numbers(image, alpha=None):
    return family("matte").measure(Seen(content=b"", image=image, alpha=alpha, box=None))


def cut_out(seed=0):
    picture, alpha = portrait(seed, SIZE)
    return white_composite(picture, alpha), alpha


def composite(picture, share, times=1):
    pixels = np.asarray(picture).astype(float) * share**times + 255 * (1 - share)
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def naive(seed=0):
    """The default cut-out of a well-known tool, laid on white: colours multiplied by alpha twice."""
    picture, alpha = portrait(seed, SIZE)
    return composite(picture, alpha[..., None] / 255, times=2), alpha


def test_a_picture_without_matte_and_without_white_has_no_numbers_at_all():
    assert all(math.isnan(value) for value in numbers(portrait(0)[0]).values())


def test_a_linear_composite_needs_no_darker_person_at_the_edge_and_a_naive_one_does():
    for seed in range(3):
        good, bad = numbers(*cut_out(seed)), numbers(*naive(seed))
        assert abs(good["unmixed_darker_1"]) < 10
        assert bad["unmixed_darker_1"] < good["unmixed_darker_1"] - 20


def test_a_halo_is_seen_without_the_matte_when_the_background_is_white():
    for seed in range(3):
        good, bad = numbers(cut_out(seed)[0]), numbers(naive(seed)[0])
        assert bad["lag"] > good["lag"] + 0.1
        assert abs(good["lag"]) < 0.1
        assert math.isnan(bad["soft_width"])
        assert not math.isnan(bad["coverage"])


def test_a_hard_matte_is_a_staircase_and_a_soft_one_is_not():
    picture, alpha = portrait(1, SIZE)
    hard = np.where(alpha >= 128, 255, 0).astype(np.uint8)
    soft_ones, hard_ones = (
        numbers(white_composite(picture, alpha), alpha),
        numbers(white_composite(picture, hard), hard),
    )
    assert hard_ones["staircase"] == 1
    assert soft_ones["staircase"] == 0
    assert hard_ones["soft_share"] == 0 < soft_ones["soft_share"]
    assert hard_ones["steepest"] == 1 > soft_ones["steepest"]


def test_the_colour_of_the_old_background_in_the_edge_is_noticed():
    rows, columns = np.mgrid[:SIZE, :SIZE]
    share = np.clip((100 - np.hypot(rows - 160, columns - 160)) / 12 + 0.5, 0, 1)[..., None]
    person = Image.new("RGB", (SIZE, SIZE), (190, 150, 120))
    alpha = np.rint(255 * share[..., 0]).astype(np.uint8)
    bled = np.asarray(person) * share + np.array([0, 200, 0]) * (1 - share)
    clean_ones = numbers(composite(person, share), alpha)
    bled_ones = numbers(composite(bled, share), alpha)
    assert bled_ones["unmixed_tinted_1"] > clean_ones["unmixed_tinted_1"] + 20


def test_a_ragged_contour_is_rougher_than_a_smooth_one():
    rows, columns = np.mgrid[:SIZE, :SIZE]
    angle = np.arctan2(rows - 160, columns - 160)
    smooth, ragged = (
        np.where(np.hypot(rows - 160, columns - 160) < 100 + wave, 255, 0).astype(np.uint8)
        for wave in (0, 4 * np.sin(40 * angle))
    )
    picture = portrait(0, SIZE)[0]
    one, other = (numbers(white_composite(picture, alpha), alpha) for alpha in (smooth, ragged))
    for name in ("roughness", "crinkles", "jitter"):
        assert other[name] > one[name]


def test_a_tighter_crop_shows_in_the_silhouette_with_and_without_the_matte():
    white, alpha = cut_out(2)
    box = (50, 50, 270, 270)
    tight = white.crop(box).resize((SIZE, SIZE))
    tight_alpha = np.asarray(Image.fromarray(alpha).crop(box).resize((SIZE, SIZE)))
    for wide_ones, tight_ones in (
        (numbers(white, alpha), numbers(tight, tight_alpha)),
        (numbers(white), numbers(tight)),
    ):
        assert tight_ones["coverage"] > wide_ones["coverage"] + 0.1
        assert tight_ones["first_row"] <= wide_ones["first_row"]
        assert tight_ones["width_25"] > wide_ones["width_25"]


def test_the_silhouette_read_off_the_white_is_that_of_the_matte():
    white, alpha = cut_out(3)
    known, guessed = numbers(white, alpha), numbers(white)
    for name in ("coverage", "centre_x", "centre_y", "touches_bottom", "width_40", "a_06_06"):
        assert guessed[name] == pytest.approx(known[name], abs=0.04)


def test_the_coarse_silhouette_lies_the_right_way_round():
    alpha = np.zeros((240, 240), np.uint8)
    alpha[:80, 160:] = 255
    found = numbers(Image.new("RGB", (240, 240), "grey"), alpha)
    assert (found["a_00_11"], found["a_11_00"], found["a_00_00"]) == (1, 0, 0)
    assert (found["touches_top"], found["touches_left"]) == (pytest.approx(1 / 3), 0)
    assert found["centre_x"] == pytest.approx(5 / 6)
    assert found["centre_y"] == pytest.approx(1 / 6)


def test_pieces_and_holes_are_counted():
    alpha = np.zeros((200, 200), np.uint8)
    alpha[20:120, 20:120] = 255
    alpha[50:90, 50:90] = 0
    alpha[150:180, 150:180] = 255
    found = numbers(Image.new("RGB", (200, 200), "grey"), alpha)
    assert (found["pieces"], found["holes"]) == (2, 1)


def test_a_matte_of_a_very_large_picture_is_measured_where_the_picture_is_looked_at():
    white, alpha = cut_out(4)
    large = (1600, 1600)
    found = numbers(white.resize(large), np.asarray(Image.fromarray(alpha).resize(large)))
    assert found["coverage"] == pytest.approx(numbers(white, alpha)["coverage"], abs=0.01)
    assert not math.isnan(found["dip"])


def test_an_empty_or_full_matte_has_a_silhouette_and_no_rim():
    for level in (0, 255):
        found = numbers(portrait(0, 64)[0], np.full((64, 64), level, np.uint8))
        assert found["coverage"] == pytest.approx(level / 255)
        assert math.isnan(found["dip"])
        assert math.isnan(found["roughness"])
