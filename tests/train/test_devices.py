"""Devices and precision: what is refused here, in words that say what to do, and what run.json records."""

import json

import pytest
import slow_train
import train_world
import trainings
from click.testing import CliRunner
from needs import needs

from imageledger.errors import ConfigError, ModelError
from train.config import TrainSettings
from train.runs import Run
from train.training.settings import train_settings

needs("fastai")

SMALL = {"arch": "squeezenet1_1", "weights": "none", "epochs": 1, "size": 32, "batch_size": 4}


def chosen(**settings):
    from train.network import devices

    return devices.chosen(TrainSettings(**settings))


def test_mixed_precision_on_a_cpu_is_refused_with_the_reason():
    with pytest.raises(ModelError, match="autocast off") as caught:
        chosen(precision="mixed", devices="cpu")
    assert "--precision full" in caught.value.hint


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    from train.network.fastai_seam import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="needs a GPU, and none can be seen") as caught:
        chosen(devices="1")
    assert "--devices cpu" in caught.value.hint


@pytest.mark.parametrize("wrong", [{"precision": "half"}, {"devices": "0"}, {"devices": "2"}, {"devices": "gpu"}])
def test_words_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TrainSettings(**wrong)


@pytest.mark.parametrize("useless", [{"precision": "mixed"}, {"early_stopping": True}])
def test_the_recipe_frozen_refuses_what_only_epochs_can_use(tmp_path, useless):
    project = train_world.build(tmp_path)
    project.tables["train"] = {"recipe": "frozen", **useless}
    with pytest.raises(ConfigError, match="recipe frozen has no use for --"):
        train_settings(project, {})


@pytest.mark.parametrize("name", ["epochs", "size", "batch_size"])
def test_an_option_that_the_recipe_frozen_does_not_heed_is_refused_rather_than_forgotten(tmp_path, name):
    project = train_world.build(tmp_path)
    option = f"recipe frozen has no use for --{name.replace('_', '-')}"
    with pytest.raises(ConfigError, match=option):
        train_settings(project, {"recipe": "frozen", name: 64})
    assert getattr(train_settings(project, {"recipe": "fine-tune", name: 64}), name) == 64
    project.tables["train"] = {name: 64}  # meant for the other recipe, and left alone
    assert train_settings(project, {"recipe": "frozen"}).recipe == "frozen"


def test_the_command_refuses_too_and_leaves_nothing(tmp_path):
    from train.cli import main

    project = train_world.build(tmp_path, train=2, valid=1)
    ended = CliRunner().invoke(
        main, ["run", "--weights", "none", "--devices", "cpu", "--precision", "mixed", "--project", str(project.root)]
    )
    assert ended.exit_code == 1
    assert "autocast" in " ".join(ended.stderr.split())
    assert not project.runs.exists()


@pytest.mark.long
@pytest.mark.usefixtures("quick_probe")
def test_run_json_records_device_and_precision_and_an_old_one_with_devices_can_be_read(tmp_path, monkeypatch):
    slow_train.hurry(monkeypatch.setattr)
    project = train_world.build(tmp_path, train=2, valid=1)
    place, run = trainings.train(project, "a", TrainSettings(**SMALL, devices="cpu"))
    assert (run.device, run.precision, run.settings["devices"]) == ("cpu", "full", "cpu")
    path = place / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "devices": 1}))
    (place / "SHA256SUMS").unlink()  # runs of that time had none
    assert Run.load(place) == run
