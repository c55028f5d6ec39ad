"""The report's part on the training: every kind of run, every audit of it, and what to type where one is missing."""

import json
import shutil
from dataclasses import replace

import crossvalidated_world as world
import pytest
from audit_world import run_on_eight
from report_world import left_by_robustness
from train_world import build, export

from audit import page
from audit.calibration.work import calibration
from audit.report.subject import subject_of
from audit.report.training import history
from audit.report.training.work import training
from imageledger import manifest
from imageledger.config import open_project
from train.runs import HOLD_OUT, SPLIT, Run, read_predictions, write_predictions

HISTORY = (
    "epoch,phase,train_loss,valid_loss,error_rate\n1,frozen,0.9,0.8,0.4\n2,unfrozen,0.5,0.6,0.3\n3,unfrozen,0.3,,\n"
)


def answer(row):
    """P(ai): right and sure but for every fourth picture, which is called the other class."""
    right = int(row.member[-7:-4]) % 4 != 0
    return 0.85 if (row.label == "ai") == right else 0.15


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pictures, drawn once for all tests of this module."""
    return build(tmp_path_factory.mktemp("built"), train=24, valid=16).root


@pytest.fixture
def drawn(built, tmp_path, monkeypatch):
    """A project of 40 pictures per class, without a run."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return open_project(tmp_path)


def shown(project, run=None):
    section = training(subject_of(project, run))
    assert section is not None
    json.dumps(section.data(), allow_nan=False)
    return {block.name: block for block in section.blocks}, page.render(section.template, section=section)


def test_a_cross_validation_shows_counts_ranks_probabilities_and_origins(drawn):
    folder = world.leave(drawn, answer)
    (folder / "folds" / "1-1" / "history.csv").write_text(HISTORY, encoding="utf-8")
    blocks, text = shown(drawn)
    assert list(blocks) == [
        "confusion", "roc", "learning", "calibration", "robustness", "by_origin", "hold_out", "settings",
    ]  # fmt: skip
    assert blocks["confusion"].figures["counts"] == {"real": {"real": 30, "ai": 10}, "ai": {"real": 10, "ai": 30}}
    assert "✓ 30 = 75 % [60–86]" in text
    assert "ROC curve: AUC 0.75 [" in text
    assert blocks["learning"].figures["valid_loss"] == [
        {"epoch": 1, "mean": 0.8, "low": 0.8, "high": 0.8}, {"epoch": 2, "mean": 0.6, "low": 0.6, "high": 0.6},
    ]  # fmt: skip
    assert [row["name"] for row in blocks["by_origin"].figures["sources"]] == [
        "folder:drawn (ai)",
        "folder:drawn (real)",
    ]


def test_what_was_not_measured_names_the_command(drawn):
    world.leave(drawn, answer, name="first one")
    blocks, text = shown(drawn)
    assert blocks["calibration"].missing[0][1] == "audit calibration 'first one'"
    assert blocks["robustness"].missing[0][1] == "audit robustness 'first one'"
    assert "audit robustness &#39;first one&#39;" in text
    assert blocks["hold_out"].missing[0][1].startswith("curate fetch SOURCE --label ai")


def test_the_probabilities_before_and_after_the_temperature_are_those_of_the_audit(drawn):
    folder = world.leave(drawn, answer)
    report = calibration(drawn)
    report = replace(report, contents={})
    report.write()
    blocks, text = shown(drawn)
    assert not blocks["calibration"].missing
    assert blocks["calibration"].sentences[0] == report.sentences[0]
    assert blocks["calibration"].figures["temperature"] == report.data["temperature"]
    assert "calibrated</text>" in text
    assert (folder / "calibration.json").is_file()


def test_changes_that_cost_accuracy_for_certain_are_marked_in_the_heat_map(drawn):
    folder = world.leave(drawn, answer)
    left_by_robustness(drawn, folder, worse=80)
    blocks, text = shown(drawn)
    assert "25 % ✗" in text
    assert "size ×0.5" in text
    assert blocks["robustness"].figures["unchanged"]["n"] == 80


def test_an_audit_of_other_answers_than_today_is_not_shown(drawn):
    folder = world.leave(drawn, answer)
    left_by_robustness(drawn, folder, worse=80)
    write_predictions(folder, reversed(list(read_predictions(folder))))
    blocks, _ = shown(drawn)
    assert blocks["robustness"].missing == [
        ("robustness.json is about other answers than the run holds now.", "audit robustness crossed")
    ]


