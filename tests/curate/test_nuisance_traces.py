"""What an earlier JPEG and its chroma subsampling leave in decoded pixels."""

import io
import math
from functools import cache

import numpy as np
import pytest
from originals import jpeg, scene
from PIL import Image
from separable import halves, separability

from curate.nuisance import family
from curate.nuisance.seen import Seen
from curate.pictures import pixels

LANCZOS = Image.Resampling.LANCZOS
COUNT = 40


def numbers(name, image):
    return family(name).measure(Seen(content=b"", image=image))


@cache
def photograph(seed, side=256):
    """A drawn scene with the grain of a sensor, in brightness and in colour; turned, so that it has no grid itself."""
    turned = scene(seed, (2 * side, 2 * side)).rotate(17 + seed % 11, Image.Resampling.BICUBIC)
    edge = side // 2
    image = np.asarray(turned.crop((edge, edge, edge + side, edge + side)), dtype=float)
    rng = np.random.default_rng(seed)
    grain = rng.normal(0, 3, (side, side, 1)) + rng.normal(0, 1.5, (side, side, 3))
    return Image.fromarray(np.clip(image * 0.7 + 40 + grain, 0, 255).astype(np.uint8))


def photographs():
    return [photograph(seed) for seed in range(COUNT)]


def through(image, **options):
    """The pixels of a picture that was once a JPEG."""
    target = io.BytesIO()
    image.save(target, "JPEG", **options)
    return Image.open(io.BytesIO(target.getvalue())).convert("RGB")


def shrunk(image, side=147):
    return image.resize((side, side), LANCZOS)


def told_apart(name, plain, touched, pictures=None):
    """How well a family separates two deliveries, each of its own half of the same pictures."""
    pictures = pictures or photographs()
    some, others = halves(len(pictures))
    return separability(
        [numbers(name, plain(pictures[n])) for n in some], [numbers(name, touched(pictures[n])) for n in others]
    )


def lossless(image):
    return image


@pytest.mark.long
@pytest.mark.parametrize("quality", [75, 90, 96])
def test_pixels_that_were_a_jpeg_are_told_from_lossless_ones(quality):
    assert told_apart("jpeg_history", lossless, lambda image: through(image, quality=quality)) >= 0.99


@pytest.mark.long
def test_saving_both_again_at_one_quality_hides_no_history():
    assert (
        told_apart(
            "jpeg_history",
            lambda image: through(image, quality=95),
            lambda image: through(through(image, quality=80), quality=95),
        )
        >= 0.99
    )


def test_two_qualities_are_told_apart_once_they_are_decoded():
    low, high = (lambda image, quality=quality: through(image, quality=quality) for quality in (85, 95))
    assert told_apart("jpeg_history", low, high) >= 0.99


def test_a_grid_is_found_wherever_a_crop_has_put_it():
    def cropped(image, quality=0):
        seed = int(np.asarray(image).sum())
        across, down = np.random.default_rng(seed).integers(0, 8, 2)
        return (through(image, quality=quality) if quality else image).crop((across, down, 240, 240))

    assert told_apart("jpeg_history", cropped, lambda image: cropped(image, 85)) >= 0.99


def test_the_phase_of_the_grid_is_that_of_the_crop():
    image = through(photograph(0), quality=75).crop((3, 6, 250, 250))
    found = numbers("jpeg_history", image)
    for axis, phase in (("across", 5), ("down", 2)):
        shares = [found[f"luma {axis} phase {number}"] for number in range(8)]
        assert int(np.argmax(shares)) == phase


def test_a_grid_that_was_scaled_is_a_peak_elsewhere():
    plain, scaled = (
        numbers("jpeg_history", shrunk(image)) for image in (photograph(1), through(photograph(1), quality=60))
    )
    assert scaled["chroma peak elsewhere"] > plain["chroma peak elsewhere"] + 0.5
    assert told_apart("jpeg_history", shrunk, lambda image: shrunk(through(image, quality=60))) >= 0.95


def test_the_step_of_the_comb_is_that_of_the_quantisation_table():
    steps = [
        numbers("jpeg_history", through(photograph(2), quality=quality))["comb first step"] for quality in (95, 90, 80)
    ]
    table = [math.log(one) for one in (1.2, 2.4, 4.8)]  # of the low frequencies, scaled by the Independent JPEG Group
    assert steps == sorted(steps)
    assert np.allclose(steps, table, atol=0.25)
    assert numbers("jpeg_history", through(photograph(2), quality=90))["comb first strength"] > 0.5
    assert numbers("jpeg_history", photograph(2))["comb first strength"] < 0.3


