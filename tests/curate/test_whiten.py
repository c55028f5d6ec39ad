"""Whitening with GrabCut: the matte, the white picture, what is rejected, and the same bytes every time."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn import encoded, face_box, portrait
from PIL import Image
from whiten_world import drawn, normalized, overlap, project_at, read

from curate.cli import main
from curate.matting import compositing, grabcut
from curate.matting.matte import Backend, Cutter, Matte
from curate.pictures import pixels
from curate.whiten import work as whiten
from curate.whiten.work import WhitenSettings
from imageledger import manifest
from imageledger.errors import ConfigError

GRABCUT = WhitenSettings(matting="grabcut")


def cuts(monkeypatch, matte):
    """Let a backend cut every picture out with this matte."""
    ready = Cutter(cut=lambda image, face: matte)
    monkeypatch.setattr(whiten, "backend", lambda name: Backend(name=name, prepare=lambda asked: ready))


SLOWLY = Path(__file__).parents[1] / "worlds" / "slow_whiten.py"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project in which whiten comes straight after normalize."""
    monkeypatch.chdir(tmp_path)
    return project_at(tmp_path)


def test_grabcut_finds_drawn_people():
    found = []
    for seed in range(8):
        image, truth = portrait(seed, 256)
        found.append(overlap(compositing.clean(grabcut.grabcut(image, face_box(image)).alpha), truth))
    assert np.median(found) > 0.93
    assert min(found) > 0.8


@pytest.mark.parametrize("size", [(16, 16), (40, 300), (300, 40), (64, 64)])
def test_grabcut_answers_for_any_shape_and_for_an_empty_wall(size):
    for image in (Image.new("RGB", size, "gray"), portrait(1, 300)[0].resize(size)):
        for face in (None, (0, 0, *size), (size[0] - 4, size[1] - 4, *size)):
            alpha = grabcut.grabcut(image, face).alpha
            assert alpha.shape == (size[1], size[0])
            assert alpha.dtype == np.uint8


def test_grabcut_gives_the_same_matte_every_time():
    image, _ = portrait(3, 200)
    first = grabcut.grabcut(image, None).alpha
    grabcut.grabcut(portrait(4, 128)[0], None)
    assert (grabcut.grabcut(image, None).alpha == first).all()


def test_a_white_picture_is_png_with_a_background_of_exactly_255(project):
    normalized(project, drawn(3))
    outcome = whiten.whiten(project, GRABCUT, workers=1)
    for row in manifest.read(outcome.path):
        assert row.status == "ok", row.reason
        assert row.file.endswith(".png")
        assert row.matte.endswith(".png")
        white, matte = read(project, row.file), read(project, row.matte)
        before = pixels.decode(project.store.read(row.steps[-1].on)).image
        assert white.shape == (128, 128, 3)
        assert matte.shape == (128, 128)
        edge = compositing.standard_edge(matte)
        assert (white[edge == 0] == 255).all()
        assert (edge == 0).mean() > 0.2
        surely = (matte == 255) & (edge == 255)
        assert surely.mean() > 0.2
        assert (white[surely] == np.asarray(before)[surely]).all()
        recomposed = np.asarray(compositing.white_composite(before, matte, edge))
        assert (recomposed == white).all()


def test_the_step_says_how_and_what_was_seen(project):
    normalized(project, drawn(1))
    (row,) = manifest.read(whiten.whiten(project, GRABCUT, workers=1).path)
    step = row.steps[-1]
    assert step.did == "whiten@4"
    assert step.settings == {"region": "white", "matting": "grabcut"}
    assert 0.2 < step.found["coverage"] < 0.7
    assert step.found["pieces"] == 1
    assert 0 <= step.found["softness"] < 0.3


@pytest.mark.parametrize(
    ("alpha", "low", "high", "reason"),
    [
        (np.full((128, 128), 128, np.uint8), 0.4, 0.4, "matte: the model's output is flat"),
        (np.full((128, 128), 128, np.uint8), 0.0, 0.1, "matte: the model saw no person"),
        (np.zeros((128, 128), np.uint8), 0.0, 1.0, "matte: covers 0 % of the picture"),
        (np.full((128, 128), 255, np.uint8), 0.0, 1.0, "matte: covers 100 % of the picture"),
    ],
)
def test_a_matte_that_is_not_believed_rejects_the_picture_but_is_kept_to_be_looked_at(
    project, monkeypatch, alpha, low, high, reason
):
    normalized(project, drawn(1))
    cuts(monkeypatch, Matte(alpha, (low, high)))
    (row,) = manifest.read(whiten.whiten(project, GRABCUT, workers=1).path)
    assert (row.status, row.reason) == ("rejected", reason)
    assert row.file == row.steps[-1].on
    assert read(project, row.matte).shape == (128, 128)


