"""Pictures of the same label from elsewhere: a model that reads the source is caught, one that does not is not."""

import csv
import json

import numpy as np
import pytest
import trainings
from needs import needs
from PIL import Image
from train_world import build, picture

from audit.cli import main
from train.config import TrainSettings
from train.evaluation.foreign import ALIKE, APART, UNDECIDED, Asked, judge, together

SMALL = TrainSettings(arch="squeezenet1_1", weights="none", epochs=2, size=32, batch_size=8)


def asked(own, foreign, model=0, first=0):
    """Answers about pictures of the set (numbered from `first`) and the same foreign ones, by one model."""
    return Asked(
        shares=np.concatenate([own, foreign]),
        foreign=np.repeat([False, True], [len(own), len(foreign)]),
        groups=np.concatenate([first + np.arange(len(own)), 10_000 + np.arange(len(foreign))]),
        models=np.full(len(own) + len(foreign), model),
    )


def shares(mean, number, seed):
    return 1 / (1 + np.exp(-np.random.default_rng(seed).normal(mean, 1, number)))


def test_a_model_that_knows_the_source_is_told_and_one_that_does_not_is_not():
    apart = judge(asked(shares(-2, 60, 0), shares(0, 60, 1)), positive=False)
    assert (apart.verdict, apart.auc.value > 0.85) == (APART, True)
    assert apart.foreign_wrong.share > 0.3 > 0.1 > apart.own_wrong.share
    assert apart.p < 0.001
    reverse = judge(asked(shares(0, 60, 0), shares(-2, 60, 1)), positive=False)
    assert (reverse.verdict, reverse.auc.value < 0.15) == (APART, True)
    even = np.linspace(0.01, 0.99, 600)
    assert judge(asked(even[::2], even[1::2]), positive=False).verdict == ALIKE
    assert judge(asked(shares(0, 12, 2), shares(0, 12, 6)), positive=False).verdict == UNDECIDED


def test_scores_of_two_models_are_not_compared_and_a_picture_counts_once():
    first = asked(shares(-3, 40, 0), shares(-3, 40, 1), model=0)
    second = asked(shares(3, 40, 2), shares(3, 40, 3), model=1, first=40)
    both = judge(together([first, second]), positive=False)
    assert 0.3 < both.auc.value < 0.7
    assert both.foreign_wrong.total == 80
    alone = judge(first, positive=False)
    assert np.ptp([both.auc.low, both.auc.high]) > 0.6 * np.ptp([alone.auc.low, alone.auc.high])


@pytest.fixture(scope="module")
def trained(tmp_path_factory, quick_probe):
    """A real run, and two folders of real pictures from elsewhere: of the same kind, and of a bluish camera."""
    needs("fastai")
    project = build(tmp_path_factory.mktemp("foreign"), train=12, valid=12)
    trainings.train(project, "first", SMALL)
    for name in ("alike", "blue"):
        folder = project.root / name
        folder.mkdir()
        for number in range(100, 116):
            path = folder / f"{number}.png"
            path.write_bytes(picture("real", number))
            if name == "blue":
                values = np.asarray(Image.open(path), dtype=int) + np.array([0, 0, 120])
                Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(path)
    (project.root / "alike" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    own = next(iter(sorted((project.root / "data" / "objects").rglob("*.png"))))
    (project.root / "alike" / "own.png").write_bytes(own.read_bytes())
    return project


@pytest.mark.long
def test_the_command_asks_a_real_model_and_counts_what_was_left_out(trained, runner, monkeypatch):
    monkeypatch.chdir(trained.root)
    ran = runner.invoke(main, ["foreign", "first", "folder:alike", "--label", "real", "--quiet"])
    assert ran.exit_code == 0, ran.output
    assert "real pictures from elsewhere" in ran.output
    assert "2 of 18 pictures were left out" in " ".join(ran.output.split())
    assert "in the dataset already" in ran.output
    folder = trained.runs / "first" / "audit"
    (path,) = folder.glob("foreign-real-alike-*.json")
    told = json.loads(path.read_text())
    assert (told["foreign_wrong"]["n"], told["own_wrong"]["n"], told["pictures"]) == (16, 12, 18)
    with path.with_suffix(".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["probability"] != "" for row in rows) == 16
    assert Image.open(path.with_suffix(".png")).size[0] > 400
    assert "What the model answers" in path.with_suffix(".html").read_text(encoding="utf-8")
    again = runner.invoke(main, ["foreign", "first", "blue", "--label", "real", "--json", "--quiet"])
    assert json.loads(again.stdout)["auc"].keys() == {"value", "low", "high"}
    assert path.is_file(), "another source does not take the place of the first"
    assert len(list(folder.glob("foreign-real-*.json"))) == 2


@pytest.mark.long
@pytest.mark.parametrize(("words", "said"), [
    (["folder:alike", "--label", "cat"], "its labels: real, ai"),
    (["folder:nowhere", "--label", "real"], "nowhere"),
    (["ftp:alike", "--label", "real"], "is not the address of a source"),
])  # fmt: skip
def test_what_cannot_be_asked_ends_with_one_line_and_the_way_out(trained, runner, monkeypatch, words, said):
    monkeypatch.chdir(trained.root)
    ran = runner.invoke(main, ["foreign", "first", *words, "--quiet"])
    assert ran.exit_code == 1
    assert said in ran.output
    assert "Traceback" not in ran.output
