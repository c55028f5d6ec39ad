"""Slices: a planted weakness is found, chance is not, copies in groups do not count twice, and few are not judged."""

import csv
import json
from dataclasses import replace

import crossvalidated_world as world
import numpy as np
import pytest
from drawn import face_box, portrait
from PIL import Image, ImageFilter
from train_world import build

from audit.cli import main
from audit.slices import judge as slices
from audit.slices import work as slices_run
from audit.slices.judge import FEW, HIGHER, LOWER, OPEN, Property, cut, judge
from curate.evidence import measure
from curate.nuisance import FAMILIES, family
from curate.nuisance.seen import Seen
from imageledger import manifest
from imageledger.record import Step

LABELS = ("real", "ai")


def noise(n, seed=0):
    """Mistakes on a fifth of n pictures of both classes, and a number that has nothing to do with them."""
    rng = np.random.default_rng(seed)
    return rng.random(n) < 0.2, np.arange(n) % 2 == 0, rng.normal(size=n)


def test_a_planted_weakness_is_found_in_its_class_and_part_and_nowhere_else():
    wrong, positive, number = noise(200)
    dark = ~positive & (number < np.quantile(number[~positive], 1 / 3))
    wrong = np.where(dark, np.arange(200) % 10 < 7, wrong & ~dark)
    other = np.random.default_rng(5).normal(size=200)
    found = judge(wrong, positive, np.arange(200), LABELS,
                  [Property(name="brightness", values=number, words=("darkest", "middle", "brightest")),
                   Property(name="other", values=other)])  # fmt: skip
    assert (found[0].label, found[0].by, found[0].verdict) == ("real", "brightness", HIGHER)
    assert found[0].level.startswith("darkest third, up to ")
    assert {one.by for one in found if one.verdict != OPEN} == {"brightness"}
    assert {one.label for one in found if one.verdict in (HIGHER, LOWER)} == {"real"}
    assert found[0].wrong >= found[0].shown_from > 0


@pytest.mark.long
def test_chance_shows_a_slice_in_about_one_audit_of_twenty(monkeypatch):
    monkeypatch.setattr(slices, "PERMUTATIONS", 300)
    shown = 0
    for seed in range(100):
        wrong, positive, _ = noise(100, seed)
        values = np.random.default_rng(1000 + seed).normal(size=(5, 100))
        found = judge(wrong, positive, np.arange(100), LABELS,
                      [Property(name=f"n{row}", values=one) for row, one in enumerate(values)], seed)  # fmt: skip
        shown += any(one.verdict != OPEN for one in found)
    assert shown <= 11, shown


def test_copies_in_one_group_do_not_make_a_difference_certain():
    positive = np.arange(160) % 160 < 80
    groups = np.arange(160) // 8
    wrong = np.isin(groups, (0, 1, 12))
    number = np.where(groups < 4, -1.0, 1.0) + np.arange(160) / 1e4
    alone = judge(wrong, positive, np.arange(160), LABELS, [Property(name="n", values=number)])
    whole = judge(wrong, positive, groups, LABELS, [Property(name="n", values=number)])
    assert min(one.p for one in alone) < 0.01
    assert min(one.p for one in whole) > 0.05
    widths = [next(one.rate.high - one.rate.low for one in found if one.label == "ai" and one.wrong)
              for found in (alone, whole)]  # fmt: skip
    assert widths[1] > widths[0]


def test_small_slices_are_listed_and_not_judged():
    wrong, positive, _ = noise(80)
    names = ["rare" if number < 12 else "usual" for number in range(80)]
    found = judge(np.where(np.arange(80) < 12, True, wrong), positive, np.arange(80), LABELS,
                  [Property(name="source", values=names)])  # fmt: skip
    assert {one.verdict for one in found if one.level == "rare"} == {FEW}
    assert found[-1].verdict == FEW
    assert {one.p for one in found if one.verdict == FEW} == {1.0}


def test_a_property_that_does_not_vary_cuts_nothing():
    side = np.ones(60, bool)
    assert cut(Property(name="source", values=["a"] * 60), side) == []
    assert cut(Property(name="source", values=[""] * 60), side) == []
    assert cut(Property(name="size", values=np.full(60, 1024.0)), side) == []
    assert cut(Property(name="ita", values=np.full(60, np.nan)), side) == []


@pytest.mark.parametrize(("n", "parts"), [(19, 0), (20, 2), (29, 2), (30, 3), (90, 3)])
def test_numbers_are_cut_into_thirds_halves_or_not_at_all(n, parts):
    found = cut(Property(name="n", values=np.arange(n, dtype=float)), np.ones(n, bool))
    assert len(found) == parts
    if parts:
        sizes = [int(inside.sum()) for _, inside in found]
        assert sum(sizes) == n
        assert max(sizes) - min(sizes) <= 1


def test_many_alike_leave_two_unequal_parts_and_what_has_no_number_is_in_none():
    values = np.array([300.0] * 40 + [1024.0] * 20 + [np.nan] * 10)
    found = cut(Property(name="size", values=values, words=("smallest", "middle", "largest")), np.ones(70, bool))
    assert [(level, int(inside.sum())) for level, inside in found] == [
        ("smallest part, up to 300", 40), ("largest part, above 300", 20)
    ]  # fmt: skip


