"""Turned, cropped, framed and photographed-off-the-screen copies: what dedupe finds, and what it keeps apart."""

import json

import numpy as np
import pytest
from drawn import portrait
from originals import jpeg, png, row, scene, written
from PIL import Image, ImageDraw, ImageOps

from curate.dedupe import prints
from curate.dedupe.work import DedupeSettings, dedupe, judge, plan_for
from curate.pictures import keypoints
from imageledger import decisions, manifest
from imageledger.decisions import Decisions
from imageledger.store import Store

TURN = Image.Transpose


def cropped(image, left, top, right, bottom):
    wide, high = image.size
    return image.crop((round(left * wide), round(top * high), round(wide - right * wide), round(high - bottom * high)))


def framed(image, share, colour):
    return ImageOps.expand(image, round(share * max(image.size)), colour)


def on_a_screen(image, share):
    screen = Image.new("RGB", (1280, 800), (246, 246, 248))
    drawn = ImageDraw.Draw(screen)
    drawn.rectangle((0, 0, 1280, 56), fill=(32, 40, 60))
    for n in range(14):
        drawn.text((940, 90 + 40 * n), f"entry {n * 7919 % 1000}: the quick brown fox", fill=(20, 20, 20))
        drawn.rectangle((16, 90 + 40 * n, 80 + n * 37 % 90, 108 + 40 * n), fill=(90, 96, 110))
    high = round(800 * share)
    screen.paste(image.resize((round(image.width * high / image.height), high)), (210, 80))
    return screen


def recompressed(image, quality=60):
    return jpeg(image.resize((image.width // 2, image.height // 2)), quality)


COPIES = {
    "turned by 90°": lambda image: image.transpose(TURN.ROTATE_90),
    "turned by 180°": lambda image: image.transpose(TURN.ROTATE_180),
    "upside down and mirrored": lambda image: image.transpose(TURN.FLIP_TOP_BOTTOM),
    "mirrored, turned by 90°": lambda image: image.transpose(TURN.TRANSVERSE),
    "cropped to 49 %": lambda image: cropped(image, 0.15, 0.15, 0.15, 0.15),
    "cropped to 72 %": lambda image: cropped(image, 0.15, 0.15, 0, 0),
    "in a frame": lambda image: framed(image, 0.25, (180, 60, 40)),
    "or a screenshot": lambda image: on_a_screen(image, 0.6),
}


def deduped(store, rows, **chosen):
    plan = plan_for(rows, Decisions(), store, DedupeSettings(**chosen), workers=1)
    return {record.member: judge(record, plan) for record in rows}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "data" / "objects")


def portraits(testdata, folder, *names):
    return [Image.open(testdata / "portraits" / folder / f"{name}.jpg").convert("RGB") for name in names]


@pytest.mark.parametrize("words", COPIES)
def test_a_copy_of_this_kind_is_a_duplicate_of_the_photograph_and_says_how(testdata, store, words):
    path = min((testdata / "portraits" / "ffhq-vs-stylegan2" / "real").glob("*.jpg"))
    image = Image.open(path).convert("RGB").resize((640, 640))
    rows = [row(store, jpeg(image), "photo.jpg"), row(store, recompressed(COPIES[words](image)), "copy.jpg")]
    made = deduped(store, rows)
    assert made["copy.jpg"].duplicate_of == "folder:drawn#photo.jpg"
    assert words in made["copy.jpg"].reason
    assert made["photo.jpg"].status == "ok"
    assert made["photo.jpg"].group == made["copy.jpg"].group != ""
    assert {each.status for each in deduped(store, rows, most=0).values()} == {"ok"}  # it is keypoints that find it


def test_drawn_pictures_are_found_too_and_a_large_frame_never_stays_instead_of_its_picture(store):
    image = scene(3)
    rows = [row(store, jpeg(framed(image.resize((640, 640)), 0.15, "white")), "frame.jpg")]
    rows += [row(store, jpeg(image), "picture.jpg"), row(store, jpeg(scene(4)), "another.jpg")]
    made = deduped(store, rows)
    assert [made[name].status for name in ("frame.jpg", "picture.jpg", "another.jpg")] == ["duplicate", "ok", "ok"]


def test_faces_of_one_generator_stay_apart_though_their_mouths_are_nearly_the_same(testdata, store):
    faces = portraits(testdata, "ffhq-vs-stylegan2/ai", "fake_18", "fake_29", "fake_191", "fake_31", "fake_113")
    rows = [row(store, jpeg(face.resize((512, 512))), f"{n}.jpg", label="ai") for n, face in enumerate(faces)]
    assert {record.status for record in deduped(store, rows).values()} == {"ok"}


@pytest.mark.long
@pytest.mark.parametrize("share", [0.5, 0.7])
def test_two_faces_in_screenshots_of_one_program_stay_apart(testdata, store, share):
    faces = portraits(testdata, "ffhq-vs-stylegan2/ai", "fake_18", "fake_29", "fake_5")
    rows = [row(store, jpeg(on_a_screen(face, share)), f"{n}.jpg", label="ai") for n, face in enumerate(faces)]
    assert {record.status for record in deduped(store, rows).values()} == {"ok"}


def test_two_faces_in_the_same_frame_stay_apart(testdata, store):
    faces = portraits(testdata, "ffhq-vs-stylegan2/ai", "fake_18", "fake_29", "fake_5")
    rows = [row(store, jpeg(framed(face, 0.2, "navy")), f"{n}.jpg", label="ai") for n, face in enumerate(faces)]
    assert {record.status for record in deduped(store, rows).values()} == {"ok"}


def test_crops_of_one_photograph_that_other_people_published_are_found(testdata, store):
    crops = portraits(testdata, "unsplash-vs-stylegan2/real", "real_295", "real_456")
    made = deduped(store, [row(store, jpeg(crop), f"{n}.jpg") for n, crop in enumerate(crops)])
    assert sorted(record.status for record in made.values()) == ["duplicate", "ok"]
    assert any("another crop, 70 % shared" in record.reason for record in made.values())


def test_a_person_who_keeps_a_crop_overrules_and_both_stay_in_one_group(project):
    rows = [row(project.store, jpeg(scene(0)), "a.jpg")]
    rows += [row(project.store, recompressed(scene(0).transpose(TURN.ROTATE_90)), "turned.jpg")]
    written(project.manifest("normalize"), rows)
    said = {"source": "folder:drawn", "member": "turned.jpg", "decision": "keep", "who": "Ada", "why": "looked"}
    (project.folder / decisions.FILE).write_text(json.dumps(said) + "\n", encoding="utf-8")
    made = {record.member: record for record in manifest.read(dedupe(project, DedupeSettings()).path)}
    assert [made[name].status for name in ("a.jpg", "turned.jpg")] == ["ok", "ok"]
    assert made["a.jpg"].group == made["turned.jpg"].group != ""


@pytest.mark.long
def test_the_number_of_workers_changes_nothing(store, tmp_path):
    rows = [row(store, jpeg(scene(seed)), f"{seed}.jpg") for seed in range(6)]
    rows += [row(store, jpeg(scene(seed).transpose(TURN.ROTATE_180)), f"{seed} turned.jpg") for seed in range(3)]
    plans = []
    for workers in (1, 2):
        for file in (tmp_path / "data").glob("prints/*"):
            file.unlink()
        plans.append(plan_for(rows, Decisions(), store, DedupeSettings(), workers=workers))
    assert plans[0] == plans[1]
    assert sum(verdict.status == "duplicate" for verdict in plans[0].verdicts.values()) == 3


def test_keypoints_are_kept_and_a_line_torn_by_a_kill_is_measured_again(store, tmp_path, monkeypatch):
    names = [row(store, jpeg(scene(seed)), f"{seed}.jpg").origin for seed in range(3)]
    first = prints.prints_of(store, names, workers=1)
    (path,) = (tmp_path / "data" / "prints").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:1000])
    measured = []
    real = keypoints.print_of
    monkeypatch.setattr(keypoints, "print_of", lambda image: measured.append(1) or real(image))
    for expected in (1, 1):  # the second time nothing is left to measure
        again = prints.prints_of(store, names, workers=1)
        assert len(measured) == expected
        assert all((again.of[name].straight.codes == first.of[name].straight.codes).all() for name in names)
    assert again.problems == {}


