"""A run leaves the house as a few files that say the same as torch, and hold neither code nor paths."""

import json
import zipfile

import numpy as np
import pytest
from model_world import copied, exported, originals, trained, unpacked
from needs import needs
from PIL import Image

from imageledger.errors import ConfigError, ModelError, RunError
from train import views
from train.models import onnx_file
from train.models import package as packages

needs("fastai", "onnxscript")

pytestmark = pytest.mark.long


def test_a_zip_holds_the_known_files_and_model_json_says_everything(tmp_path_factory):
    project, folder = trained(tmp_path_factory)
    path = exported(tmp_path_factory)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["model-card.md", "model.json", "model.onnx", "weights.safetensors"]
        told = json.loads(archive.read("model.json"))
        assert archive.read("weights.safetensors") == (folder / "weights.safetensors").read_bytes()
        whole = b"".join(archive.read(name) for name in archive.namelist())
    assert told["labels"] == ["camera", "machine"]
    assert (told["recipe"], told["backbone"]) == ("fine-tune", "squeezenet1_1")
    assert told["views"] == {"kind": "resize", "size": 48, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    assert [step["did"].partition("@")[0] for step in told["steps"]] == ["normalize"]
    assert told["steps"][0]["settings"]["size"] == 64
    assert told["manifest"]["pictures"] == 68
    assert told["made_with"].keys() == {"pillow", "numpy", "scikit-image", "imagehash"}
    assert told["checked"]["pictures"] == 16
    assert told["checked"]["largest_difference"] <= 1e-4
    assert told["familiar"]["n"] == 56
    assert str(project.root).encode() not in whole
    assert b"site-packages" not in whole


def test_model_onnx_says_what_the_run_said_of_its_own_pictures(tmp_path_factory):
    project, folder = trained(tmp_path_factory)
    found = packages.read(exported(tmp_path_factory))
    ask = onnx_file.ready(found.read("model.onnx"), 48, "model.onnx")
    from train.runs import read_predictions

    rows = list(read_predictions(folder))
    images = [Image.open(project.store.path(row.file)).convert("RGB") for row in rows]
    said = ask(np.concatenate([views.of(image, found.package.views) for image in images]))[:, 1]
    assert said.tolist() == pytest.approx([row.probability for row in rows], abs=1e-4)
    assert np.ptp(said) > 1e-3


def test_equal_runs_give_equal_zips_and_a_folder_holds_the_same(tmp_path_factory, tmp_path):
    from train.export import work as exporting

    project, folder = trained(tmp_path_factory)
    exporting.export(project, folder, output=tmp_path / "again.zip", onnx=True)
    assert (tmp_path / "again.zip").read_bytes() == exported(tmp_path_factory).read_bytes()
    exporting.export(project, folder, output=tmp_path / "plain" / "model")
    with zipfile.ZipFile(exported(tmp_path_factory)) as archive:
        assert (tmp_path / "plain" / "model" / "weights.safetensors").read_bytes() == archive.read(
            "weights.safetensors"
        )
    assert sorted(path.name for path in (tmp_path / "plain").rglob("*")) == [
        "model", "model-card.md", "model.json", "weights.safetensors",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="exists already"):
        exporting.export(project, folder, output=tmp_path / "plain" / "model")


def test_an_onnx_model_that_differs_from_torch_is_not_written(tmp_path_factory, tmp_path, monkeypatch):
    from train.export import work as exporting
    from train.network import predicting, to_onnx

    project, folder = trained(tmp_path_factory)
    true = predicting.predict
    monkeypatch.setattr(predicting, "predict", lambda model, images: (share + 2e-4 for share in true(model, images)))
    monkeypatch.setattr(to_onnx, "to_onnx", lambda _: packages.read(exported(tmp_path_factory)).read("model.onnx"))
    with pytest.raises(ModelError, match=r"differs from torch by 0\.0002"):
        exporting.export(project, folder, output=tmp_path / "model.zip", onnx=True)
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_pictures_have_changed_is_not_exported(tmp_path_factory, tmp_path):
    from imageledger import manifest
    from imageledger.config import open_project
    from train.export import work as exporting

    project, folder = trained(tmp_path_factory)
    other = open_project(copied(project.root, tmp_path / "other"))
    path = other.manifest("manifest")
    manifest.write(path, [row for row in manifest.read(path) if not row.member.endswith("camera/3")])
    with pytest.raises(RunError, match="1 of 68 pictures of run first are no longer in"):
        exporting.export(other, other.runs / folder.name, output=tmp_path / "model.zip")
    path.unlink()
    with pytest.raises(RunError, match="cannot be read"):
        exporting.export(other, other.runs / folder.name, output=tmp_path / "model.zip")
    (other.runs / folder.name / "weights.safetensors").unlink()
    with pytest.raises(RunError, match="holds no model"):
        exporting.export(other, other.runs / folder.name, output=tmp_path / "model.zip")


def test_an_unpacked_zip_is_as_good_as_the_zip(tmp_path_factory, tmp_path):
    folder = unpacked(exported(tmp_path_factory), tmp_path / "model")
    assert packages.read(folder).package == packages.read(exported(tmp_path_factory)).package
    assert packages.looks_exported(folder)
    assert not packages.looks_exported(tmp_path)


def test_originals_are_as_the_run_saw_them(tmp_path_factory):
    project, folder = trained(tmp_path_factory)
    assert len(originals(project, folder)) == 68