def test_a_white_background_does_not_count_as_zeroed_frequencies():
    picture = np.array(photograph(3))
    picture[:, :96] = 255
    half, whole = (
        numbers("jpeg_history", through(Image.fromarray(one), quality=85)) for one in (picture, np.array(photograph(3)))
    )
    assert half["zeros first middle"] == pytest.approx(whole["zeros first middle"], abs=0.05)


@pytest.mark.parametrize("name", ["chroma", "jpeg_history"])
def test_chroma_subsampling_is_told_apart_once_it_is_decoded(name):
    full, halved = (
        lambda image, kind=kind: through(image, quality=95, subsampling=kind) for kind in ("4:4:4", "4:2:0")
    )
    assert told_apart(name, full, halved) >= 0.99


def test_repeated_chroma_is_equal_in_pairs():
    ycc = np.array(photograph(4).convert("YCbCr"))
    ycc[..., 1:] = ycc[::2, ::2, 1:].repeat(2, axis=0).repeat(2, axis=1)
    doubled = numbers("chroma", Image.fromarray(ycc, mode="YCbCr").convert("RGB"))
    plain = numbers("chroma", photograph(4))
    for axis in ("across", "down"):
        assert doubled[f"Cb {axis} pair steps"] < -0.5
        assert abs(plain[f"Cb {axis} pair steps"]) < 0.1
        assert doubled[f"Cb {axis} pairs equal excess"] > 0.15


def test_halving_chroma_only_across_is_seen_only_across():
    found = numbers("chroma", through(photograph(5), quality=100, subsampling="4:2:2"))
    assert found["Cr across pair steps either way"] > 3 * found["Cr down pair steps either way"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["jpeg_history", "chroma"])
def test_two_halves_of_the_same_pictures_are_not_told_apart(name):
    rows = [numbers(name, through(image, quality=90)) for image in photographs()]
    found = []
    for seed in range(12):
        some, others = halves(len(rows), seed)
        found.append(separability([rows[n] for n in some], [rows[n] for n in others], seed))
    assert 0.38 < np.mean(found) < 0.62


@pytest.mark.parametrize("name", ["jpeg_history", "chroma"])
def test_pictures_of_any_size_and_of_one_colour_have_the_same_numbers(name):
    usual = numbers(name, photograph(0))
    for size in ((1, 1), (7, 9), (31, 400), (33, 32), (40, 700), (1500, 33), (3000, 1), (1100, 1300)):
        for colour in ("white", "black", "grey", "red"):
            found = numbers(name, Image.new("RGB", size, colour))
            assert found.keys() == usual.keys()
            assert not any(map(math.isinf, found.values()))
    assert all(map(math.isfinite, usual.values()))
    assert all(map(math.isnan, numbers(name, Image.new("RGB", (8, 8))).values()))


@pytest.mark.long
@pytest.mark.parametrize("name", ["jpeg_history", "chroma"])
def test_whatever_can_be_decoded_can_be_measured(testdata, name):
    decoded = 0
    for path in sorted((testdata / "bad-input").iterdir()):
        try:
            image = pixels.decode(path.read_bytes()).image
        except pixels.CannotDecode:
            continue
        decoded += 1
        assert not any(map(math.isinf, numbers(name, image).values())), path.name
    assert decoded > 30


def test_a_picture_is_measured_the_same_every_time():
    image = Image.open(io.BytesIO(jpeg(photograph(6), 80))).convert("RGB")
    for name in ("jpeg_history", "chroma"):
        assert numbers(name, image) == numbers(name, image.copy())


@pytest.mark.long
def test_real_portraits_keep_the_history_of_their_sets_when_both_are_saved_again(testdata):
    folder = testdata / "portraits" / "ffhq-vs-stylegan2"
    rows = {label: [] for label in ("real", "ai")}
    for label, found in rows.items():
        for path in sorted((folder / label).iterdir())[:50]:
            again = through(Image.open(path).convert("RGB"), quality=95)
            found.append(numbers("jpeg_history", again))
    assert separability(rows["real"], rows["ai"]) >= 0.99
