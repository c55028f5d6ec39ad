"""What a finished run holds, and that it is the same again; one small training is shared by most tests."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import train_world
import trainings
from needs import needs
from PIL import Image

from imageledger import manifest
from imageledger.errors import BusyError, ConfigError, RunError, StoreError
from imageledger.intervals import wilson
from train.config import TrainSettings
from train.runs import Run, find_run, read_predictions
from train.training import task as training
from train.training.settings import train_settings

needs("fastai")

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]

SMALL = TrainSettings(arch="squeezenet1_1", weights="none", epochs=2, size=32, batch_size=8)
LABELS = ("real", "ai")


def make(project, name, settings=SMALL, folder=None, tell=None):
    return trainings.train(project, name, settings, folder=folder, tell=tell)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    project = train_world.build(tmp_path_factory.mktemp("trained"))
    reports = []
    place, run = make(project, "first", tell=lambda *report: reports.append(report))
    return project, place, run, reports


@pytest.fixture(scope="module")
def relearned(trained):
    """A fresh learner over the same pictures that holds the weights of the finished run."""
    from safetensors.torch import load_file

    from train.network import backbones, fit

    project, place, _, _ = trained
    todo = training.task(project, None, None)
    with fit.fixed(SMALL):
        learn = fit.learner(todo.pictures, LABELS, SMALL, backbones.find(SMALL.arch), None)
    learn.model.load_state_dict(load_file(place / "weights.safetensors"))
    with learn.no_bar(), learn.no_logging():
        yield learn


def test_a_run_holds_its_files_and_no_pickle(trained):
    _, place, _, _ = trained
    held = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    figures = {"figures/batch.png", "figures/learning_curve.png", "figures/confusion_matrix.png"}
    assert (
        held
        == {"run.json", "history.csv", "weights.safetensors", "predictions.jsonl", "model-card.md", "SHA256SUMS"}
        | figures
    )
    assert not list(place.parent.glob(".*.part"))


def test_run_json_says_what_was_trained_on_and_how(trained):
    project, place, run, _ = trained
    loaded = Run.load(place)
    assert loaded == run
    assert loaded.manifest == "manifests/drawn/final.jsonl"
    assert loaded.manifest_digest == manifest.digest(project.manifest("manifest"))
    assert (loaded.seed, loaded.workers, loaded.device, loaded.labels) == (42, 0, "cpu", LABELS)
    assert loaded.threads >= 1
    assert loaded.settings["schedule"] == "fit_one_cycle(2, 0.003)"
    assert {"torch", "torchvision", "fastai", "python", "imageledger"} <= set(loaded.versions)
    assert str(project.root) not in (place / "run.json").read_text()


def test_the_metrics_carry_their_counts_and_intervals(trained):
    _, place, run, _ = trained
    valid = [row for row in read_predictions(place) if row.split == "valid"]
    right = sum(row.label == row.predicted for row in valid)
    found = run.metrics["valid"]
    low, high = wilson(right, 10)
    assert found["accuracy"] == {"share": right / 10, "interval": [low, high], "hits": right, "n": 10}
    assert found["error_rate"]["hits"] == 10 - right
    assert found["loss"] == pytest.approx(np.mean([row.loss for row in valid]))
    for label in LABELS:
        assert found["recall"][label]["n"] == 5
        assert found["recall"][label]["hits"] == found["confusion"][label][label]


def test_every_picture_of_both_splits_is_predicted_in_the_order_of_the_manifest(trained):
    project, place, _, _ = trained
    rows = list(manifest.read(project.manifest("manifest")))
    said = list(read_predictions(place))
    assert [(p.key, p.file, p.label, p.split) for p in said] == [(r.key, r.file, r.label, r.split) for r in rows]
    for row in said:
        own = row.probability if row.label == "ai" else 1 - row.probability
        assert row.loss == pytest.approx(-np.log(own), rel=1e-2, abs=1e-5)  # a float32 near 1 says little of its loss
        assert row.predicted == ("ai" if row.probability > 0.5 else "real")


def test_the_history_has_a_row_an_epoch_and_ends_with_the_final_error_rate(trained):
    _, place, run, _ = trained
    with (place / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "phase", "train_loss", "valid_loss", "error_rate"]
    assert [(row["epoch"], row["phase"]) for row in rows] == [("1", "unfrozen"), ("2", "unfrozen")]
    assert float(rows[-1]["error_rate"]) == pytest.approx(run.metrics["valid"]["error_rate"]["share"])
    assert float(rows[-1]["valid_loss"]) == pytest.approx(run.metrics["valid"]["loss"], rel=1e-4)


def test_progress_counts_to_its_end_and_tells_each_epoch_once(trained):
    _, _, _, reports = trained
    assert [report[0] for report in reports if report[2] is None] == list(range(1, reports[-1][1] + 1))
    assert [report[2].epoch for report in reports if report[2]] == [1, 2]


def test_the_figures_are_pictures_with_something_on_them(trained):
    _, place, _, _ = trained
    for path in (place / "figures").iterdir():
        with Image.open(path) as image:
            assert min(image.size) > 300
            assert len(image.convert("RGB").getcolors(1 << 24)) > 10


def test_the_same_seed_gives_the_same_run_to_the_last_bit(trained):
    project, place, _, _ = trained
    again, _ = make(project, "again")
    for name in ("predictions.jsonl", "weights.safetensors", "history.csv", "figures/batch.png"):
        assert (again / name).read_bytes() == (place / name).read_bytes(), name
    first, second = (json.loads((folder / "run.json").read_text()) for folder in (place, again))
    assert {**first, "name": ""} == {**second, "name": ""}


def test_another_seed_gives_other_predictions(trained):
    project, place, _, _ = trained
    other, _ = make(project, "other", replace(SMALL, seed=7, epochs=1))
    assert (other / "predictions.jsonl").read_bytes() != (place / "predictions.jsonl").read_bytes()


def test_the_weights_come_back_whole_in_a_fresh_model(trained, relearned):
    _, place, _, _ = trained
    shares, _ = relearned.get_preds(dl=relearned.dls.valid)
    said = [row.probability for row in read_predictions(place) if row.split == "valid"]
    assert [np.float32(value) for value in said] == list(shares[:, 1].numpy())


def test_the_confusion_matrix_is_that_of_fastai(trained, relearned):
    from fastai.vision.all import ClassificationInterpretation

    _, _, run, _ = trained
    matrix = ClassificationInterpretation.from_learner(relearned).confusion_matrix()
    ours = run.metrics["valid"]["confusion"]
    assert matrix.tolist() == [[ours[actual][said] for said in LABELS] for actual in LABELS]


def test_losses_and_their_order_are_those_of_fastai(trained, relearned):
    from fastai.vision.all import ClassificationInterpretation

    _, place, _, _ = trained
    losses, places = ClassificationInterpretation.from_learner(relearned).top_losses()
    valid = [row for row in read_predictions(place) if row.split == "valid"]
    ours = [np.float32(row.loss) for row in valid]
    assert ours == [losses[places.tolist().index(n)].item() for n in range(len(valid))]
    assert [valid[n].member for n in places] == [row.member for row in sorted(valid, key=lambda row: -row.loss)]


def test_a_folder_trains_and_is_predicted_like_a_manifest(trained, tmp_path):
    project, _, _, _ = trained
    folder = train_world.export(project, tmp_path / "tree")
    place, run = make(project, "folder", replace(SMALL, epochs=1), folder)
    said = list(read_predictions(place))
    assert [row.member for row in said] == sorted(row.member for row in said)
    assert len(said) == 34
    assert all(f"{row.split}/{row.label}/" in row.member for row in said)
    for row in said:
        assert row.predicted == ("ai" if row.probability > 0.5 else "real")
    assert run.folder == str(folder)
    assert run.manifest_digest.startswith("sha256:")


def test_the_name_of_a_finished_run_is_not_taken_again(trained):
    project, _, _, _ = trained
    with pytest.raises(RunError, match="finished run 'first'") as caught:
        training.run_name(project, SMALL, "first")
    assert "--name" in caught.value.hint


def test_an_unfinished_folder_of_the_same_name_is_replaced(trained):
    project, _, _, _ = trained
    (project.runs / "half").mkdir()
    (project.runs / "half" / "leftover.txt").write_text("x")
    (project.runs / ".half.part").mkdir()
    assert training.run_name(project, SMALL, "half") == "half"
    place, _ = make(project, "half", replace(SMALL, epochs=1))
    assert find_run(project, "half") == place
    assert not (place / "leftover.txt").exists()


def test_a_run_without_a_name_gets_the_next_number(trained):
    project, _, _, _ = trained
    assert training.run_name(project, SMALL, None) == "drawn-squeezenet1_1-1"
    (project.runs / "drawn-squeezenet1_1-1").mkdir()
    assert training.run_name(project, SMALL, None) == "drawn-squeezenet1_1-2"
    assert training.run_name(project, replace(SMALL, arch="timm:a/b"), None) == "drawn-timm-a-b-1"


@pytest.mark.parametrize("name", ["../x", ".x", "", "a/b", "a:b"])
def test_a_name_that_cannot_be_a_folder_is_refused(trained, name):
    with pytest.raises(ConfigError, match="cannot name a run"):
        training.run_name(trained[0], SMALL, name)


def test_a_picture_that_cannot_be_decoded_is_named_and_nothing_is_kept(tmp_path):
    project = train_world.build(tmp_path)
    rows = list(manifest.read(project.manifest("manifest")))
    torn = project.store.put(train_world.picture("ai", 3)[:400], "png")
    manifest.write(project.manifest("manifest"), [replace(rows[0], file=torn), *rows[1:]])
    with pytest.raises(StoreError, match=torn):
        make(project, "torn", replace(SMALL, epochs=1))
    assert not list(project.runs.glob("*/")) or not (project.runs / "torn").exists()
    assert not list(project.runs.glob(".*.part"))


def test_fewer_pictures_than_one_batch_are_refused_with_a_batch_size_that_works(tmp_path):
    project = train_world.build(tmp_path, train=3, valid=1)
    with pytest.raises(RunError, match="do not fill one batch of 8") as caught:
        make(project, "few")
    assert "--batch-size 3" in caught.value.hint


def test_two_processes_do_not_train_the_same_run(trained):
    from filelock import FileLock

    project, _, _, _ = trained
    with FileLock(project.runs / ".busy.lock"), pytest.raises(BusyError, match="'busy'"):
        make(project, "busy")


def test_settings_come_from_options_then_the_table_then_the_project(tmp_path):
    from imageledger.config import open_project

    (tmp_path / "imageledger.toml").write_text('seed = 7\n[train]\narch = "resnet34"\nbatch-size = 4\n')
    found = train_settings(open_project(tmp_path), {"arch": None, "batch_size": 6, "size": None})
    assert found == TrainSettings(arch="resnet34", batch_size=6, seed=7)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"size": 8}, {"batch_size": 1}, {"workers": -1}])
def test_numbers_with_which_nothing_can_start_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TrainSettings(**wrong)


def test_torchvision_can_be_imported_whatever_its_operators(trained):
    from train.network.fastai_seam import models

    assert Path(models.__file__).is_file()


def test_a_picture_is_decoded_once_while_there_is_room_and_again_beyond_it(tmp_path):
    from train.network.loaders import Album

    path = tmp_path / "a.png"
    path.write_bytes(train_world.picture("ai", 1))
    size = 3 * train_world.SIDE**2
    roomy, full = Album(room=size), Album(room=size - 1)
    assert roomy(path) is roomy(path)
    assert full(path) is not full(path)
    assert np.array_equal(np.asarray(full(path)), np.asarray(roomy(path)))
