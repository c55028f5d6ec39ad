"""`--early-stopping`: an inner split of the training pictures chooses the epoch, and the judged ones have no say."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import train_world
import trainings
from needs import needs

from imageledger import manifest
from train.config import TrainSettings
from train.runs import Run, read_predictions
from train.training import task as training

needs("fastai")

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]

SETTINGS = TrainSettings(arch="squeezenet1_1", weights="none", epochs=2, size=32, batch_size=8, early_stopping=True)


def grouped(root):
    """A drawn project whose training pictures come in pairs."""
    project = train_world.build(root)
    rows = list(manifest.read(project.manifest("manifest")))
    pairs = [replace(row, group=f"{row.split} {row.label} {int(row.member[-7:-4]) // 2}") for row in rows]
    manifest.write(project.manifest("manifest"), pairs)
    return project


def after(losses):
    """What a Chooser has chosen after epochs with these losses, whose weights are their numbers from 1."""
    torch = pytest.importorskip("torch")
    from train.network.early_stopping import Chooser

    chooser, model = Chooser(), torch.nn.Linear(1, 1)
    chooser.learn = SimpleNamespace(model=model, recorder=SimpleNamespace(values=[]))
    for number, loss in enumerate(losses, 1):
        with torch.no_grad():
            model.weight.fill_(number)
        chooser.learn.recorder.values.append([0.0, loss, 0.5])
        chooser.after_epoch()
    chooser.put_back(SimpleNamespace(model=model))
    return chooser.best, model.weight.item()


@pytest.mark.parametrize(
    ("losses", "best"), [((0.7, 0.5, 0.6), 2), ((0.7, 0.6, 0.5), 3), ((0.5, 0.5, 0.9), 1), ((0.4,), 1)]
)
def test_the_weights_of_the_epoch_with_the_lowest_loss_come_back(losses, best):
    assert after(losses) == (best, float(best))


def test_the_inner_split_is_of_training_pictures_alone_and_keeps_groups_whole(tmp_path):
    from train.network.early_stopping import divided

    pictures = training.task(grouped(tmp_path), None, None).pictures
    shown = divided(pictures, 42)
    assert {one.key for one in shown} == {one.key for one in pictures if one.split == "train"}
    sides = [{one.group for one in shown if one.split == split} for split in ("train", "valid")]
    assert not sides[0] & sides[1]
    assert 4 <= sum(one.split == "valid" for one in shown) <= 6
    assert divided(pictures, 42) == shown


def test_the_judged_pictures_are_not_shown_and_judged_by_the_chosen_epoch(tmp_path, monkeypatch):
    from train.network import early_stopping, fit

    seen, learner = [], fit.learner

    def watched(pictures, *args, **options):
        seen.extend(pictures)
        return learner(pictures, *args, **options)

    choose = early_stopping.Chooser.after_epoch
    monkeypatch.setattr(fit, "learner", watched)
    monkeypatch.setattr(early_stopping.Chooser, "after_epoch", lambda self: self.seen or choose(self))
    project = grouped(tmp_path)
    todo = training.task(project, None, None)
    place, run = trainings.train(project, "stopped", SETTINGS)
    assert {one.key for one in seen} == {one.key for one in todo.pictures if one.split == "train"}
    said = {one.key: one for one in read_predictions(place)}
    assert [(one.key, one.split) for one in todo.pictures] == [(key, one.split) for key, one in said.items()]
    inner = [said[one.key].loss for one in seen if one.split == "valid"]
    history = [float(line.split(",")[3]) for line in (place / "history.csv").read_text().splitlines()[1:]]
    assert run.early_stopping == {"epoch": 1, "epochs": 2, "loss": history[0], "pictures": len(inner)}
    assert sum(inner) / len(inner) == pytest.approx(history[0], rel=1e-3)  # the first epoch speaks, not the last
    assert history[1] != pytest.approx(history[0], rel=1e-2)


def test_in_a_cross_validation_no_fold_shows_the_pictures_that_it_judges(tmp_path, monkeypatch):
    from train.network import fit

    shown, learner = [], fit.learner

    def watched(pictures, *args, **options):
        shown.append(pictures)
        return learner(pictures, *args, **options)

    monkeypatch.setattr(fit, "learner", watched)
    project = grouped(tmp_path)
    todo = training.task(project, None, None)
    place, run = trainings.train(project, "stopped", SETTINGS, kind="cross-validate", folds=2)
    assert len(shown) == 3  # two folds and the final model
    for fold, pictures in enumerate(shown[:2], 1):
        said = read_predictions(place / "folds" / f"1-{fold}")
        judged = {one.key for one in said if one.split == "valid"}
        assert {one.key for one in pictures} == {one.key for one in todo.pictures} - judged
        assert {one.split for one in pictures} == {"train", "valid"}  # the inner split, which chose the epoch
        assert Run.load(place / "folds" / f"1-{fold}").early_stopping["epoch"] in (1, 2)
    assert len({one.key for one in shown[2]}) == len(todo.pictures)
    assert run.evaluation["n"] == len(todo.pictures)
