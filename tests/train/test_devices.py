"""Devices, precision and logs: what is refused here, in words that say what to do, and what run.json records."""

import pytest
import slow_train
import train_world
from click.testing import CliRunner

from imageledger.errors import ConfigError, MissingExtra, ModelError
from train.config import TrainSettings, train_settings
from train.network import devices
from train.run import work as training_run
from train.runs import Run
from train.training import series
from train.training import task as training

pytest.importorskip("fastai")

SMALL = {"arch": "squeezenet1_1", "weights": "none", "epochs": 1, "size": 32, "batch_size": 4}


@pytest.fixture
def gpus(monkeypatch):
    """Pretend that two GPUs can be seen."""
    from train.network.fastai_seam import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def no_gpu(monkeypatch):
    from train.network.fastai_seam import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_mixed_precision_on_a_cpu_is_refused_with_the_reason():
    with pytest.raises(ModelError, match="autocast off") as caught:
        devices.chosen(TrainSettings(precision="mixed", devices="cpu"))
    assert "--precision full" in caught.value.hint


@pytest.mark.parametrize(("wanted", "said"), [("1", "needs 1 GPU, and none"), ("3", "needs 3 GPUs, and none")])
def test_gpus_that_are_not_there_are_refused(no_gpu, wanted, said):
    with pytest.raises(ModelError, match=said) as caught:
        devices.chosen(TrainSettings(devices=wanted))
    assert "--devices cpu" in caught.value.hint


def test_more_gpus_than_there_are_are_refused_with_the_number(gpus):
    with pytest.raises(ModelError, match="needs 3 GPUs, and 2 can be seen") as caught:
        devices.chosen(TrainSettings(devices="3"))
    assert caught.value.hint == "--devices 2"


def test_several_gpus_without_accelerate_say_how_to_get_it(gpus, monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda _: None)
    with pytest.raises(ModelError) as caught:
        devices.chosen(TrainSettings(devices="2"))
    assert caught.value.hint == "pip install accelerate"


@pytest.mark.parametrize(("started", "said"), [(None, "1 was started"), ("4", "4 were started")])
def test_several_gpus_that_were_not_launched_say_the_command(gpus, monkeypatch, started, said):
    monkeypatch.setattr(devices, "find_spec", lambda _: True)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if started:
        monkeypatch.setenv("WORLD_SIZE", started)
    with pytest.raises(ModelError, match=said) as caught:
        devices.chosen(TrainSettings(devices="2"))
    assert "accelerate launch --num_processes 2 -m train run --devices 2" in caught.value.hint


@pytest.mark.parametrize(
    "wrong", [{"precision": "half"}, {"devices": "0"}, {"devices": "-1"}, {"devices": "gpu"}, {"log": "wandb"}]
)
def test_words_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TrainSettings(**wrong)


@pytest.mark.parametrize(
    "useless", [{"precision": "mixed"}, {"devices": "2"}, {"log": "csv"}, {"early_stopping": True}]
)
def test_the_strong_recipe_refuses_what_only_epochs_can_use(useless):
    with pytest.raises(ConfigError, match="it has no epochs"):
        TrainSettings(recipe="strong", **useless)


@pytest.mark.parametrize("name", ["epochs", "size", "batch_size"])
def test_an_option_that_the_strong_recipe_does_not_heed_is_refused_rather_than_forgotten(tmp_path, name):
    project = train_world.build(tmp_path)
    option = f"--{name.replace('_', '-')} is of no use to the recipe strong"
    with pytest.raises(ConfigError, match=option):
        train_settings(project, {"recipe": "strong", name: 64})
    assert getattr(train_settings(project, {"recipe": "seed", name: 64}), name) == 64
    project.tables["train"] = {name: 64}  # meant for the other recipe, and left alone
    assert train_settings(project, {"recipe": "strong"}).recipe == "strong"


def test_tensorboard_that_is_missing_is_refused_before_anything_is_trained(tmp_path, monkeypatch):
    from train.network import logs

    monkeypatch.setattr(logs, "find_spec", lambda _: None)
    project = train_world.build(tmp_path, train=2, valid=1)
    with pytest.raises(MissingExtra) as caught:
        training_run.train(project, training.task(project, None, None), TrainSettings(**SMALL, log="tensorboard"), "a")
    assert caught.value.hint == "pip install tensorboard"
    assert not project.runs.exists()


def test_several_gpus_are_for_one_run_and_not_for_a_series(tmp_path):
    project = train_world.build(tmp_path, train=2, valid=1)
    todo = training.task(project, None, None)
    with (
        pytest.raises(ConfigError, match="train run alone"),
        series.opened(project, todo, TrainSettings(devices="2"), "a", "cross-validation", {}),
    ):
        pass


def test_the_command_refuses_too_and_leaves_nothing(tmp_path):
    from train.cli import main

    project = train_world.build(tmp_path, train=2, valid=1)
    ended = CliRunner().invoke(
        main, ["run", "--weights", "none", "--devices", "cpu", "--precision", "mixed", "--project", str(project.root)]
    )
    assert ended.exit_code == 1
    assert "autocast" in " ".join(ended.stderr.split())
    assert not project.runs.exists()


def test_run_json_records_device_devices_and_precision_and_the_second_process_writes_nothing(tmp_path, monkeypatch):
    slow_train.hurry(monkeypatch.setattr)
    project = train_world.build(tmp_path, train=2, valid=1)
    todo, settings = training.task(project, None, None), TrainSettings(**SMALL, devices="cpu")
    with monkeypatch.context() as second:
        second.setenv("RANK", "1")
        training_run.train(project, todo, settings, "a")
        assert not project.runs.exists()
    place, _ = training_run.train(project, todo, settings, "a")
    run = Run.load(place)
    assert (run.device, run.devices, run.precision) == ("cpu", 1, "full")
    assert run.settings["devices"] == "cpu"
