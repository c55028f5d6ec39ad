"""Mattes are judged alike, whichever backend made them: torn faces, blind cuts and blank pictures are refused."""

import numpy as np
import pytest
from drawn import encoded, fetched, portrait
from PIL import Image, ImageDraw
from whiten_world import project_at

from curate.cli import main
from curate.faces.detector import detector
from curate.faces.face import Face
from curate.matting import compositing, grabcut, judge
from curate.matting.matte import Matte
from curate.normalize.work import is_flat
from curate.pictures import pixels
from imageledger import manifest

FACE = Face(box=(44, 30, 84, 70), points=(55, 44, 73, 44, 64, 52, 57, 60, 71, 60))
BLANK = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128), "blue": (10, 20, 200)}


def person(hole=None):
    """The matte of a bust under FACE."""
    image = Image.new("L", (128, 128), 0)
    draw = ImageDraw.Draw(image)
    draw.ellipse((38, 20, 90, 84), fill=255)
    draw.rectangle((20, 80, 108, 128), fill=255)
    if hole:
        draw.rectangle(hole, fill=0)
    return np.asarray(image)


def seen(alpha, inside=(200, 150, 120), outside=(40, 60, 90)):
    """A picture with one colour on either side of a matte."""
    return Image.fromarray(np.where(alpha[..., None] >= 128, np.uint8(inside), np.uint8(outside)))


def test_a_whole_face_is_kept_and_a_torn_one_is_not():
    assert judge.kept_of(person(), FACE) == 1.0
    torn = person((64, 20, 90, 64))
    assert judge.kept_of(torn, FACE) < 0.7
    assert judge.fault(torn, FACE).endswith("of the face cut off")
    assert judge.fault(person(), FACE) == ""


def test_the_mouth_alone_is_enough_to_refuse_a_cut():
    without_mouth = person((56, 56, 72, 72))
    assert judge.fault(without_mouth, FACE).startswith("matte: ")


def test_without_a_face_holes_in_the_person_still_count():
    assert judge.fault(person()) == ""
    assert judge.fault(person((40, 90, 80, 110))) == "matte: holes in the person"


@pytest.mark.parametrize("raw", [None, (0.0, 1.0)])
def test_a_cut_that_follows_no_colour_is_refused_from_every_backend(raw):
    alpha = person()
    told = judge.judged(seen(alpha), Matte(alpha=alpha, raw=raw), alpha, FACE)
    assert told.fault == ""
    assert told.contrast > 30
    blind = judge.judged(seen(alpha, (90, 90, 90), (92, 91, 90)), Matte(alpha=alpha, raw=raw), alpha, FACE)
    assert blind.fault == "matte: the colours are the same on both sides of its edge"
    assert blind.contrast < judge.LEAST_EDGE


def test_a_cut_that_is_what_the_backend_began_with_is_refused():
    alpha = person()
    told = judge.judged(seen(alpha), Matte(alpha=alpha, begun_with=0.97), alpha, FACE)
    assert told.fault == "matte: nothing in the picture changed what the cut-out began with"


@pytest.mark.parametrize("colour", BLANK)
def test_a_blank_picture_is_flat_and_no_cut_of_it_is_believed(colour):
    blank = Image.new("RGB", (128, 128), BLANK[colour])
    assert is_flat(blank)
    for face in (None, FACE):
        matte = grabcut.grabcut(blank, face.box if face else None)
        assert judge.judged(blank, matte, compositing.clean(matte.alpha), face).fault
        whole = np.where(person() > 0, 255, 0).astype(np.uint8)
        told = judge.judged(Image.new("RGB", (128, 128), BLANK[colour]), Matte(alpha=whole), whole, face)
        assert told.contrast == 0
        assert told.fault


def test_paper_with_a_speck_is_flat_and_people_in_the_dark_are_not():
    paper = Image.new("RGB", (300, 400), "white")
    ImageDraw.Draw(paper).ellipse((100, 100, 120, 120), fill="black")
    noisy = np.asarray(paper).astype(int) + np.random.default_rng(0).integers(-9, 1, (400, 300, 3))
    assert is_flat(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)))
    dark, _ = portrait(1, 200)
    assert not is_flat(dark.point(lambda value: value // 8))


@pytest.mark.long
def test_flat_pictures_are_rejected_and_never_reach_a_matte(tmp_path, monkeypatch, runner):
    monkeypatch.chdir(tmp_path)
    project = project_at(tmp_path)
    blank = {f"real/{name}": encoded(Image.new("RGB", (200, 200), colour)) for name, colour in BLANK.items()}
    fetched(project, {**blank, "ai/a": encoded(portrait(1, 200)[0])})
    assert runner.invoke(main, ["normalize", "--size", "64", "--workers", "1"]).exit_code == 0
    rows = list(manifest.read(project.manifest("normalize")))
    assert sorted(row.status for row in rows) == ["ok"] + ["rejected"] * 4
    assert {row.reason for row in rows if row.label == "real"} == {"flat: the picture has one colour and shows nothing"}


@pytest.mark.long
def test_whiten_shows_the_worst_mattes_and_whom_they_cost(tmp_path, monkeypatch, runner):
    monkeypatch.chdir(tmp_path)
    project = project_at(tmp_path)
    people = {f"{('real', 'ai')[n % 2]}/{n:02}": encoded(portrait(n, 160)[0]) for n in range(12)}
    walls = {f"real/w{n}": encoded(Image.linear_gradient("L").resize((160 + n, 160)).convert("RGB")) for n in range(6)}
    fetched(project, {**people, **walls})
    assert runner.invoke(main, ["normalize", "--size", "64", "--workers", "1"]).exit_code == 0
    done = runner.invoke(main, ["whiten", "--matting", "grabcut", "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "Mattes rejected: ai 0 of 6, real 6 of 12." in done.stderr
    assert "Pictures with one face / several / none:" in done.stderr
    with Image.open(tmp_path / "data" / "audit" / "mattes.png") as sheet:
        assert min(sheet.size) > 600
    path = project.manifest("whiten")
    found = [row.found("whiten") for row in manifest.read(path)]
    assert all(0 <= note["kept"] <= 1 for note in found if "kept" in note)
    assert any(note.get("contrast", 0) > judge.LEAST_EDGE for note in found)


@pytest.mark.long
@pytest.mark.parametrize("name", ["ffhq-vs-stylegan2", "unsplash-vs-stylegan2"])
def test_grabcut_with_a_known_face_keeps_every_face_and_says_which_cuts_are_blind(testdata, name):
    finder = detector("yunet", testdata / "models" / "face_detection_yunet_2026may.onnx")
    told = []
    for file in sorted((testdata / "portraits" / name / "real").iterdir())[:30]:
        image = pixels.decode(file.read_bytes()).image.resize((224, 224))
        if face := finder.largest(image):
            matte = grabcut.grabcut(image, face.box)
            told.append(judge.judged(image, matte, compositing.clean(matte.alpha), face))
    assert len(told) > 25
    assert np.mean([verdict.kept > 0.95 for verdict in told]) > 0.95
    assert np.mean([verdict.fault == "" for verdict in told]) > 0.7