def test_a_model_without_mistakes_shows_nothing_and_says_that_nothing_could_be_shown():
    _, positive, number = noise(100)
    found = judge(np.zeros(100, bool), positive, np.arange(100), LABELS, [Property(name="n", values=number)])
    assert {(one.verdict, one.shown_from, one.p) for one in found} == {(OPEN, 0, 1.0)}


def face_of(image):
    seen = Seen(content=b"", image=image, box=face_box(image) or (60, 60, 200, 200))
    return family("skin").measure(seen)


def test_skin_is_lighter_at_a_larger_angle_and_smoother_once_blurred():
    image, _ = portrait(1, 256)
    dark = image.point(lambda level: level * 0.6)
    assert face_of(dark)["ita"] < face_of(image)["ita"]
    rng = np.random.default_rng(0)
    rough = np.clip(np.asarray(image) + rng.normal(0, 12, (256, 256, 1)), 0, 255).astype(np.uint8)
    pores = Image.fromarray(rough)
    assert face_of(pores)["smoothness"] < face_of(pores.filter(ImageFilter.GaussianBlur(2)))["smoothness"]


def test_grey_pictures_have_no_skin_tone_and_no_face_has_no_skin():
    image, _ = portrait(1, 256)
    assert np.isnan(face_of(image.convert("L").convert("RGB"))["ita"])
    none = family("skin").measure(Seen(content=b"", image=image, box=None))
    assert all(np.isnan(value) for value in none.values())
    tiny = family("skin").measure(Seen(content=b"", image=image, box=(10, 10, 30, 30)))
    assert all(np.isnan(value) for value in tiny.values())


def test_skin_is_described_and_never_probed():
    assert "skin" not in FAMILIES
    assert family("skin").name == "skin"


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """A project of 80 pictures of which the real ones of source "b" are mistaken, with sizes as fetched."""
    project = build(tmp_path, train=24, valid=16)
    step = Step(did="normalize@2", on="", found={"size": [300, 200], "face": [8, 8, 32, 32]})
    rows = [
        replace(row, source=f"folder:{'ab'[number % 2]}", generator={"ai": "gan", "real": "camera"}[row.label],
                width=40, height=40, steps=(step,))
        for number, row in enumerate(manifest.read(project.manifest("manifest")))
    ]  # fmt: skip
    manifest.write(project.manifest("manifest"), sorted(rows, key=lambda row: row.key))
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(measure, "cores", lambda: 1)  # so few pictures take longer in other processes
    return project


def weak(row):
    right = not (row.label == "real" and row.source == "folder:b")
    return 0.9 if (row.label == "ai") == right else 0.1


@pytest.mark.long
def test_the_command_names_the_source_that_is_mistaken(drawn, runner):
    folder = world.leave(drawn, weak)
    ran = runner.invoke(main, ["slices", "--quiet"])
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.startswith("Of 10 slices, the model is wrong more often on 1 and less often on 1 than on the")
    assert "real, source: folder:b: wrong on 20/20 = 100 %" in ran.stdout
    assert "Not compared by generator, size" in ran.stdout
    assert "estimates from pixels" in ran.stdout
    with (folder / "audit" / "slices.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["slice"] == "folder:b"
    assert rows[0]["verdict"] == "HIGHER"
    assert Image.open(folder / "audit" / "slices.png").size[0] > 1000
    page = (folder / "audit" / "slices.html").read_text(encoding="utf-8")
    assert "Wrong in real, source: folder:b" in page
    assert "12 of 20 are shown." in page
    assert page.count("data:image/webp") == 12


def test_json_is_one_object(drawn, runner):
    world.leave(drawn, weak)
    told = json.loads(runner.invoke(main, ["slices", "crossed", "--quiet", "--json"]).stdout)
    assert told["pictures"] == 80
    assert told["slices"][0]["verdict"] == "HIGHER"
    assert told["smallest"] >= slices.LEAST
    assert told["compared"] == sum(one["verdict"] != "TOO FEW" for one in told["slices"])


def test_numbers_are_measured_once_and_kept(drawn, runner, monkeypatch):
    folder = world.leave(drawn, weak)
    runner.invoke(main, ["slices", "--quiet"])
    kept = (drawn.root / "data" / "measured" / "skin@1.jsonl").read_bytes()
    slices_run.slices(drawn, folder)
    assert (drawn.root / "data" / "measured" / "skin@1.jsonl").read_bytes() == kept


def test_too_few_pictures_and_runs_on_folders_are_refused_with_the_way_out(tmp_path, monkeypatch, runner):
    project = build(tmp_path, train=6, valid=5)
    monkeypatch.chdir(project.root)
    world.leave(project, weak)
    ran = runner.invoke(main, ["slices", "--quiet"])
    assert ran.exit_code == 1
    assert "too few to be sliced" in ran.stderr
    assert "train cross-validate" in ran.stderr
    world.leave(project, weak, manifest="", folder="exported")
    ran = runner.invoke(main, ["slices", "--quiet"])
    assert ran.exit_code == 1
    assert "nothing is known of its pictures" in ran.stderr


def test_pictures_that_changed_since_are_left_out_with_a_warning(drawn, runner):
    world.leave(drawn, weak)
    rows = list(manifest.read(drawn.manifest("manifest")))
    manifest.write(drawn.manifest("manifest"), rows[2:])
    ran = runner.invoke(main, ["slices", "--quiet", "--json"])
    assert ran.exit_code == 0
    told = json.loads(ran.stdout)
    assert told["pictures"] == 78
    assert any("left out" in warning for warning in told["warnings"])