@pytest.mark.parametrize("damage", ['{"changes": []}', "{", '["a"]'])
def test_a_damaged_audit_says_so_and_names_the_command(drawn, damage):
    folder = world.leave(drawn, answer)
    (folder / "audit").mkdir()
    (folder / "audit" / "robustness.json").write_text(damage, encoding="utf-8")
    blocks, _ = shown(drawn)
    ((why, command),) = blocks["robustness"].missing
    assert why.startswith("robustness.json is ")
    assert command == "audit robustness crossed"


def test_a_run_whose_file_holds_nonsense_says_so_in_the_block_concerned(drawn):
    world.leave(drawn, answer, evaluation={"auc": {"value": "much", "low": 0, "high": 1}})
    blocks, _ = shown(drawn)
    assert blocks["how_well_it_ranks"].missing[0][1] == "imageledger verify"
    assert blocks["confusion"].drawings


def parts(value):
    """A part of a hold-out as run.json has it, recognised so often."""
    figure = {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 20}
    return {"name": f"sd{value}", "label": "ai", "pictures": 20, "trained_on": 60, "unseen": figure, "other": figure,
            "seen": {**figure, "value": 0.9}, "auc": figure}  # fmt: skip


def test_a_hold_out_of_the_same_pictures_is_shown_beside_any_run(drawn):
    evaluation = {"by": "generator", "parts": [parts(0.2), parts(0.7)]}
    world.leave(drawn, answer, name="without", evaluation=evaluation, kind=HOLD_OUT)
    world.leave(drawn, answer)
    blocks, text = shown(drawn, "crossed")
    assert blocks["hold_out"].sentences[0].startswith("Unseen generator sd0.2: recall of ai 0.20 [0.10–0.30]")
    assert [row["generator left out"] for row in blocks["hold_out"].rows] == ["sd0.2", "sd0.7"]
    assert "20 % of 20" in text
    assert shown(drawn, "without")[0]["hold_out"].figures["run"] == "without"


def test_two_generators_ask_for_a_hold_out(drawn):
    rows = [
        replace(row, generator=f"sd{number % 2}") if row.label == "ai" else row
        for number, row in enumerate(manifest.read(drawn.manifest("manifest")))
    ]
    manifest.write(drawn.manifest("manifest"), rows)
    world.leave(drawn, answer)
    assert shown(drawn)[0]["hold_out"].missing[0][1] == "train hold-out"


def test_a_run_on_a_folder_has_no_origins_and_says_so(drawn):
    folder = world.leave(drawn, answer, kind=SPLIT, manifest="", manifest_digest="", folder="tree")
    export(drawn, drawn.root / "tree")
    rows = [replace(row, source="folder:tree", file="") for row in read_predictions(folder)]
    write_predictions(folder, rows)
    blocks, _ = shown(drawn)
    assert "not known" in blocks["by_origin"].sentences[0]
    assert blocks["confusion"].drawings


def test_hostile_names_and_settings_are_only_words(project):
    folder = run_on_eight(project)
    run = Run.load(folder)
    settings = {"arch": "<script>alert(1)</script>\x1b", "weights": "/home/somebody/secret/own.safetensors"}
    replace(run, settings=settings).save(folder)
    text = shown(project)[1]
    assert "<script" not in text
    assert "\x1b" not in text
    assert "own.safetensors" in text
    assert "somebody/secret" not in text


def test_a_training_in_one_step_is_said_in_words():
    once = [history.epochs_of(HISTORY.split("2,")[0].encode())]
    block = history.learning_curve(once, {})
    assert not block.drawings
    assert block.sentences == [
        "The recipe trains in one step, without epochs. Loss in nats: 0.90 on training pictures, 0.80 on judged "
        "pictures."
    ]
    assert history.learning_curve([], {}).sentences == ["The run keeps no history of its training."]


def test_a_curve_of_several_trainings_is_their_mean_with_the_lowest_and_the_highest():
    first = history.epochs_of(HISTORY.encode())
    second = [replace(epoch, train_loss=epoch.train_loss + 0.2) for epoch in first]
    block = history.learning_curve([first, second], {"epoch": 2, "epochs": 3, "loss": 0.6, "pictures": 9})
    assert block.figures["train_loss"][0] == {"epoch": 1, "mean": 1.0, "low": 0.9, "high": pytest.approx(1.1)}
    assert "chose epoch 2 of 3" in block.sentences[1]
    assert len(block.drawings) == 2


def test_without_a_run_there_is_no_such_part(drawn):
    assert training(subject_of(drawn)) is None
