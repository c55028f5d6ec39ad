"""What the self-test of the audit plants is what it says, in drawn portraits or in those of a project."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from audit.self_test.halves import HALVES, deliver, half_of
from audit.self_test.plants import AS_IT_IS, DELIVERIES, JPEG, PLANTS, UNTOUCHED, WHITE
from audit.self_test.portraits import SIDE, Sitter, draw, sitters
from curate.nuisance import FAMILIES
from imageledger import manifest
from imageledger.record import DUPLICATE, Record, Step


@pytest.fixture(scope="module")
def sitter() -> Sitter:
    return draw(3, seed=1, side=192)


def picture(sitter: Sitter, name: str) -> np.ndarray:
    return np.asarray(deliver(name, sitter, seed=1).seen().image).astype(int)


def test_there_are_twenty_plants_and_each_may_be_named_by_a_family_that_exists():
    assert len(PLANTS) == len({plant.name for plant in PLANTS}) == 20
    assert {family for plant in PLANTS for family in plant.families} <= set(FAMILIES)
    assert {plant.plain for plant in PLANTS} | {plant.touched for plant in PLANTS} <= set(DELIVERIES)
    assert 6 <= sum(plant.small for plant in PLANTS) <= 8


def test_what_is_planted_is_never_in_the_other_class():
    assert all(plant.plain != plant.touched for plant in PLANTS)
    assert not {plant.touched for plant in PLANTS} & set(UNTOUCHED)


@pytest.mark.parametrize("name", DELIVERIES)
def test_the_same_seed_delivers_the_same_bytes(name, sitter):
    one, again = (deliver(name, sitter, seed=5) for _ in range(2))
    assert (one.content, one.name, one.place) == (again.content, again.name, again.place)
    assert 0 <= one.place <= 1
    Image.open(io.BytesIO(one.content)).load()


def test_names_and_places_say_nothing_unless_they_are_the_plant(sitter):
    given = {deliver(name, replace(sitter, number=n), seed=1).name for name in UNTOUCHED for n in range(5)}
    assert len(given) == 3 * 5
    assert {len(name.partition(".")[0]) for name in given} == {len("folder:portraits#") + 16}
    places = [deliver("second half", replace(sitter, number=n), seed=1).place for n in range(9)]
    assert min(places) >= 0.5
    assert (picture(sitter, "as a camera names it") == picture(sitter, AS_IT_IS)).all()


def test_headers_are_planted_without_touching_a_pixel(sitter):
    opened = {name: Image.open(io.BytesIO(deliver(name, sitter, 1).content)) for name in
              (JPEG, "with EXIF", "with ICC", "progressive", "JPEG q85")}  # fmt: skip
    assert {name for name, image in opened.items() if image.getexif()} == {"with EXIF"}
    assert {name for name, image in opened.items() if "icc_profile" in image.info} == {"with ICC"}
    assert {name for name, image in opened.items() if image.info.get("progressive")} == {"progressive"}
    assert opened["JPEG q85"].quantization != opened[JPEG].quantization
    for name in ("with EXIF", "progressive"):
        assert (picture(sitter, name) == picture(sitter, JPEG)).all()


def test_what_was_a_jpeg_before_is_no_jpeg_any_more(sitter):
    for name in ("through JPEG q90", "through 4:4:4", "through 4:2:0"):
        assert Image.open(io.BytesIO(deliver(name, sitter, 1).content)).format == "PNG"
        assert 0 < np.abs(picture(sitter, name) - picture(sitter, AS_IT_IS)).mean() < 5


def test_a_frame_a_watermark_and_a_crop_change_what_they_should(sitter):
    plain = picture(sitter, AS_IT_IS)
    changed = (picture(sitter, "framed") != plain).any(axis=2)
    assert not changed[1:-1, 1:-1].any()
    assert (picture(sitter, "framed")[0] == 200).all()
    marked = (picture(sitter, "watermarked") != plain).any(axis=2)
    assert marked[-20:, -50:].any()
    assert not marked[:90].any()
    assert picture(sitter, "larger").shape == (160, 160, 3)
    assert picture(sitter, "cropped").shape == plain.shape


def test_cut_outs_differ_only_where_their_matte_says_so(sitter):
    plain, alpha = picture(sitter, WHITE), deliver(WHITE, sitter, 1).alpha
    assert (plain[alpha == 0] == 255).all()
    assert (picture(sitter, "off-white")[alpha == 0] == 250).all()
    assert (picture(sitter, "off-white")[alpha == 255] == plain[alpha == 255]).all()
    soft = (alpha > 60) & (alpha < 200)
    assert picture(sitter, "haloed")[soft].mean() < plain[soft].mean() - 5
    assert (picture(sitter, "haloed")[alpha == 0] == 255).all()
    assert set(np.unique(deliver("stepped", sitter, 1).alpha)) == {0, 255}


def test_tones_are_planted_in_the_share_of_pictures_that_is_meant(sitter):
    ratio = picture(sitter, "brighter").mean() / picture(sitter, AS_IT_IS).mean()
    assert 1.06 < ratio < 1.09
    grey = [np.ptp(picture(replace(sitter, number=n), "often grey"), axis=2).max() == 0 for n in range(60)]
    assert 10 <= sum(grey) <= 30


def test_a_picture_without_a_matte_cannot_be_cut_out(sitter):
    with pytest.raises(ValueError, match="without a matte"):
        deliver(WHITE, replace(sitter, alpha=None), 1)


def test_a_drawn_sitter_has_a_whole_matte_and_is_always_the_same(sitter):
    again, other = draw(3, seed=1, side=192), draw(4, seed=1, side=192)
    assert (np.asarray(sitter.image) == np.asarray(again.image)).all()
    assert (np.asarray(sitter.image) != np.asarray(other.image)).any()
    height, width = sitter.alpha.shape
    assert sitter.alpha[height // 2, width // 2] == 255
    assert (sitter.alpha[: height // 20] == 0).all()
    assert 0.2 < sitter.alpha.mean() / 255 < 0.7


def written(project, count: int, side: int = SIDE, matte: bool = True) -> list[Record]:
    """Write a manifest as whiten leaves it; the picture before it is grey level 90, the one after it white."""
    names = [
        project.store.put(bytes_of(Image.new(mode, (side, side), level)), "png")
        for mode, level in (("RGB", (90, 90, 90)), ("RGB", (255, 255, 255)), ("L", 77))
    ]
    rows = [
        Record(source="folder:x", member=f"{number:04}.png", label=("real", "ai")[number % 2], file=names[1],
               width=side, height=side, matte=names[2] if matte else "", group="pair" if number < 2 else "",
               steps=(Step(did="whiten@1", on=names[0]),))
        for number in range(count)
    ]  # fmt: skip
    manifest.write(project.manifest("whiten"), rows)
    return rows


def bytes_of(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def test_a_project_with_enough_pictures_is_tested_on_its_own(project):
    rows = written(project, 30)
    copy = replace(rows[0], member="9999.png", status=DUPLICATE)
    manifest.write(project.manifest("whiten"), [*rows, copy])
    chosen = sitters(project, 30, seed=1)
    assert chosen.own
    assert chosen.with_mattes
    assert chosen.groups.count("pair") == 2
    assert {record.status for record in chosen.records} == {"ok"}
    one = chosen.sitter(4)
    assert one.image.size == (SIDE, SIDE)
    assert one.image.getpixel((9, 9)) == (90, 90, 90), "not the picture that whiten worked on"
    assert (one.alpha == 77).all()


@pytest.mark.parametrize(("count", "side"), [(29, SIDE), (40, 200)])
def test_too_few_or_too_small_pictures_are_replaced_by_drawn_ones(project, count, side):
    written(project, count, side=side)
    chosen = sitters(project, 30, seed=1)
    assert not chosen.own
    assert chosen.with_mattes
    assert len(set(chosen.groups)) == 30


def half_as_strong(sitter, plant):
    plain, half, whole = (picture(sitter, name) for name in (plant.plain, half_of(plant), plant.touched))
    return np.abs(half - plain).mean(), np.abs(whole - plain).mean()


def test_half_a_plant_changes_less_than_the_whole_and_more_than_nothing(sitter):
    alike = [plant for plant in PLANTS if plant.touched in HALVES and plant.name not in ("native size", "file name")]
    in_pixels = [
        plant for plant in alike if plant.plain in (AS_IT_IS, WHITE) and not {"grey", "JPEG"} & set(plant.name.split())
    ]
    assert len(in_pixels) >= 8
    for plant in in_pixels:
        half, whole = half_as_strong(sitter, plant)
        assert 0.2 * whole < half < 0.85 * whole, plant.name


def test_what_is_there_or_not_has_no_half():
    assert {plant.name for plant in PLANTS if not half_of(plant)} == {
        "EXIF in one class", "ICC profile in one class", "progressive JPEG", "file name",
    }  # fmt: skip
