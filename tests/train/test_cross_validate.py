"""`train cross-validate`: every picture judged by a model that had not seen it, whatever happens in between."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import train_world
from folds_world import OPTIONS, build, make, rows_of
from needs import needs
from PIL import Image

from audit.cli import main as audit_main
from audit.reliance import noise
from audit.top_losses import judge as losses
from train.answers import Answers
from train.cli import main
from train.compare import judge as comparing
from train.cross_validate import report
from train.runs import CROSS_VALIDATION, Run, fold_folder, read_predictions

needs("fastai")

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]

LABELS = ("real", "ai")


@pytest.fixture(scope="module")
def crossed(tmp_path_factory):
    project = build(tmp_path_factory.mktemp("crossed"))
    said = []
    place, run = make(project, "first", folds=2, repeats=2, say=said.append, track=ONE_BAR)
    return project, place, run, said


class OneBar:
    """Progress that fails where a second phase begins before the first has ended: a terminal has one bar."""

    def __init__(self):
        self.phases, self.shown = [], False

    def __call__(self, rows, total, doing="", /):
        assert not self.shown, (self.phases, doing)
        self.phases.append(doing)
        self.shown = True
        try:
            yield from rows
        finally:
            self.shown = False


ONE_BAR = OneBar()


def test_each_phase_has_ended_before_the_next_begins(crossed):
    assert ONE_BAR.phases[0] == "training"
    assert any(phase.startswith("probing") for phase in ONE_BAR.phases)


def test_every_picture_is_judged_once_by_the_fold_that_held_it_out(crossed):
    project, place, run, _ = crossed
    said = list(read_predictions(place))
    assert [(one.key, one.label) for one in said] == [(row.key, row.label) for row in rows_of(project)]
    assert {one.split for one in said} == {"valid"}
    assert {one.fold for one in said} == {1, 2}
    for one in said:
        splits = {row.key: row.split for row in read_predictions(fold_folder(place, one.fold))}
        assert splits[one.key] == "valid"
    assert run.kind == CROSS_VALIDATION
    assert (run.settings["folds"], run.settings["repeats"]) == (2, 2)
    assert run.metrics["valid"]["accuracy"]["n"] == 30
    assert "train" not in run.metrics
    assert 0 < run.evaluation["train_accuracy"]["share"] <= 1


def test_over_repeats_the_logits_are_averaged(crossed):
    _, place, _, _ = crossed
    parts = [fold_folder(place, fold, repeat) for repeat in (1, 2) for fold in (1, 2)]
    held = {}
    for part in parts:
        for one in read_predictions(part):
            if one.split == "valid":
                held.setdefault(one.key, []).append(math.log(one.probability / (1 - one.probability)))
    for one in read_predictions(place):
        assert len(held[one.key]) == 2
        mean = 1 / (1 + math.exp(-sum(held[one.key]) / 2))
        assert one.probability == pytest.approx(mean)
        own = mean if one.label == "ai" else 1 - mean
        assert one.loss == pytest.approx(-math.log(own))
        assert one.predicted == ("ai" if mean >= 0.5 else "real")


def test_the_answers_of_a_run_say_what_each_repeat_answered(crossed):
    project, place, _, _ = crossed
    answers = Answers.of(project, place)
    rounds = answers.rounds()
    assert rounds.shares.shape == rounds.folds.shape == (2, 30)
    for number, (shares, folds) in enumerate(zip(rounds.shares, rounds.folds, strict=True), 1):
        for key, share, fold in zip(answers.keys, shares, folds, strict=True):
            part = fold_folder(place, fold, number)
            assert share == {row.key: row.probability for row in read_predictions(part)}[key]
    assert np.isnan(answers.table).sum(axis=1).tolist() == [2] * 30  # of four models, two had seen each picture
    assert {folder.name for folder, _ in answers.by_model()} == {"1-1", "1-2", "2-1", "2-2"}
    assert sum(len(rows) for _, rows in answers.by_model()) == 60
    assert answers.in_words == "30 pictures, each judged by 2 models together that had not seen it"


def test_a_comparison_reads_what_each_repeat_answered(crossed):
    project, _, run, _ = crossed
    answers = Answers.of(project, "first")
    (same,) = comparing.compare([answers, replace(answers, run=replace(run, name="same"))])
    assert same.first_accuracy.value == pytest.approx(run.evaluation["accuracy"]["value"])
    assert same.first_auc.value == pytest.approx(run.evaluation["auc"]["value"])


def test_an_audit_of_reliance_reads_what_each_repeat_answered(crossed):
    project, place, _, _ = crossed
    answers = Answers.of(project, place)
    reliability = noise.reliability(answers.rounds().shares, answers.positive)
    assert 0 < reliability <= 1


def test_no_group_is_trained_on_by_the_model_that_judges_it(crossed):
    project, place, _, _ = crossed
    group = {row.key: row.group for row in rows_of(project)}
    for part in (place / "folds").iterdir():
        sides = {}
        for one in read_predictions(part):
            if group[one.key]:
                sides.setdefault(group[one.key], set()).add(one.split)
        assert len(sides) == 6
        assert all(len(found) == 1 for found in sides.values())


def test_the_run_holds_whole_runs_a_fold_a_final_model_and_figures(crossed):
    _, place, run, _ = crossed
    held = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file() and path.suffix != ".md"}
    own = {"run.json", "predictions.jsonl", "weights.safetensors", "history.csv", "SHA256SUMS"}
    parts = {f"folds/{repeat}-{fold}/{name}" for repeat in (1, 2) for fold in (1, 2) for name in own}
    assert held == own | parts | {"figures/confusion_matrix.png", "figures/roc.png"}
    assert Run.load(place) == run
    assert Run.load(fold_folder(place, 2)).metrics["valid"]["accuracy"]["n"] in (14, 15, 16)
    assert not list(place.parent.glob(".*.part"))
    for path in (place / "figures").iterdir():
        with Image.open(path) as image:
            assert len(image.convert("RGB").getcolors(1 << 24)) > 10


def test_the_final_model_has_trained_on_every_picture_and_can_be_asked(crossed):
    from train.network import predicting

    project, place, _, said = crossed
    assert said[4] == "final model: trained on all 30 pictures"
    weights = (place / "weights.safetensors").read_bytes()
    assert all((part / "weights.safetensors").read_bytes() != weights for part in (place / "folds").iterdir())
    images = [Image.open(project.store.path(row.file)).convert("RGB") for row in rows_of(project)[:3]]
    assert len(list(predicting.predict(predicting.load(place), images))) == 3


def test_the_models_of_the_folds_say_again_what_they_said(crossed):
    from train.models import held_out

    project, place, _, _ = crossed
    said = list(read_predictions(place))
    images = (Image.open(project.store.path(one.file)).convert("RGB") for one in said)
    again = list(held_out.ask_held_out(Answers.of(project, place))([one.key for one in said], images))
    assert again == pytest.approx([one.probability for one in said], abs=1e-4)


def test_each_fold_is_told_with_its_accuracy_and_interval(crossed):
    said = crossed[3]
    assert re.fullmatch(r"repeat 1 of 2, fold 1 of 2: \d+/1[456] = [\d.]+ % \[[\d.–]+\] right", said[0])
    assert said[3].startswith("repeat 2 of 2, fold 2 of 2: ")


def test_the_evaluation_covers_all_pictures_and_both_repeats(crossed):
    _, _, run, _ = crossed
    assert (run.evaluation["n"], run.evaluation["folds"], run.evaluation["repeats"]) == (30, 4, 2)
    assert run.evaluation["groups"] == 24
    assert 0 <= run.evaluation["accuracy"]["low"] < run.evaluation["accuracy"]["high"] <= 1


def test_what_the_file_alone_reaches_is_counted_on_the_same_pictures(crossed):
    _, _, run, _ = crossed
    assert run.file_alone["all"]["n"] == 30
    words = report.beside(run)
    assert "out of fold on 30 pictures: accuracy" in words
    assert words.count("AUC") == 2


def test_a_folder_is_cross_validated_too(crossed, tmp_path, runner):
    project, _, _, _ = crossed
    folder = train_world.export(project, tmp_path / "tree")
    done = runner.invoke(
        main,
        ["cross-validate", *OPTIONS, "--project", str(project.root), "--folder", str(folder), "--folds", "2", "--json"],
    )
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kind"] == CROSS_VALIDATION
    assert told["evaluation"]["n"] == 30
    assert told["run"] == "drawn-squeezenet1_1-folds-1"
    assert "fold 2 of 2: " in done.stderr
    assert "weights.safetensors is a further model, trained on all 30" in done.stderr


def test_top_losses_judge_all_pictures_and_say_that_it_was_out_of_fold(crossed, runner):
    project, place, _, _ = crossed
    ran = runner.invoke(audit_main, ["top-losses", "first", "--all", "--project", str(project.root)])
    assert ran.exit_code == 0, ran.stderr
    assert "Out of fold: each of the 30 pictures was judged by a model that had not seen it." in ran.stdout
    assert "was trained on" not in ran.stdout
    page = (place / "audit" / "top-losses-all.html").read_text(encoding="utf-8")
    assert "all 30 pictures, each held out once" in page
    assert "held out by fold 2" in page
    assert "valid split" not in page


def test_top_losses_of_the_train_split_are_refused_where_nothing_was_judged_so(crossed, runner):
    project, _, _, _ = crossed
    ran = runner.invoke(audit_main, ["top-losses", "first", "--split", "train", "--project", str(project.root)])
    assert ran.exit_code == 1
    assert "has no train split" in ran.stderr
    assert losses.refuse_split(Run(name="x", labels=LABELS), "train") is None


def test_reliance_asks_the_models_of_the_folds_about_swapped_deliveries(crossed, monkeypatch):
    from audit.reliance import work as reliance_run

    project, place, _, _ = crossed
    monkeypatch.setattr(reliance_run, "FAMILIES", ("tone", "chroma"))
    data = reliance_run.reliance(project, place).data
    assert data["swaps_skipped"] == ""
    assert data["swaps"]
    for swap in data["swaps"]:
        assert [one["flipped"]["n"] for one in swap["classes"]] == [15, 15]
    assert (data["split"], data["accuracy"]["model"]["n"]) == ("out of fold, 2 models together", 30)
