"""Trainings that are cut off or killed: the same call carries on and ends with the same bytes."""

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import slow_train
import train_world
import trainings
from needs import needs
from slow_train import EPOCHS, SMALL

from train.training import task as training
from train.training.settings import ready

needs("fastai")

pytestmark = pytest.mark.long

LABELS = ("real", "ai")
SAME = ("weights.safetensors", "predictions.jsonl", "history.csv", "figures/batch.png")


def weights_file(folder):
    """Random weights of a body: what is tested is that they end up the same."""
    from safetensors.torch import save_file

    from train.network.fastai_seam import models, torch

    torch.manual_seed(3)
    state = models.squeezenet1_1(weights=None).features.state_dict()
    save_file({f"features.{key}": value for key, value in state.items()}, folder / "weights.safetensors")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = train_world.build(tmp_path_factory.mktemp("resume"), train=4, valid=2)
    weights_file(made.root)
    with pytest.MonkeyPatch.context() as patched:
        slow_train.hurry(patched.setattr)
        yield made


def make(project, name, settings=SMALL, tell=None):
    said = []
    place, run = trainings.train(project, name, settings, tell=tell, say=said.append)
    return place, run, [line for line in said if "carrying on" in line]


def cut_in(epoch, epochs=EPOCHS):
    """A tell that interrupts in the second batch of an epoch; counting goes on where a training carries on."""

    def tell(done, total, ended):
        if ended is None and done == (epoch - 1) * total // epochs + 2:
            raise KeyboardInterrupt

    return tell


def cut(project, name, epoch, settings=SMALL, epochs=EPOCHS):
    with pytest.raises(KeyboardInterrupt):
        make(project, name, settings, cut_in(epoch, epochs))
    return project.runs / f".{name}.part"


def same(one, other):
    return [name for name in SAME if (one / name).read_bytes() != (other / name).read_bytes()] == []


@pytest.fixture(scope="module")
def calm(project):
    """A run that nothing has happened to."""
    return make(project, "calm")


def test_an_undisturbed_run_is_fastais_own_fine_tune_to_the_last_bit(project, calm):
    from safetensors.torch import load_file

    from train.network import backbones, fit, weights
    from train.network.fastai_seam import torch

    settings = ready(project, SMALL)
    backbone = backbones.find(SMALL.arch)
    body = weights.of_body(settings.weights, backbone)
    with fit.fixed(settings):
        learn = fit.learner(training.task(project, None, None).pictures, LABELS, settings, backbone, body)
        with learn.no_bar(), learn.no_logging():
            learn.fine_tune(SMALL.epochs)
    ours = load_file(calm[0] / "weights.safetensors")
    plain = learn.model.state_dict()
    assert set(ours) == set(plain)
    assert all(torch.equal(ours[key], plain[key]) for key in plain)


def test_cut_off_in_every_epoch_in_turn_it_ends_with_the_same_bytes(project, calm):
    found = []
    for epoch in (1, 2, 3):
        part = cut(project, "cut", epoch)
        found.append(len(list(part.glob("checkpoints/*"))))
    place, _, said = make(project, "cut")
    assert found == [0, 1, 2]
    assert said == ["carrying on after epoch 2 of 3"]
    assert same(place, calm[0])
    assert not (place / "checkpoints").exists()
    assert not (place / "job.json").exists()


def test_cut_off_after_the_last_epoch_nothing_is_trained_again(project, calm):
    def tell(done, total, ended):
        assert not finished or ended is None

    finished, predict = [], "train.network.fit.predict"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(predict, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            make(project, "late")
    finished.append(True)
    place, _, said = make(project, "late", tell=tell)
    assert said == ["carrying on after epoch 3 of 3"]
    assert same(place, calm[0])


def test_killed_with_9_in_the_second_fit_it_ends_with_the_same_bytes(project, calm):
    with subprocess.Popen([sys.executable, slow_train.__file__, str(project.root), str(stuck_at(calm))]) as running:
        try:
            while not (project.root / "stuck").exists():
                assert running.poll() is None, "the training ended before it could be killed"
                time.sleep(0.01)
        finally:
            running.send_signal(signal.SIGKILL)
    place, _, said = make(project, "killed")
    assert said == ["carrying on after epoch 2 of 3"]
    assert same(place, calm[0])


def stuck_at(calm):
    """The second batch of the third epoch: an epoch has two of training and one of validation."""
    return 2 * 3 + 2


@pytest.mark.parametrize("changes", [{"weights": "none", "epochs": 3}, {"early_stopping": True, "batch_size": 2}])
def test_from_scratch_and_with_early_stopping_it_carries_on_as_well(project, changes):
    settings = replace(SMALL, **changes)
    name = "scratch" if settings.from_scratch else "stopping"
    whole, run, _ = make(project, f"{name}-calm", settings)
    cut(project, name, 3, settings)
    place, again, said = make(project, name, settings)
    assert said == ["carrying on after epoch 2 of 3"]
    assert same(place, whole)
    assert again.early_stopping == run.early_stopping


def test_a_torn_checkpoint_is_passed_over_for_the_one_before_and_two_torn_ones_for_a_new_start(project, tmp_path):
    from train.network import checkpoint

    part = cut(project, "torn", 3)
    shutil.copytree(part / "checkpoints", tmp_path / "checkpoints")
    first, second = sorted((tmp_path / "checkpoints").iterdir())
    assert checkpoint.newest(tmp_path).whole == 2
    content = bytearray(second.read_bytes())
    content[-100] ^= 1
    second.write_bytes(content)
    assert checkpoint.newest(tmp_path).whole == 1
    first.write_bytes(first.read_bytes()[:-1])
    assert checkpoint.newest(tmp_path) is None
    assert checkpoint.newest(tmp_path / "nowhere") is None


def test_a_checkpoint_is_one_file_of_tensors_and_json(project):
    import json

    from safetensors import safe_open

    part = cut(project, "open", 2)
    held = [path.name for path in (part / "checkpoints").iterdir()]
    assert len(held) == 1
    assert held[0].endswith(".safetensors")
    with safe_open(part / "checkpoints" / held[0], "pt") as opened:
        stated = json.loads(opened.metadata()["state"])
        assert {"chance/torch", "losses", "smooth"} <= set(opened.keys())
    assert {"python", "numpy", "loaders", "optimizer", "recorder"} <= set(stated["values"])


def test_other_settings_and_other_pictures_begin_anew(project):
    part = cut(project, "other", 2)
    before = (part / "job.json").read_bytes()
    cut(project, "other", 1, replace(SMALL, seed=7))
    assert not part.exists()
    cut(project, "other", 2)
    assert (part / "job.json").read_bytes() == before
    todo, settings = training.task(project, None, None), ready(project, SMALL)
    jobs = [training.job_of("split", LABELS, replace(todo, digest=digest), settings) for digest in ("one", "two")]
    assert jobs[0] != jobs[1]


def test_a_fold_that_was_cut_off_carries_on_too(project, calm):
    from train.training import series

    todo = training.task(project, None, None)
    one = series.Training(name="1-1", pictures=todo.pictures, settings=ready(project, SMALL))
    folder, said = project.root / "series", []

    def done(tell):
        return list(series.each(folder, "cv", LABELS, todo, [one], tell))

    with pytest.raises(KeyboardInterrupt):
        done(cut_in(2))
    with trainings.logged(said.append):
        done(lambda *_: None)
    assert "carrying on after epoch 1 of 3" in said
    inside = folder / "folds" / "1-1"
    assert (inside / "weights.safetensors").read_bytes() == (calm[0] / "weights.safetensors").read_bytes()
    assert not (inside / "checkpoints").exists()
