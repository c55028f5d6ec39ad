"""`train hold-out`: one generator or source left out at a time, two drawn generators of which one is easy to miss."""

import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import train_world
import trainings
from needs import needs
from PIL import Image

from audit.cli import main as audit_main
from imageledger import manifest
from imageledger.config import open_project
from imageledger.errors import RunError
from imageledger.record import Record
from train.cli import main
from train.config import TrainSettings
from train.evaluation import unseen
from train.evaluation.evaluate import evaluate
from train.hold_out import work as holding_out
from train.pictures import Picture
from train.runs import HOLD_OUT, Prediction, Run, fold_folder, read_predictions
from train.training import task as training

needs("fastai")

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]

SMALL = TrainSettings(arch="squeezenet1_1", weights="none", epochs=12, size=32, batch_size=8)
OPTIONS = ("--arch", "squeezenet1_1", "--weights", "none", "--epochs", "12", "--size", "32", "--batch-size", "8")
LABELS = ("real", "ai")
PATIENT = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait without spinning: on a machine that is busy with other tests, training is five times as fast."""

COLOURS = {"camera": (120, 120, 120), "red": (230, 30, 30), "rose": (220, 60, 60), "blue": (95, 115, 150)}
"""Fakes are red, but those of one generator: who has not met it, and looks for red, takes them for photos."""


def drawn(project, generator, number):
    """Noise around one colour, as an object of the project."""
    seed = int(hashlib.sha256(f"{generator}{number}".encode()).hexdigest()[:8], 16)
    noise = np.random.default_rng(seed).integers(-25, 26, (32, 32, 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(noise + COLOURS[generator], 0, 255).astype(np.uint8)).save(buffer, "png")
    return project.store.put(buffer.getvalue(), "png")


def build(root, generators=("red", "rose", "blue"), each=10):
    root.mkdir(parents=True, exist_ok=True)
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    project, rows = open_project(root), []
    for generator, count in (("camera", each * len(generators)), *((name, each) for name in generators)):
        for number in range(count):
            name, label = drawn(project, generator, number), "real" if generator == "camera" else "ai"
            rows.append(
                Record(
                    source=f"folder:{generator}", member=f"{number:03}.png", origin=name, file=name, label=label,
                    generator=generator, split="valid" if number % 5 == 0 else "train",
                )
            )  # fmt: skip
    manifest.write(project.manifest("manifest"), sorted(rows, key=lambda row: row.key))
    return project


def make(project, name, by="generator", say=None):
    return trainings.train(project, name, SMALL, kind="hold-out", by=by, say=say)


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    project, said = build(tmp_path_factory.mktemp("held")), []
    place, run = make(project, "held", say=said.append)
    return project, place, run, said


def test_the_generator_that_nobody_has_met_is_the_headline(held):
    _, place, run, _ = held
    assert run == Run.load(place)
    assert run.kind == HOLD_OUT
    worst, *others = run.evaluation["parts"]
    assert (worst["name"], worst["pictures"]) == ("blue", 10)
    assert worst["unseen"]["value"] <= 0.5
    assert worst["unseen"]["value"] < min(one["unseen"]["value"] for one in others)
    assert all(one["unseen"]["low"] <= one["unseen"]["value"] <= one["unseen"]["high"] for one in [worst, *others])
    assert unseen.headline(run).startswith("Unseen generator blue: recall of ai 0.")
    assert "models that know the generator but not the picture reach" in unseen.headline(run)


def test_no_model_has_seen_a_picture_of_what_it_is_judged_on(held):
    project, place, run, _ = held
    made = {row.key: row.generator for row in manifest.read(project.manifest("manifest"))}
    names = sorted({"blue", "red", "rose"})
    for fold, name in enumerate(names, 1):
        part = list(read_predictions(fold_folder(place, fold)))
        trained = {made[one.key] for one in part if one.split == "train"}
        assert trained == {"camera", *names} - {name}
        assert sum(made[one.key] == "camera" and one.split == "valid" for one in part) == 10
    assert run.evaluation["by"] == "generator"


def test_there_is_one_prediction_a_picture_by_the_model_without_its_generator(held):
    project, place, _, _ = held
    rows = list(manifest.read(project.manifest("manifest")))
    said = list(read_predictions(place))
    assert [one.key for one in said] == [row.key for row in rows]
    for one, row in zip(said, rows, strict=True):
        own = {found.key: found for found in read_predictions(fold_folder(place, one.fold))}[one.key]
        assert own.split == one.split == "valid"
        assert own.probability == one.probability
        assert row.label == "real" or ("blue", "red", "rose")[one.fold - 1] == row.generator


def test_the_total_never_compares_the_scores_of_two_models():
    rows = [
        Prediction(
            source="s", member=f"{fold}{label}{number}", label=label, split="valid", predicted="real", loss=0.1,
            probability=(0.1 if fold == 1 else 0.6) + (0.1 if label == "ai" else 0.0) + number / 1000, fold=fold,
        )
        for fold in (1, 2) for label in LABELS for number in range(10)
    ]  # fmt: skip
    names = [row.member for row in rows]
    pooled = evaluate(rows, LABELS, names)["auc"]["value"]
    assert pooled < 0.8
    assert evaluate(rows, LABELS, names, rounds=holding_out.by_model(rows))["auc"]["value"] == 1
    assert holding_out.by_model([replace(row, fold=1) for row in rows]) is None


def test_known_is_judged_on_pictures_that_the_models_which_know_the_generator_had_not_seen(held):
    _, _, run, _ = held
    assert [one["seen"]["n"] for one in run.evaluation["parts"]] == [4, 4, 4]
    assert [one["other"]["n"] for one in run.evaluation["parts"]] == [10, 10, 10]


def test_a_line_a_part_is_said_and_the_figure_is_drawn(held):
    _, place, _, said = held
    assert said[0].startswith("without blue: ")
    assert re.search(r"\d+/\d+ = [\d.]+ % \[[\d.–]+\] of its pictures recognised", said[0])
    with Image.open(place / "figures" / "hold_out.png") as image:
        assert len(image.convert("RGB").getcolors(1 << 24)) > 10


def test_a_hold_out_has_no_model_for_new_pictures_and_says_so(held):
    from train.network import predicting

    with pytest.raises(RunError, match="has no model for new pictures"):
        predicting.load(held[1])


def test_top_losses_of_a_hold_out_judge_what_was_held_out(held, runner):
    project = held[0]
    ran = runner.invoke(audit_main, ["top-losses", "held", "--actual", "ai", "--project", str(project.root)])
    assert ran.exit_code == 0, ran.stderr
    assert "Out of fold: each of the 60 pictures was judged by a model that had not seen it." in ran.stdout


def test_killed_in_the_middle_it_carries_on_to_the_same_end(held, tmp_path):
    undisturbed = held[1]
    project = build(tmp_path)
    command = [sys.executable, "-m", "train", "hold-out", *OPTIONS, "--name", "held", "--project", str(tmp_path)]
    begun = project.runs / ".held.part" / "folds"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=PATIENT) as one:
        deadline = time.monotonic() + 240
        while not (begun / "1-1" / "run.json").is_file() and one.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        one.send_signal(signal.SIGKILL)
    said = []
    place, _ = make(project, "held", say=said.append)
    assert "(kept from before)" in said[0]
    for name in ("predictions.jsonl", "run.json", "figures/hold_out.png"):
        assert (place / name).read_bytes() == (undisturbed / name).read_bytes(), name


def test_the_command_prints_headline_and_table_and_leaves_sources_out_too(tmp_path, runner):
    project = build(tmp_path, generators=("red", "blue"), each=12)
    ran = runner.invoke(main, ["hold-out", *OPTIONS, "--by", "source", "--project", str(project.root)])
    assert ran.exit_code == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("Unseen source folder:")
    assert lines[-1] == str(project.runs / "drawn-squeezenet1_1-without-1")
    assert "folder:camera cannot be left out: it holds all real pictures" in ran.stderr
    assert "without folder:blue: " in ran.stderr
    run = Run.load(project.runs / "drawn-squeezenet1_1-without-1")
    assert {one["name"] for one in run.evaluation["parts"]} == {"folder:red", "folder:blue"}
    assert "value" in run.evaluation["parts"][0]["auc"]  # real pictures were held out beside
    assert json.dumps(run.evaluation)


def pictures(*found):
    """Pictures from (label, source, generator)."""
    return [
        Picture(source=source, member=f"{n}", label=label, split="train", path=None, group=str(n), generator=generator)
        for n, (label, source, generator) in enumerate(found)
    ]


def test_one_generator_alone_is_refused_with_what_is_missing_and_why():
    only = pictures(*[("ai", "a", "sd15")] * 9, *[("real", "b", "camera")] * 9)
    with pytest.raises(RunError, match="all ai pictures were made by sd15") as caught:
        holding_out.divide(only, LABELS, "generator", 42)
    assert "has not seen stays unknown, which is where such models fail" in caught.value.what
    assert "another generator" in caught.value.hint


def test_pictures_that_do_not_say_what_made_them_are_refused():
    some = pictures(("ai", "a", "sd15"), ("ai", "a", ""), ("ai", "a", "gan"), ("real", "b", ""))
    with pytest.raises(RunError, match="1 of 3 ai pictures do not say what made them"):
        holding_out.divide(some, LABELS, "generator", 42)


def test_one_source_a_class_is_refused_with_what_is_missing():
    only = pictures(*[("ai", "a", "sd15")] * 9, *[("real", "b", "camera")] * 9)
    with pytest.raises(RunError, match="left out: a holds all ai pictures, b holds all real") as caught:
        holding_out.divide(only, LABELS, "source", 42)
    assert "second source of each class" in caught.value.hint


def test_a_source_that_holds_all_of_a_class_stays_in_and_the_others_are_left_out():
    three = pictures(*[("ai", "a", "x")] * 9, *[("real", "b", "")] * 9, *[("real", "c", "")] * 9)
    divided = holding_out.divide(three, LABELS, "source", 42)
    assert [part.name for part in divided.parts] == ["b", "c"]
    assert divided.bound == {"a": "ai"}


def test_a_source_of_both_classes_is_judged_by_its_balanced_accuracy(held, tmp_path):
    project, place, _, _ = held
    todo = training.task(project, None, None)
    mixed = [replace(one, source=f"s{n % 2}") for n, one in enumerate(todo.pictures)]
    divided = holding_out.divide(mixed, LABELS, "source", 42)
    said = {one.key: one for one in read_predictions(place)}
    answers = [
        replace(said[one.key], source=picture.source)
        for one, picture in zip(todo.pictures, mixed, strict=True)
    ]  # fmt: skip
    done = [holding_out.Done(name=f"1-{n}", run=Run.load(place), predictions=answers, kept=False) for n in (1, 2)]
    for one in holding_out.evaluated(mixed, LABELS, divided, done, "source", 42):
        assert (one["label"], one["other"]) == ("", {})
        assert one["unseen"]["method"].startswith("Wilson of")


def test_a_source_that_the_model_never_met_is_compared_with_those_of_its_label_that_it_knows():
    three = pictures(*[("ai", "a", "x")] * 24, *[("real", "b", "")] * 60, *[("real", "c", "")] * 60)
    part = next(part for part in holding_out.divide(three, LABELS, "source", 42).parts if part.name == "b")
    reads_source = {one.key: SimpleNamespace(probability=0.9 if one.source == "b" else 0.1) for one in three}
    (told,) = holding_out.apart(three, LABELS, part, reads_source)
    assert (told["label"], told["verdict"], told["value"]) == ("real", "TOLD APART", 1)
    assert told["sentence"].startswith("The model tells real pictures of b from the set's own: AUC 1.00")
    rng = np.random.default_rng(0)
    reads_face = {one.key: SimpleNamespace(probability=float(rng.random())) for one in three}
    (told,) = holding_out.apart(three, LABELS, part, reads_face)
    assert told["verdict"] == "UNDECIDED"
    few = pictures(*[("ai", "a", "x")] * 9, *[("real", "b", "")] * 9, *[("real", "c", "")] * 9)
    part = holding_out.divide(few, LABELS, "source", 42).parts[0]
    assert holding_out.apart(few, LABELS, part, {one.key: SimpleNamespace(probability=0.5) for one in few}) == []


def test_the_drawn_world_of_other_tests_has_no_generators(tmp_path, runner):
    project = train_world.build(tmp_path)
    ran = runner.invoke(main, ["hold-out", *OPTIONS, "--project", str(project.root)])
    assert ran.exit_code == 1
    assert "17 of 17 ai pictures do not say what made them" in ran.stderr
