import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn import encoded, fetched, portrait
from PIL import Image

from curate import compositing, faces, matting, pixels, whiten
from curate.cli import main
from curate.normalize import NormalizeSettings, normalize
from curate.whiten import WhitenSettings
from imageledger import manifest
from imageledger.config import open_project
from imageledger.errors import ConfigError

TOML = 'dataset = "drawn"\norder = ["fetch", "normalize", "whiten", "manifest"]\n'
SLOWLY = Path(__file__).with_name("slow_whiten.py")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project in which whiten comes straight after normalize."""
    (tmp_path / "imageledger.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return open_project(tmp_path)


@pytest.fixture
def selfie(testdata, monkeypatch, tmp_path):
    """A real cut-out model; rembg looks for others in an empty folder, and there is no network."""
    pytest.importorskip("rembg", reason="rembg is not installed: pip install 'imageledger[whiten]'")
    monkeypatch.delenv("U2NET_HOME", raising=False)
    monkeypatch.setenv("REMBG_HOME", str(tmp_path / "rembg"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    return testdata / "models" / "mediapipe_selfie.onnx"


def normalized(project, members, size=128):
    fetched(project, members)
    return normalize(project, NormalizeSettings(size=size), workers=1).path


def drawn(count, size=128):
    return {f"{('real', 'ai')[n % 2]}/{n}": encoded(portrait(n, size)[0]) for n in range(count)}


def read(project, name):
    return np.asarray(Image.open(io.BytesIO(project.store.read(name))))


def overlap(one, other):
    """Intersection over union of two mattes, halved at 128."""
    return float(((one >= 128) & (other >= 128)).sum() / ((one >= 128) | (other >= 128)).sum())


GRABCUT = WhitenSettings(matting="grabcut")


def test_grabcut_finds_drawn_people():
    found = []
    for seed in range(8):
        image, truth = portrait(seed, 256)
        found.append(overlap(compositing.clean(matting.grabcut(image, faces.find_face(image)).alpha), truth))
    assert np.median(found) > 0.93
    assert min(found) > 0.8


@pytest.mark.parametrize("size", [(16, 16), (40, 300), (300, 40), (64, 64)])
def test_grabcut_answers_for_any_shape_and_for_an_empty_wall(size):
    for image in (Image.new("RGB", size, "gray"), portrait(1, 300)[0].resize(size)):
        for face in (None, (0, 0, *size), (size[0] - 4, size[1] - 4, *size)):
            alpha = matting.grabcut(image, face).alpha
            assert alpha.shape == (size[1], size[0])
            assert alpha.dtype == np.uint8


def test_grabcut_gives_the_same_matte_every_time():
    image, _ = portrait(3, 200)
    first = matting.grabcut(image, None).alpha
    matting.grabcut(portrait(4, 128)[0], None)
    assert (matting.grabcut(image, None).alpha == first).all()


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
        assert (white[matte == 0] == 255).all()
        assert (matte == 0).mean() > 0.2
        assert (white[matte == 255] == np.asarray(before)[matte == 255]).all()
        recomposed = np.asarray(compositing.white_composite(before, matte))
        assert (recomposed == white).all()


def test_the_step_says_how_and_what_was_seen(project):
    normalized(project, drawn(1))
    (row,) = manifest.read(whiten.whiten(project, GRABCUT, workers=1).path)
    step = row.steps[-1]
    assert step.did == "whiten@1"
    assert step.settings == {"matting": "grabcut"}
    assert 0.2 < step.found["coverage"] < 0.7
    assert step.found["pieces"] == 1


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
    monkeypatch.setattr(whiten, "matter", lambda _: lambda image, face: matting.Matte(alpha=alpha, low=low, high=high))
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
    monkeypatch.setattr(whiten, "matter", lambda _: lambda image, face: matting.Matte(alpha=alpha))
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


def test_two_workers_write_the_same_bytes_as_one(project):
    normalized(project, drawn(7))
    output = whiten.whiten(project, GRABCUT, workers=1).path
    alone = output.read_bytes()
    output.unlink()
    whiten.whiten(project, GRABCUT, workers=2)
    assert output.read_bytes() == alone


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


def test_a_real_model_agrees_with_careful_mattes(testdata, selfie):
    from curate.models import find_model

    cut = matting.matter(find_model("u2net_custom", selfie))
    found = []
    for file in sorted((testdata / "mattes" / "images").iterdir()):
        image = Image.open(file).convert("RGB")
        truth = Image.open(testdata / "mattes" / "alpha" / f"{file.stem}.png").convert("L").resize(image.size)
        found.append(overlap(compositing.clean(cut(image, None).alpha), np.asarray(truth)))
    assert np.median(found) > 0.92
    assert sum(one > 0.9 for one in found) >= len(found) - 1


def test_real_portraits_are_whitened_through_rembg_by_the_command(project, runner, testdata, selfie):
    files = sorted((testdata / "portraits" / "ffhq-vs-stylegan2" / "real").iterdir())[:4]
    normalized(project, {f"real/{file.name}": file.read_bytes() for file in files}, size=256)
    done = runner.invoke(main, ["whiten", "--model-path", str(selfie), "--workers", "1"])
    assert done.exit_code == 0, done.output
    rows = list(manifest.read(project.manifest("whiten")))
    assert sum(row.status == "ok" for row in rows) >= 3
    sha256 = hashlib.sha256(selfie.read_bytes()).hexdigest()
    for row in rows:
        assert row.steps[-1].settings == {
            "matting": "rembg", "model": "u2net_custom", "model_licence": "unknown", "model_sha256": sha256,
        }  # fmt: skip
        low, high = row.steps[-1].found["raw"]
        assert 0 <= low < high <= 1
        if row.status == "ok":
            white, matte = read(project, row.file), read(project, row.matte)
            assert (white[matte == 0] == 255).all()
            assert 0.1 < (matte == 0).mean() < 0.8
    card = manifest.Card.read(manifest.card_path(project.manifest("whiten")))
    assert {"rembg", "onnxruntime"} <= set(card.versions)
    again = whiten.whiten(project, WhitenSettings(model_path=str(selfie)), workers=1)
    assert (again.worked, again.reused) == (0, 4)


def test_grabcut_is_a_fair_stand_in_for_a_model_on_real_portraits(testdata, selfie):
    from curate.models import find_model

    cut = matting.matter(find_model("u2net_custom", selfie))
    found = []
    for label in ("real", "ai"):
        for file in sorted((testdata / "portraits" / "ffhq-vs-stylegan2" / label).iterdir())[:10]:
            image = pixels.decode(file.read_bytes()).image.resize((256, 256))
            face = faces.find_face(image)
            mattes = [compositing.clean(matte.alpha) for matte in (cut(image, face), matting.grabcut(image, face))]
            found.append(overlap(*mattes))
    assert np.median(found) > 0.8


@pytest.mark.parametrize(
    ("options", "toml", "said"),
    [
        (["--model-path", "none.onnx"], "", "none.onnx"),
        (["--model-path", "SELFIE"], f'[whiten]\nmodel_sha256 = "{"0" * 64}"\n', "not 000000"),
        (["--model", "withoutbg"], "", "remote service"),
        (["--model", "no-such"], "", "u2net_human_seg"),
        ([], "", "could not be downloaded"),
    ],
)
def test_a_model_that_cannot_be_used_stops_the_command_with_a_way_out(project, runner, selfie, options, toml, said):
    (project.root / "imageledger.toml").write_text(TOML + toml, encoding="utf-8")
    normalized(project, drawn(1))
    done = runner.invoke(main, ["whiten", *(str(selfie) if option == "SELFIE" else option for option in options)])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert said in done.stderr
    assert "Error: " in done.stderr
    assert "Try: " in done.stderr
    assert not project.manifest("whiten").exists()


def test_a_damaged_download_stops_the_command_and_names_the_file(project, runner, selfie, tmp_path):
    file = tmp_path / "rembg" / "models" / "u2net_human_seg" / "u2net_human_seg.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half a model")
    normalized(project, drawn(1))
    done = runner.invoke(main, ["whiten"])
    assert done.exit_code == 1
    assert str(file) in done.stderr
    assert "is damaged" in done.stderr
    assert "--matting grabcut" in done.stderr


def test_a_file_that_is_no_model_stops_the_command_without_a_traceback(project, runner, selfie, tmp_path):
    file = tmp_path / "notes.onnx"
    file.write_text("not a model")
    normalized(project, drawn(1))
    done = runner.invoke(main, ["whiten", "--model-path", str(file), "--workers", "1"])
    assert done.exit_code == 1
    assert "does not work as a cut-out model" in done.stderr


def test_a_model_path_in_the_project_file_is_taken_from_the_project_folder(
    project, runner, selfie, tmp_path, monkeypatch
):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.onnx").symlink_to(selfie)
    (tmp_path / "imageledger.toml").write_text(TOML + '[whiten]\nmodel_path = "models/mine.onnx"\n', encoding="utf-8")
    normalized(project, drawn(1))
    monkeypatch.chdir("/")
    done = runner.invoke(main, ["whiten", "--project", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0]["total"] == 1


def test_grabcut_needs_no_rembg(project, runner, monkeypatch):
    monkeypatch.setitem(sys.modules, "rembg", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    normalized(project, drawn(1))
    assert runner.invoke(main, ["whiten", "--matting", "grabcut"]).exit_code == 0


def test_without_rembg_the_extra_is_named(project, runner, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    normalized(project, drawn(1))
    done = runner.invoke(main, ["whiten"])
    assert done.exit_code == 1
    assert "imageledger[whiten]" in done.stderr


def test_an_unknown_matting_in_the_project_file_is_refused():
    with pytest.raises(ConfigError) as refused:
        WhitenSettings(matting="scissors")
    assert "grabcut" in refused.value.hint
