"""Whitening with a cut-out model: a real one on real portraits, and the way out of every one that cannot be used."""

import hashlib
import json
import sys

import numpy as np
import pytest
from drawn import face_box
from needs import needs
from PIL import Image
from whiten_world import TOML, drawn, normalized, overlap, project_at, read

from curate.cli import main
from curate.matting import compositing, grabcut, rembg
from curate.pictures import pixels, regions
from curate.whiten import work as whiten
from curate.whiten.work import WhitenSettings
from imageledger import manifest


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project in which whiten comes straight after normalize."""
    monkeypatch.chdir(tmp_path)
    return project_at(tmp_path)


@pytest.fixture
def selfie(testdata, monkeypatch, tmp_path):
    """A real cut-out model; rembg looks for others in an empty folder, and there is no network."""
    needs("rembg")
    monkeypatch.delenv("U2NET_HOME", raising=False)
    monkeypatch.setenv("REMBG_HOME", str(tmp_path / "rembg"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    return testdata / "models" / "mediapipe_selfie.onnx"


@pytest.mark.long
def test_a_real_model_agrees_with_careful_mattes(testdata, selfie):
    from curate.matting.models import find_model

    cut = rembg.cutter(find_model("u2net_custom", selfie)).cut
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
            "region": "white", "matting": "rembg", "model": "u2net_custom", "model_licence": "unknown",
            "model_sha256": sha256,
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


@pytest.mark.long
def test_inner_faces_of_real_portraits_show_hardly_any_background(testdata, selfie):
    from curate.matting.models import find_model

    cut = rembg.cutter(find_model("u2net_custom", selfie)).cut
    shares = []
    for label in ("real", "ai"):
        for file in sorted((testdata / "portraits" / "ffhq-vs-stylegan2" / label).iterdir())[:10]:
            image = pixels.decode(file.read_bytes()).image.resize((256, 256))
            if face := face_box(image):
                alpha = Image.fromarray(compositing.clean(cut(image, face).alpha))
                shares.append(np.mean(np.asarray(alpha.crop(regions.inner_square(face, image.size))) < 128))
    assert len(shares) > 15
    assert np.mean(shares) < 0.02


@pytest.mark.long
def test_grabcut_is_a_fair_stand_in_for_a_model_on_real_portraits(testdata, selfie):
    from curate.matting.models import find_model

    cut = rembg.cutter(find_model("u2net_custom", selfie)).cut
    found = []
    for label in ("real", "ai"):
        for file in sorted((testdata / "portraits" / "ffhq-vs-stylegan2" / label).iterdir())[:10]:
            image = pixels.decode(file.read_bytes()).image.resize((256, 256))
            face = face_box(image)
            mattes = [compositing.clean(matte.alpha) for matte in (cut(image, face), grabcut.grabcut(image, face))]
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


def test_without_rembg_the_extra_is_named(project, runner, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    normalized(project, drawn(1))
    done = runner.invoke(main, ["whiten"])
    assert done.exit_code == 1
    assert "imageledger[whiten]" in done.stderr