def test_the_face_of_normalize_is_what_the_matte_is_judged_by(project, monkeypatch):
    path = normalized(project, drawn(1))
    (before,) = manifest.read(path)
    left, top, right, bottom = before.found("normalize")["face"]
    alpha = np.full((128, 128), 255, np.uint8)
    alpha[:20] = 0
    alpha[(top + bottom) // 2 - 12 : (top + bottom) // 2 + 12, (left + right) // 2 - 9 : (left + right) // 2 + 9] = 0
    cuts(monkeypatch, Matte(alpha))
    (row,) = manifest.read(whiten.whiten(project, GRABCUT, workers=1).path)
    assert row.reason == "matte: a hole in the face"


def test_a_picture_that_cannot_be_read_is_a_row_and_rejected_rows_pass_unchanged(project):
    path = normalized(project, {**drawn(1), "ai/small": encoded(portrait(1, 60)[0]), "ai/torn": b"<html>"})
    rows = list(manifest.read(path))
    broken = project.store.put(b"no picture", "jpg")
    manifest.write(path, [replace(rows[0], file=broken), *rows[1:]])
    card = manifest.Card.read(manifest.card_path(path))
    card = replace(card, digest=manifest.digest(path))
    manifest.card_path(path).write_text(card.to_json(), encoding="utf-8")
    unreadable, *rest = manifest.read(whiten.whiten(project, GRABCUT, workers=1).path)
    assert unreadable.status == "unreadable"
    assert unreadable.reason == "not a picture that can be identified"
    assert rest == rows[1:]


def test_a_second_run_does_no_work_and_a_missing_object_only_its_own(project):
    normalized(project, drawn(3))
    first = whiten.whiten(project, GRABCUT, workers=1)
    content = first.path.read_bytes()
    again = whiten.whiten(project, GRABCUT, workers=1)
    assert (first.worked, again.worked, again.reused) == (3, 0, 3)
    lost = next(manifest.read(first.path)).matte
    project.store.path(lost).unlink()
    mended = whiten.whiten(project, GRABCUT, workers=1)
    assert (mended.worked, mended.reused) == (1, 2)
    assert project.store.is_sound(lost)
    assert mended.path.read_bytes() == content


@pytest.mark.long
def test_two_workers_write_the_same_bytes_as_one(project):
    normalized(project, drawn(7))
    output = whiten.whiten(project, GRABCUT, workers=1).path
    alone = output.read_bytes()
    output.unlink()
    whiten.whiten(project, GRABCUT, workers=2)
    assert output.read_bytes() == alone


@pytest.mark.long
def test_killed_in_the_middle_the_same_command_ends_with_the_same_bytes(project):
    normalized(project, drawn(8))
    output = project.manifest("whiten")
    whole = whiten.whiten(project, GRABCUT, workers=1).path.read_bytes()
    card = manifest.card_path(output).read_bytes()
    output.unlink()
    manifest.card_path(output).unlink()
    killed = subprocess.Popen([sys.executable, str(SLOWLY)], cwd=project.root, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (parts := list(output.parent.glob(".*.part"))) or parts[0].read_bytes().count(b"\n") < 2:
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not output.exists()
    done = parts[0].read_bytes().count(b"\n")
    assert 2 <= done < 8
    carried_on = whiten.whiten(project, GRABCUT, workers=1)
    assert carried_on.worked == 8 - done
    assert output.read_bytes() == whole
    assert manifest.card_path(output).read_bytes() == card
    assert not list(output.parent.glob(".*.part"))


def test_grabcut_needs_no_rembg(project, runner, monkeypatch):
    monkeypatch.setitem(sys.modules, "rembg", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    normalized(project, drawn(1))
    assert runner.invoke(main, ["whiten", "--matting", "grabcut"]).exit_code == 0


def test_an_unknown_matting_in_the_project_file_is_refused():
    with pytest.raises(ConfigError) as refused:
        WhitenSettings(matting="scissors")
    assert "grabcut" in refused.value.hint
