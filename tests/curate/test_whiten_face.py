"""Whitening with --region face: the inner face alone, at one size, and what is said about who was lost for it."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import encoded, portrait
from PIL import Image
from whiten_world import drawn, normalized, project_at, read

from curate.cli import main
from curate.faces import cascade, words
from curate.faces.face import Face
from curate.pictures import pixels, regions
from curate.whiten import work as whiten
from curate.whiten.work import WhitenSettings
from imageledger import manifest
from imageledger.errors import ConfigError
from imageledger.record import Record, Step

FACE = WhitenSettings(region="face")
EMPTY = encoded(Image.linear_gradient("L").resize((128, 128)).convert("RGB"))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project in which whiten comes straight after normalize."""
    monkeypatch.chdir(tmp_path)
    return project_at(tmp_path)


def found(label, *sides, size=512):
    """Records as normalize leaves them, whose inner faces have these sides."""
    for number, side in enumerate(sides):
        edge = round(side / regions.INNER)
        step = Step(did="normalize@1", on="", found={"face": [20, 20, 20 + edge, 20 + edge]} if side else {})
        yield Record(source="x", member=f"{label}{number:03}", label=label, width=size, height=size, steps=(step,))


def test_every_face_becomes_a_png_of_one_size_and_no_matte(project):
    normalized(project, drawn(4, 200))
    outcome = whiten.whiten(project, FACE, workers=1)
    settings = manifest.Card.read(manifest.card_path(outcome.path)).settings
    assert settings == {"region": "face", "face_size": settings["face_size"]}
    size = settings["face_size"]
    assert size % 8 == 0
    for row in manifest.read(outcome.path):
        assert row.status == "ok", row.reason
        assert row.matte == ""
        assert row.file.endswith(".png")
        assert (row.width, row.height) == (size, size)
        assert read(project, row.file).shape == (size, size, 3)
        assert row.steps[-1].settings == settings


def test_what_is_kept_is_the_inside_of_the_recorded_face(project):
    normalized(project, drawn(1))
    (row,) = manifest.read(whiten.whiten(project, FACE, workers=1).path)
    before = pixels.decode(project.store.read(row.steps[-1].on)).image
    face, step = row.found("normalize")["face"], row.steps[-1]
    crop = step.found["crop"]
    assert face[0] < crop[0] < crop[2] < face[2]
    assert face[1] < crop[1] < crop[3] < face[3]
    expected = before.resize((row.width, row.height), Image.Resampling.LANCZOS, box=tuple(crop))
    assert (read(project, row.file) == np.asarray(expected)).all()
    assert step.found["face"] == [0, 0, row.width, row.height]


def test_a_picture_without_a_face_or_with_one_too_small_is_rejected_with_the_reason(project):
    path = normalized(project, {**drawn(1), "ai/empty": EMPTY, "ai/small": encoded(portrait(2, 128)[0])})
    rows = list(manifest.read(path))
    step = rows[2].steps[-1]
    small = replace(step, found={**step.found, "face": [40, 40, 70, 70]})
    rewritten(path, [*rows[:2], replace(rows[2], steps=(*rows[2].steps[:-1], small))])
    good, empty, tiny = manifest.read(
        whiten.whiten(project, WhitenSettings(region="face", face_size=32), workers=1).path
    )
    assert good.status == "ok"
    assert (empty.status, empty.reason) == ("rejected", "no face found")
    assert (tiny.status, tiny.reason) == ("rejected", "face of 20 px, needs 32")
    assert tiny.file == tiny.steps[-1].on


def rewritten(path, rows):
    manifest.write(path, rows)
    card = manifest.Card.read(manifest.card_path(path))
    manifest.card_path(path).write_text(replace(card, digest=manifest.digest(path)).to_json(), encoding="utf-8")


