"""`audit calibration` as a person runs it, on runs of one split and of folds."""

import json
import subprocess
import sys

import crossvalidated_world as world
import numpy as np
import pytest
from PIL import Image
from train_world import build

from audit.cli import main
from train.evaluation import temperature as calibration


def sure(row):
    """A model that is right four times in five, and always sure of itself."""
    number = int(row.member[-7:-4])
    right = number % 5 != 4
    return 0.99 - 0.001 * number if (row.label == "ai") == right else 0.01 + 0.001 * number


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    project = build(tmp_path, train=24, valid=16)
    monkeypatch.chdir(project.root)
    return project


@pytest.mark.long
def test_the_command_tells_stores_and_draws(drawn, runner):
    folder = world.leave(drawn, sure)
    ran = runner.invoke(main, ["calibration"])
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("The model is too sure of itself: temperature ")
    assert "calibration helps" in lines[1]
    assert "No verdict is given for a calibrated P(ai) of " in ran.stdout
    audit = folder / "audit"
    assert ran.stdout.splitlines()[-3:] == [
        str(folder / "calibration.json"), str(audit / "calibration.png"), str(audit / "calibration.html")
    ]  # fmt: skip
    page = (audit / "calibration.html").read_text(encoding="utf-8")
    assert page.count('<svg class="chart"') == 2
    assert "19 of 20 perfectly calibrated models" in page
    assert Image.open(folder / "audit" / "calibration.png").size[0] > 1000
    stored = calibration.read(folder)
    assert stored.n == 80
    assert stored.fewest == 40
    assert stored.kind == "cross-validation"
    assert stored.rough


@pytest.mark.long
def test_equal_runs_give_equal_bytes(drawn, runner, tmp_path):
    folder = world.leave(drawn, sure)
    found = []
    for name in ("a", "b"):
        assert runner.invoke(main, ["calibration", "-o", str(tmp_path / name)]).exit_code == 0
        found.append(((folder / "calibration.json").read_bytes(), (tmp_path / name / "calibration.png").read_bytes()))
    assert found[0] == found[1]


def test_json_is_one_object_with_every_figure(drawn, runner):
    world.leave(drawn, sure)
    told = json.loads(runner.invoke(main, ["calibration", "crossed", "--json"]).stdout)
    assert told["temperature"] > 1
    assert told["scores"]["log_loss"]["verdict"] == "BETTER"
    assert told["scores"]["log_loss"]["change"]["high"] < 0
    assert told["scores"]["brier"]["change"]["value"] < 0
    assert set(told["verdicts"]) == {"real", "ai"}
    assert sum(one["n"] for one in told["verdicts"]["ai"].values()) == 40
    assert sum(one["n"] for one in told["bins"]["after"]) == 80
    assert told["calibration_error"]["after"]["error"]["value"] < told["calibration_error"]["before"]["error"]["value"]


@pytest.mark.long
def test_a_run_of_one_split_is_calibrated_on_its_validation_pictures_with_a_warning(drawn, runner):
    world.leave(drawn, sure, folds=[0] * 80, kind="split")
    rows = list(world.rows_of(drawn))
    from train.runs import write_predictions

    write_predictions(drawn.runs / "crossed", [world.said(row, sure(row), row.split, None) for row in rows])
    ran = runner.invoke(main, ["calibration"])
    assert ran.exit_code == 0
    assert "the temperature rests on 32 pictures" in ran.stderr
    assert "train cross-validate" in ran.stderr
    assert calibration.read(drawn.runs / "crossed").kind == "split"
    world.leave(drawn, sure)
    assert "only more pictures help" in runner.invoke(main, ["calibration"]).stderr  # it is cross-validated already


def test_too_few_pictures_are_refused_and_nothing_is_stored(tmp_path, monkeypatch, runner):
    project = build(tmp_path, train=5, valid=4)
    monkeypatch.chdir(project.root)
    folder = world.leave(project, sure)
    ran = runner.invoke(main, ["calibration"])
    assert ran.exit_code == 1
    assert "too few for a temperature" in ran.stderr
    assert calibration.read(folder) is None


@pytest.mark.parametrize("probability", [float("nan"), -0.1, 1.5])
def test_a_probability_that_is_none_is_refused(drawn, runner, probability):
    from dataclasses import replace

    from train.runs import read_predictions, write_predictions

    folder = world.leave(drawn, sure)
    rows = list(read_predictions(folder))
    write_predictions(folder, [replace(rows[0], probability=probability), *rows[1:]])
    ran = runner.invoke(main, ["calibration"])
    assert ran.exit_code == 1
    assert "no probability of 0..1" in ran.stderr


def test_a_run_without_judged_pictures_is_refused(drawn, runner):
    from train.runs import write_predictions

    folder = world.leave(drawn, sure)
    write_predictions(folder, [])
    ran = runner.invoke(main, ["calibration"])
    assert ran.exit_code == 1
    assert "has judged no picture" in ran.stderr


@pytest.mark.long
def test_no_torch_is_needed_for_calibration_and_slices(drawn):
    world.leave(drawn, sure)
    script = (
        "import sys\n"
        "from audit.cli import main\n"
        "main(['calibration', '--quiet'], standalone_mode=False)\n"
        "main(['slices', '--quiet'], standalone_mode=False)\n"
        "assert 'torch' not in sys.modules and 'cleanlab' not in sys.modules\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=drawn.root, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_groups_stay_together_when_the_temperature_is_judged(drawn):
    from dataclasses import replace

    from audit.calibration.judge import judge
    from imageledger import manifest
    from train.answers import Answers

    rows = [replace(row, group=f"g{int(row.member[-7:-4]) // 4}{row.label}") for row in world.rows_of(drawn)]
    manifest.write(drawn.manifest("manifest"), rows)
    answers = judge(Answers.of(drawn, world.leave(drawn, sure)).held_out()).answers
    assert len(set(answers.groups)) == 20
    assert np.array_equal(np.bincount(answers.group_numbers), np.full(20, 4))
