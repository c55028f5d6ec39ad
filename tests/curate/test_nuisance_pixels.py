import math

import numpy as np
import pytest
from drawn import portrait
from PIL import Image, ImageDraw, ImageEnhance

from curate.nuisance import Seen, family
from curate.nuisance.backdrop import white_backdrop

NAMES = ("resampling", "tone", "border", "matte", "face_geometry", "thumbnail")
KERNEL = Image.Resampling


def numbers(name, image, alpha=None, box=None):
    return family(name).measure(Seen(content=b"", image=image, alpha=alpha, box=box))


def textured(seed=0, size=512):
    """A drawn portrait with detail up to the finest: what a camera would have delivered."""
    picture, _ = portrait(seed, size)
    noise = np.random.default_rng(seed).normal(0, 14, (size, size, 1))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def resized(image, side, kernel=KERNEL.LANCZOS):
    return image.resize((side, side), kernel)


def on_white(seed=0, size=256, white=255):
    picture, alpha = portrait(seed, size)
    share = alpha[..., None] / 255
    laid = np.rint(np.asarray(picture) * share + white * (1 - share))
    return Image.fromarray(laid.astype(np.uint8)), alpha


def grey(level, size=64):
    return Image.new("RGB", (size, size), (level,) * 3)


ODD = {
    "one pixel": Image.new("RGB", (1, 1), "white"),
    "two by two": Image.new("RGB", (2, 2), "black"),
    "one row": Image.new("RGB", (700, 1), "red"),
    "one column": Image.new("RGB", (1, 700), "white"),
    "flat grey": grey(128, 300),
    "flat white": grey(255, 300),
    "flat black": grey(0, 300),
    "very wide": Image.new("RGB", (20000, 30), "grey"),
    "tiny": portrait(1, 40)[0].resize((9, 7)),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_however_odd_gets_the_same_keys_and_no_infinity(name):
    usual = numbers(name, portrait(0, 128)[0], box=(30, 20, 90, 100))
    for title, image in ODD.items():
        for alpha in (None, np.zeros(image.size[::-1], np.uint8), np.full(image.size[::-1], 255, np.uint8)):
            for box in (None, (0, 0, 1, 1), (0, 0, *image.size)):
                found = numbers(name, image, alpha, box)
                assert list(found) == list(usual), title
                assert all(isinstance(value, float) for value in found.values()), title
                assert not any(math.isinf(value) for value in found.values()), title


@pytest.mark.parametrize("name", NAMES)
def test_measuring_twice_gives_the_same_numbers(name):
    image, alpha = on_white(3)
    first, second = (numbers(name, image, alpha, (60, 50, 200, 190)) for _ in range(2))
    assert first == pytest.approx(second, nan_ok=True, abs=0)


@pytest.mark.parametrize("name", NAMES)
def test_every_family_says_what_removes_its_shortcut(name):
    one = family(name)
    assert one.name == name
    assert one.of == "pixels"
    assert "curate " in one.advice


def test_an_enlarged_picture_has_a_lower_cut_off_than_a_native_one():
    for seed in range(3):
        native = resized(textured(seed), 256)
        enlarged = resized(resized(textured(seed), 128), 256, KERNEL.BICUBIC)
        true, false = numbers("resampling", native), numbers("resampling", enlarged)
        assert false["detail_most"] < 0.85 < true["detail_most"]
        assert false["above_7"] < true["above_7"] - 1


def test_a_soft_photograph_that_was_never_enlarged_keeps_its_noise_and_its_cut_off():
    soft = np.asarray(portrait(0, 512)[0].resize((256, 256), KERNEL.BOX)).astype(float)
    noisy = np.clip(soft + np.random.default_rng(0).normal(0, 3, soft.shape), 0, 255).astype(np.uint8)
    assert numbers("resampling", Image.fromarray(noisy))["detail_most"] > 0.85


def test_every_kernel_leaves_its_own_correlation_between_neighbours():
    def of(kernel):
        return numbers("resampling", resized(textured(), 200, kernel))

    nearest, bilinear, bicubic, lanczos = map(of, (KERNEL.NEAREST, KERNEL.BILINEAR, KERNEL.BICUBIC, KERNEL.LANCZOS))
    assert nearest["above_9"] > lanczos["above_9"] > bicubic["above_9"] > bilinear["above_9"]
    assert len({round(one["residual_h2"], 3) for one in (nearest, bilinear, bicubic, lanczos)}) == 4


def test_an_enlargement_by_half_leaves_its_period_and_a_native_picture_has_none():
    native = resized(textured(1), 300)
    enlarged = resized(resized(textured(1), 200), 300, KERNEL.BILINEAR)
    true, false = numbers("resampling", native), numbers("resampling", enlarged)
    assert false["period_3_h"] > true["period_3_h"] + 1
    assert false["period_3_v"] > true["period_3_v"] + 1
    assert false["period_at_h"] == pytest.approx(1 / 3, abs=0.01)


def test_the_spectrum_of_a_person_on_white_is_that_of_the_person_and_not_of_the_silhouette():
    picture, _ = portrait(2, 256)
    pixels = np.array(picture)
    cut = pixels.copy()
    cut[:, :80] = 255
    alone = numbers("resampling", Image.fromarray(pixels[:, 80:]))
    kept = numbers("resampling", Image.fromarray(cut))
    for name in ("noise", "residual_h1", "floor", "slope_high"):
        assert kept[name] == pytest.approx(alone[name], rel=0.15, abs=0.15)


def test_a_clean_backdrop_is_found_and_a_bright_sky_or_a_white_shirt_is_not():
    image, alpha = on_white()
    found = white_backdrop(np.asarray(image))
    assert found is not None
    assert (found == (alpha == 0)).mean() > 0.97
    assert white_backdrop(np.asarray(on_white(white=250)[0])) is not None
    sky = np.random.default_rng(0).integers(240, 256, (64, 64, 3)).astype(np.uint8)
    assert white_backdrop(sky) is None
    shirt = np.full((64, 64, 3), 90, np.uint8)
    shirt[20:44, 20:44] = 255
    assert white_backdrop(shirt) is None


def test_brightness_and_colour_of_a_person_do_not_depend_on_how_much_white_is_around():
    picture, _ = portrait(4, 240)
    pixels = np.asarray(picture)
    wide = np.full((400, 400, 3), 255, np.uint8)
    wide[80:320, 80:320] = pixels
    bare, framed = numbers("tone", picture), numbers("tone", Image.fromarray(wide))
    for name in ("brightness", "contrast", "saturation", "cast_blue", "luma_50"):
        assert framed[name] == pytest.approx(bare[name], rel=0.05, abs=1)


def test_a_grey_picture_is_flagged_and_a_pale_one_is_not():
    picture, _ = portrait(5)
    assert numbers("tone", picture.convert("L").convert("RGB"))["grey_picture"] == 1
    assert numbers("tone", ImageEnhance.Color(picture).enhance(0.5))["grey_picture"] == 0


def test_saturation_and_brightness_go_up_when_they_are_turned_up():
    picture, _ = portrait(6)
    plain = numbers("tone", picture)
    assert numbers("tone", ImageEnhance.Color(picture).enhance(1.2))["saturation"] > plain["saturation"] * 1.1
    assert numbers("tone", ImageEnhance.Brightness(picture).enhance(1.06))["brightness"] > plain["brightness"] * 1.04


def test_a_brightened_picture_keeps_gaps_in_its_histogram_and_an_untouched_one_has_none():
    picture = textured(2)
    assert numbers("tone", picture)["gaps"] == 0
    assert numbers("tone", ImageEnhance.Brightness(picture).enhance(1.06))["gaps"] > 0.01


def test_hue_is_a_direction_so_that_two_reds_on_both_sides_of_zero_are_neighbours():
    one, other = (numbers("tone", Image.new("RGB", (32, 32), colour)) for colour in ((200, 40, 50), (200, 50, 40)))
    assert one["hue_cos"] == pytest.approx(other["hue_cos"], abs=0.01)
    assert abs(one["hue_sin"] - other["hue_sin"]) < 0.15


def test_exact_white_and_almost_white_backgrounds_are_told_apart():
    white, paper = (numbers("border", on_white(white=level)[0]) for level in (255, 251))
    assert white["top_left_white"] == 1
    assert paper["top_left_white"] == 0
    assert paper["top_left_near_white"] == 1
    assert white["frame_commonest"] == 255
    assert paper["frame_commonest"] == 251


def test_letterbox_bars_and_a_border_line_are_found_on_the_side_where_they_are():
    picture, _ = portrait(1)
    barred, lined = picture.copy(), picture.copy()
    ImageDraw.Draw(barred).rectangle((0, 0, 255, 20), fill="black")
    ImageDraw.Draw(lined).line((0, 255, 255, 255), fill="black")
    plain, bars, line = (numbers("border", one) for one in (picture, barred, lined))
    assert bars["top_still_lines"] == pytest.approx(21 / 256)
    assert bars["bottom_still_lines"] == plain["bottom_still_lines"] == 0
    assert line["bottom_jump"] > plain["bottom_jump"] + 1
    assert line["top_jump"] == plain["top_jump"]


def test_small_print_stands_out_in_its_corner_and_nowhere_else():
    picture, _ = portrait(2, 512)
    marked = picture.copy()
    ImageDraw.Draw(marked).text((430, 500), "made by someone", fill=(20, 20, 20))
    plain, print_ = numbers("border", picture), numbers("border", marked)
    risen = {
        name: print_[name] - plain[name]
        for name in plain
        if name.endswith("stands_out") and print_[name] != plain[name]
    }
    assert max(risen, key=risen.__getitem__) in ("bottom_7_stands_out", "bottom_6_stands_out", "right_7_stands_out")
    assert max(risen.values()) > 0.3
    assert set(risen) <= {"bottom_6_stands_out", "bottom_7_stands_out", "right_7_stands_out"}


def test_the_border_of_a_large_picture_is_that_of_its_small_version():
    picture = on_white(1, 512)[0]
    small = numbers("border", picture)
    large = numbers("border", picture.resize((1536, 1536), KERNEL.NEAREST))
    for name in ("top_near_white", "bottom_mean", "top_left_mean", "frame_near_white"):
        assert large[name] == pytest.approx(small[name], abs=2)


def test_a_thumbnail_holds_the_layout_and_not_the_texture():
    picture = textured(7, 256)
    found = numbers("thumbnail", picture)
    assert len(found) == 256 + 2 * 64
    blurred = numbers("thumbnail", resized(resized(picture, 64), 256))
    assert max(abs(found[name] - blurred[name]) for name in found) < 6
    mirrored = numbers("thumbnail", picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert mirrored["g_03_00"] == pytest.approx(found["g_03_15"], abs=1)


def test_a_face_box_is_given_relative_to_the_picture():
    found = numbers("face_geometry", portrait(0, 200)[0], box=(50, 40, 150, 160))
    assert (found["has_face"], found["centre_x"], found["centre_y"]) == (1, 0.5, 0.5)
    assert (found["width"], found["height"]) == (0.5, pytest.approx(0.6))
    assert found["aspect"] == pytest.approx(100 / 120)


def test_a_picture_without_a_face_has_no_eyes_but_says_so():
    found = numbers("face_geometry", portrait(0)[0], box=None)
    assert found["has_face"] == 0
    assert math.isnan(found["eye_left_x"])
    assert not math.isnan(found["place_eyes"])


def test_eyes_are_found_where_they_were_drawn():
    picture = Image.new("RGB", (300, 300), (210, 170, 140))
    draw = ImageDraw.Draw(picture)
    for x in (115, 185):
        draw.ellipse((x - 12, 133, x + 12, 147), fill=(30, 20, 20))
    found = numbers("face_geometry", picture, box=(50, 60, 250, 260))
    assert found["eye_left_x"] == pytest.approx(115 / 300, abs=0.01)
    assert found["eye_right_x"] == pytest.approx(185 / 300, abs=0.01)
    assert found["eyes_y"] == pytest.approx(140 / 300, abs=0.01)
    assert found["axis"] == pytest.approx(0.5, abs=0.01)
    assert found["eyes_off"] < 0.05
    moved = numbers("face_geometry", picture.transform(picture.size, 0, (1, 0, 30, 0, 1, 0)), box=(20, 60, 220, 260))
    assert moved["eyes_off"] > found["eyes_off"] + 0.1


def test_families_hold_where_a_set_of_real_pictures_is_at_hand(testdata):
    """The small print of the StyleGAN2 pictures, and the framing of the Unsplash ones, in single numbers."""

    def medians(family_name, feature, folder):
        paths = sorted((testdata / "portraits" / folder).iterdir())[:16]
        return np.nanmedian([numbers(family_name, Image.open(path).convert("RGB"))[feature] for path in paths])

    mark = "bottom_6_stands_out"
    assert medians("border", mark, "ffhq-vs-stylegan2/ai") > medians("border", mark, "ffhq-vs-stylegan2/real") + 0.3
    places = [medians("face_geometry", "place_eyes", f"unsplash-vs-stylegan2/{label}") for label in ("real", "ai")]
    assert places[1] > places[0] + 0.5