def test_what_is_no_face_in_the_mirror_is_none(project, monkeypatch):
    normalized(project, drawn(2))
    monkeypatch.setattr(cascade, "find", lambda image: [Face(box=(0, 0, 20, 20))])
    for row in manifest.read(whiten.whiten(project, FACE, workers=1).path):
        assert (row.status, row.reason) == ("rejected", words.DOUBTFUL)


def test_the_size_is_the_largest_that_nearly_all_faces_of_each_label_have():
    many = [*found("real", *[130] * 19, 40), *found("ai", *[210] * 10)]
    assert whiten.face_size(many) == 128
    assert whiten.face_size([*many, *found("third", 97)]) == 96


def test_the_size_never_exceeds_the_limit_and_pictures_set_aside_do_not_count():
    large = list(found("real", *[300] * 5))
    assert whiten.face_size(large) == whiten.MOST_FACE
    assert whiten.face_size([*large, *(one.failed("x", "rejected") for one in found("ai", 50))]) == whiten.MOST_FACE


@pytest.mark.parametrize(
    ("records", "said"), [(list(found("real", 0, 0)), "recorded face"), (list(found("real", *[30] * 9)), "too small")]
)
def test_where_no_size_can_be_chosen_the_error_says_what_to_do(records, said):
    with pytest.raises(ConfigError) as refused:
        whiten.face_size(records)
    assert said in refused.value.what
    assert refused.value.hint


def test_the_command_says_the_size_and_whom_it_lost(project, runner):
    empty = {f"real/e{n}": EMPTY for n in range(12)}
    normalized(project, {**drawn(12), **empty})
    done = runner.invoke(main, ["whiten", "--region", "face", "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "an inner face of " in done.stderr
    assert "ai 0 of 6, real 12 of 18" in done.stderr
    assert "removes more of real than of ai" in done.stderr
    again = runner.invoke(main, ["whiten", "--region", "face", "--workers", "1"])
    assert "0 worked on" in again.stderr
    assert "real 12 of 18" in again.stderr


def test_white_says_nothing_about_faces(project, runner):
    normalized(project, drawn(2))
    done = runner.invoke(main, ["whiten", "--matting", "grabcut", "--workers", "1"])
    assert "inner face" not in done.stderr


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--region", "hair"], 2),
        (["--region", "face", "--model", "u2net"], 2),
        (["--region", "face", "--matting", "grabcut"], 2),
        (["--face-size", "64"], 2),
        (["--region", "face", "--face-size", "7"], 1),
        (["--region", "face", "--face-size", "large"], 1),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_written(project, runner, options, code):
    normalized(project, drawn(1))
    done = runner.invoke(main, ["whiten", *options])
    assert done.exit_code == code
    assert not project.manifest("whiten").exists()


def test_region_and_size_can_stand_in_the_project_file(project, runner):
    (project.root / "imageledger.toml").write_text(
        'dataset = "drawn"\norder = ["fetch", "normalize", "whiten", "manifest"]\n[normalize]\ndetector = "cascade"\n'
        '[whiten]\nregion = "face"\nface_size = 40\n',
        encoding="utf-8",
    )
    normalized(project, drawn(1, 200), size=160)
    assert runner.invoke(main, ["whiten"]).exit_code == 0
    (row,) = manifest.read(project.manifest("whiten"))
    assert (row.status, row.width) == ("ok", 40)


def test_a_torn_picture_is_a_row(project):
    path = normalized(project, drawn(1))
    (row,) = manifest.read(path)
    rewritten(path, [replace(row, file=project.store.put(b"no picture", "jpg"))])
    (torn,) = manifest.read(whiten.whiten(project, FACE, workers=1).path)
    assert torn.status == "unreadable"


def test_shares_that_chance_explains_are_not_called_a_selection():
    rows = [
        replace(one, steps=(Step(did="whiten@1", on=""),), reason=words.NO_FACE if number == 0 else "")
        for label in ("real", "ai")
        for number, one in enumerate(found(label, *[100] * 20))
    ]
    (size, lost) = whiten.remarks(rows, 64)
    assert "64 x 64" in size
    assert "Chance alone could explain the difference" in lost