def test_a_picture_without_any_corner_is_like_no_other(store):
    rows = [row(store, jpeg(Image.new("RGB", (300, 300), colour)), f"{colour}.jpg", phash="p:" + digits * 16)
            for colour, digits in (("red", "0"), ("blue", "f"))]  # fmt: skip
    assert {record.status for record in deduped(store, rows).values()} == {"ok"}


def test_more_pictures_than_allowed_are_searched_by_hash_alone_and_that_is_said(store, caplog):
    rows = [row(store, jpeg(scene(0)), "a.jpg"), row(store, jpeg(scene(0).transpose(TURN.ROTATE_90)), "b.jpg")]
    with caplog.at_level("INFO"):
        made = deduped(store, rows, most=1)
    assert {record.status for record in made.values()} == {"ok"}
    assert "turned, cropped and framed copies were not looked for" in caplog.text


def test_a_kept_print_that_rots_is_measured_anew_and_named_by_verify(tmp_path):
    from imageledger import damages
    from imageledger.config import open_project

    (tmp_path / "imageledger.toml").write_text('dataset = "drawn"\n')
    project = open_project(tmp_path)
    name = project.store.put(png(portrait(1, 200)[0]), "png")
    first = prints.prints_of(project.store, [name], workers=1)
    assert list(damages.damages(project)) == []
    (kept,) = (tmp_path / "data" / "prints").iterdir()
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.write_bytes(content)
    (damage,) = damages.damages(project)
    assert damage.what.startswith("data/prints/")
    again = prints.prints_of(project.store, [name], workers=1)
    assert again.of[name].packed() == first.of[name].packed()
    damages.mend(project, [damage])
    assert list(damages.damages(project)) == []


@pytest.mark.long
def test_a_crop_of_a_picture_with_a_plain_wall_is_a_crop_and_the_larger_one_stays(store):
    whole = scene(8, (420, 420))
    wall = Image.new("RGB", (640, 640), (166, 138, 127))
    wall.paste(whole, (110, 110))
    grain = np.random.default_rng(0).normal(0, 2, (640, 640, 3))
    wall = Image.fromarray(np.clip(np.asarray(wall) + grain, 0, 255).astype(np.uint8))
    crop = wall.crop((64, 64, 576, 576)).resize((600, 600))
    rows = [row(store, png(wall), "a.png"), row(store, png(crop), "b.png")]
    lost = deduped(store, rows)["b.png"]
    assert lost.status == "duplicate"
    assert "frame" not in lost.reason
