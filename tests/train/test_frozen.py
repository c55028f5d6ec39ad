"""The recipe frozen: what it learns, that its network says what its training said, and what is not computed twice."""

import json
from dataclasses import replace

import numpy as np
import pytest
import trainings
from click.testing import CliRunner
from drawn import portrait
from needs import needs
from PIL import Image
from train_world import build

from imageledger import manifest
from imageledger.errors import ConfigError, RunError
from train import views
from train.runs import Run, read_predictions

needs("fastai")

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]
SIDE = 96


def weights_file(folder):
    """Random weights of a body: features need not be good, only the same every time."""
    from safetensors.torch import save_file

    from train.network.fastai_seam import models, torch

    torch.manual_seed(3)
    state = models.squeezenet1_1(weights=None).features.state_dict()
    save_file({f"features.{key}": value for key, value in state.items()}, folder / "weights.safetensors")
    return str(folder / "weights.safetensors")


def enlarge(project):
    """Give every picture SIDE pixels a side: squares of the drawn ones would be too small."""
    rows = []
    for number, row in enumerate(manifest.read(project.manifest("manifest"))):
        image = portrait(number, SIDE)[0].point(lambda value, ai=row.label == "ai": value * (0.75 if ai else 1))
        path = project.root / "one.png"
        image.save(path)
        name = project.store.put(path.read_bytes(), "png")
        rows.append(replace(row, file=name, origin=name))
    manifest.write(project.manifest("manifest"), rows)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from train.config import TrainSettings

    project = build(tmp_path_factory.mktemp("frozen"), train=12, valid=6)
    enlarge(project)
    settings = TrainSettings(recipe="frozen", arch="squeezenet1_1", weights=weights_file(project.root))
    folder, run = trainings.train(project, "line", settings)
    return project, folder, run, settings


def test_a_line_on_frozen_features_learns_a_plain_difference_and_leaves_a_whole_run(trained):
    _, folder, run, _ = trained
    assert run.metrics["train"]["accuracy"]["share"] == 1
    assert run.metrics["valid"]["accuracy"]["share"] > 0.7
    assert run.settings["views"] == {"kind": "crops", "across": 3, "share": 0.5, "flip": False, "most": 512}
    assert not {"epochs", "size", "batch_size"} & set(run.settings)  # a line has none of them
    assert {path.name for path in (folder / "figures").iterdir()} == {"views.png", "confusion_matrix.png"}
    assert (folder / "history.csv").read_text().splitlines()[1].startswith("1,frozen,")


def test_its_network_says_of_every_picture_what_its_training_wrote_down(trained):
    from train.network import predicting

    project, folder, _, _ = trained
    rows = list(read_predictions(folder))
    images = [Image.open(project.store.path(row.file)).convert("RGB") for row in rows]
    said = list(predicting.predict(predicting.load(folder), images))
    assert said == pytest.approx([row.probability for row in rows], abs=1e-5)


def test_features_are_kept_by_object_and_used_again_and_torn_ones_are_made_anew(trained, monkeypatch):
    from train.network import features

    project, _, run, settings = trained
    kept = sorted((project.root / "data" / "features").rglob("*.npy"))
    assert len(kept) == 36 + 24  # pictures, and degraded copies of those that train
    kept[0].write_bytes(b"torn")
    opened = []
    real = features.decoded
    monkeypatch.setattr(features, "decoded", lambda path: opened.append(path) or real(path))
    _, again = trainings.train(project, "again", settings)
    assert [path.name for path in opened] == [kept[0].name.removesuffix(".npy")]
    assert again.metrics == run.metrics
    for path in kept:
        path.unlink()
    opened.clear()
    trainings.train(project, "third", settings)
    assert len(opened) == len(set(opened)) == 36  # a degraded copy is made of the picture that was decoded already


def test_without_learned_weights_or_with_tiny_pictures_it_is_refused(tmp_path):
    from train.config import TrainSettings

    project = build(tmp_path)
    with pytest.raises(ConfigError, match="pretrained"):
        trainings.train(project, "a", TrainSettings(recipe="frozen", arch="squeezenet1_1", weights="none"))
    chosen = TrainSettings(recipe="frozen", arch="squeezenet1_1", weights=weights_file(tmp_path))
    with pytest.raises(RunError, match="20 px each"):
        trainings.train(project, "b", chosen)
    assert not list(project.runs.glob("*/run.json"))


def test_exported_to_onnx_it_takes_pictures_as_its_training_did(trained, tmp_path):
    pytest.importorskip("onnxscript")
    from train.cli import main

    project, folder, _, _ = trained
    target = tmp_path / "line.zip"
    made = CliRunner().invoke(main, ["export", "line", "--onnx", "-o", str(target), "--project", str(project.root)])
    assert made.exit_code == 0, made.output
    row = next(read_predictions(folder))
    asked = ["predict", str(target), str(project.store.path(row.file)), "--no-stability", "--json"]
    said = CliRunner().invoke(main, asked)
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout.splitlines()[0])["probability"] == pytest.approx(row.probability, abs=1e-4)


def test_a_new_picture_that_is_too_small_is_a_row_with_the_reason_beside_the_others(trained, tmp_path):
    from train.cli import main

    project, folder, _, _ = trained
    Image.new("RGB", (40, 40), "red").save(tmp_path / "tiny.png")
    row = next(read_predictions(folder))
    asked = ["predict", "line", str(tmp_path / "tiny.png"), str(project.store.path(row.file)), "--no-stability"]
    said = CliRunner().invoke(main, [*asked, "--json", "--project", str(project.root)])
    assert said.exit_code == 0, said.output
    tiny, other = (json.loads(line) for line in said.stdout.splitlines())
    assert (tiny["status"], tiny["probability"]) == ("rejected", None)
    assert "20 px each" in tiny["reason"]
    assert other["probability"] == pytest.approx(row.probability, abs=1e-5)


def test_squares_lie_evenly_and_only_large_pictures_are_shrunk():
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (80, 120, 3), dtype=np.uint8))
    told = {"kind": "crops", "across": 2, "share": 0.5, "flip": True, "most": 512}
    seen = views.of(image, told)
    assert seen.shape == (8, 3, 40, 40)
    whole = views.stacked([image])[0]
    assert np.array_equal(seen[0], whole[:, :40, :40])
    assert np.array_equal(seen[3], whole[:, 40:, 80:])
    assert np.array_equal(seen[4], seen[0][:, :, ::-1])
    assert views.of(image, told | {"most": 40, "share": 0.9}).shape == (8, 3, 36, 36)
    assert views.count(told) == 8


def test_run_json_of_an_older_version_names_a_size_alone():
    assert views.of_run(Run(name="old", labels=("real", "ai"), settings={"size": 64}).settings) == {
        "kind": "resize",
        "size": 64,
    }
