"""The self-test of the audit: what is planted is what it says, and the report says what was found."""

import io
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit.self_test import plants
from audit.self_test import work as selftest
from audit.self_test.plants import AS_IT_IS, DELIVERIES, JPEG, PLANTS, UNTOUCHED, WHITE, deliver
from audit.self_test.portraits import SIDE, Sitter, Sitters, draw, sitters
from audit.self_test.work import Nulls, Planted, PlantProbes, SelfTest, SelfTestSettings
from curate.evidence.probe import CLEAN, SHORTCUT, Probe, probe
from curate.nuisance import FAMILIES
from imageledger import manifest
from imageledger.record import DUPLICATE, Record, Step

NOBODY = Sitters(groups=[f"sitter {number}" for number in range(200)])


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


def judged(family: str, auc: float, verdict: str = SHORTCUT) -> Probe:
    return Probe(
        family=family, features=3, auc=auc, low=auc - 0.05, high=min(1.0, auc + 0.05), model="linear", p=0.001,
        chance=0.59, verdict=verdict, needed=0, strongest=None, scores=np.zeros(2),
    )  # fmt: skip


def found(*probes: Probe) -> PlantProbes:
    return PlantProbes(plant=PLANTS[0], probes=sorted(probes, key=lambda one: -one.auc))


def test_a_plant_is_right_only_when_its_own_family_calls_it_and_stands_among_the_strongest():
    assert PLANTS[0].families == ("jpeg_history",)
    assert found(judged("jpeg_history", 0.97), judged("chroma", 1.0)).right
    assert not found(judged("jpeg_history", 0.8), judged("chroma", 1.0)).right
    assert not found(judged("jpeg_history", 0.6, CLEAN), judged("tone", 0.61, CLEAN)).right


def test_the_report_passes_only_with_every_plant_named_and_few_false_alarms():
    right, wrong = found(judged("jpeg_history", 1.0)), found(judged("jpeg_history", 0.5, CLEAN), judged("tone", 0.9))
    report = SelfTest(planted=[right], alarms=[[], ["tone"]] + [[]] * 38, sitters=NOBODY)
    assert report.passed
    assert not replace(report, planted=[right, wrong]).passed
    assert not replace(report, alarms=[["tone"], ["all"], ["tone", "all"], *[[]] * 37]).passed
    text = " ".join(replace(report, planted=[right, wrong]).sentences)
    assert "1 of 2 planted nuisances" in text
    assert "1/40 = 2.5 %" in text
    rows = replace(report, planted=[right, wrong]).rows()
    assert [row["right"] for row in rows] == ["yes", "NO"]
    assert rows[0]["named"] == "jpeg-history"
    assert rows[1]["named"] == ""
    assert rows[1]["stronger still"] == "tone 0.90"


def test_the_report_says_when_nothing_could_be_planted_in_cut_outs():
    bare = Record(source="folder:x", member="1.png", label="real")
    report = SelfTest(planted=[], alarms=[[]], sitters=replace(NOBODY, records=[bare]))
    assert "of this project" in " ".join(replace(report, planted=[found(judged("jpeg_history", 1.0))]).sentences)
    assert "curate whiten" in " ".join(report.sentences)


def test_a_planted_set_takes_each_picture_from_its_own_side():
    plant = PLANTS[0]
    rows = [{plant.plain: {"tone": {"b": 1.0, "a": 0.0}}, plant.touched: {"tone": {"a": 9.0, "b": 1.0}}}] * 4
    positive = np.array([True, False, False, True])
    given = selftest.planted(plant, rows, positive)
    assert given.columns == {"tone": ["a", "b"]}
    assert given.values["tone"].tolist() == [[9, 1], [0, 1], [0, 1], [9, 1]]


def test_looking_at_a_planted_set_names_the_family_that_separates():
    rng, positive = np.random.default_rng(1), np.arange(80) < 40
    values = {"jpeg_history": rng.normal(size=(80, 3)), "tone": rng.normal(size=(80, 4))}
    values["jpeg_history"][positive, 1] += 4
    columns = {"jpeg_history": ["a", "b", "c"], "tone": ["d", "e", "f", "g"]}
    job = Planted(plant=PLANTS[0], columns=columns, values=values, positive=positive)
    seen = selftest.probe_plant(job, groups=NOBODY.groups[:80], seed=1)
    assert seen.right
    assert seen.probes[0].family == "jpeg_history"


def test_false_alarms_are_those_that_the_probe_itself_would_give():
    rng, groups = np.random.default_rng(3), NOBODY.groups[:60]
    values = {"tone": rng.normal(size=(60, 5)), "chroma": rng.normal(size=(60, 2))}
    values["chroma"][:, 1] += 5 * selftest.labelled(60, 30, 12)
    columns = {name: [str(number) for number in range(numbers.shape[1])] for name, numbers in values.items()}
    expected = []
    for seed in (10, 12):
        probes = probe(columns, values, selftest.labelled(60, 30, seed), groups, seed=seed)
        expected.append([one.family for one in probes if one.verdict == SHORTCUT])
    alarms = selftest.false_alarms(Nulls(values=values, positives=30, seeds=[10, 12]), groups=groups)
    assert alarms == expected
    assert alarms[0] == []
    assert "chroma" in alarms[1]
    assert "all" in alarms[1]


def test_classes_by_chance_have_the_size_that_is_asked_for():
    assert selftest.labelled(200, 20, 4).sum() == 20
    assert (selftest.labelled(200, 100, 4) != selftest.labelled(200, 100, 5)).any()


def drawn_small(number: int, seed: int) -> Sitter:
    return draw(number, seed, side=96)


@pytest.fixture
def tiny(monkeypatch):
    """A self-test of a few small pictures, two plants and two families, in this process."""
    monkeypatch.setattr("audit.self_test.portraits.draw", drawn_small)
    monkeypatch.setattr(selftest, "QUICK_PER_CLASS", 20)
    monkeypatch.setattr(selftest, "QUICK_NULL_SETS", 3)
    monkeypatch.setattr(selftest, "FAMILIES", ("metadata", "geometry"))
    chosen = [plant for plant in plants.PLANTS if plant.name in ("EXIF in one class", "native size")]
    monkeypatch.setattr(selftest, "PLANTS", [replace(plant, small=True) for plant in chosen])
    return partial(selftest.run, None, settings=SelfTestSettings(quick=True, seed=3, workers=1))


def test_the_whole_self_test_runs_and_gives_the_same_report_again(tiny):
    seen = []

    def track(rows, total, doing=""):
        seen.append(total)
        return rows

    report = tiny(track=track)
    assert [row["right"] for row in report.rows()] == ["yes"] * 2
    assert report.passed
    assert len(report.alarms) == 3
    assert seen == [40, 2, 3]
    again = tiny()
    assert again.rows() == report.rows()
    assert again.sentences == report.sentences


@pytest.mark.long
def test_the_short_self_test_passes_on_drawn_portraits(monkeypatch):
    monkeypatch.setattr(selftest, "QUICK_NULL_SETS", 10)  # what counts as a false alarm has a test of its own
    report = selftest.run(None, settings=SelfTestSettings(quick=True, seed=42, workers=2))
    assert [row["plant"] for row in report.rows() if row["right"] != "yes"] == []
    assert report.passed


@pytest.mark.long
def test_the_short_self_test_passes_on_real_portraits(project, testdata: Path, monkeypatch):
    monkeypatch.setattr(selftest, "QUICK_NULL_SETS", 10)
    rows = []
    for number, path in enumerate(sorted((testdata / "portraits" / "ffhq-vs-stylegan2" / "real").iterdir())):
        small = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        name = project.store.put(bytes_of(small), "png")
        label = ("real", "ai")[number % 2]
        rows.append(Record(source="folder:x", member=f"{number:04}", label=label, file=name, width=SIDE, height=SIDE))
    manifest.write(project.manifest("normalize"), rows)
    report = selftest.run(project, settings=SelfTestSettings(quick=True, seed=42, workers=2))
    assert report.sitters.own
    assert not report.sitters.with_mattes
    assert [row["plant"] for row in report.rows() if row["right"] != "yes"] == []
    assert report.passed
