"""`train run` as a person meets it: what it prints where, and what it refuses."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import train_world
from needs import needs
from PIL import Image

from train.cli import main

needs("fastai")

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]

QUICK = ("--arch", "squeezenet1_1", "--weights", "none", "--epochs", "1", "--size", "32", "--batch-size", "8")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return train_world.build(tmp_path_factory.mktemp("cli"))


@pytest.fixture(scope="module")
def piped(drawn):
    """One run whose output goes to pipes, as in a log."""
    command = [sys.executable, "-m", "train", "run", *QUICK, "--project", str(drawn.root), "--name", "piped"]
    return subprocess.run(command, capture_output=True, check=False)


def said(runner, drawn, *options):
    return runner.invoke(main, ["run", *QUICK, "--project", str(drawn.root), *options])


def test_piped_output_holds_no_control_characters(piped):
    assert piped.returncode == 0, piped.stderr.decode()
    for text in (piped.stdout.decode(), piped.stderr.decode()):
        assert not CONTROL.search(text)


def test_a_line_an_epoch_goes_to_stderr_and_results_go_to_stdout(piped, drawn):
    out, err = piped.stdout.decode(), piped.stderr.decode()
    assert len(re.findall(r"^epoch 1 \(unfrozen\): training loss \d\.\d+, validation loss", err, re.MULTILINE)) == 1
    assert out.splitlines()[-1] == str(drawn.runs / "piped")
    assert "with 95 % intervals" in out
    assert "recall of ai" in out
    assert "With 10 validation pictures, the true accuracy may lie anywhere" in err


def test_json_is_all_that_goes_to_stdout(runner, drawn):
    done = said(runner, drawn, "--name", "as-json", "--json")
    assert done.exit_code == 0, done.stderr
    rows = json.loads(done.stdout)
    assert rows[0].keys() == {"run", "split", "measure", "hits", "n", "share", "low", "high"}
    assert {(row["split"], row["measure"]) for row in rows} >= {("valid", "accuracy"), ("train", "recall of ai")}


def test_a_name_that_is_taken_ends_with_one_and_two_lines(runner, drawn, piped):
    done = said(runner, drawn, "--name", "piped")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "Error: there is a finished run 'piped' already",
        "Try: pick another --name, or delete that folder",
    ]


def test_a_manifest_and_a_folder_at_once_are_a_usage_error(runner, drawn):
    done = said(runner, drawn, "--folder", str(drawn.root), "x.jsonl")
    assert done.exit_code == 2
    assert "not both" in done.stderr


def test_drawn_samples_are_said_to_mean_nothing(runner, tmp_path):
    from dataclasses import replace

    from imageledger import manifest

    project = train_world.build(tmp_path)
    path = project.manifest("manifest")
    manifest.write(path, [replace(row, source="sample:42") for row in manifest.read(path)])
    done = said(runner, project)
    assert done.exit_code == 0, done.stderr
    assert "mean nothing about real portraits" in done.stderr


def test_a_missing_manifest_ends_with_one(runner, project):
    done = runner.invoke(main, ["run"])
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: there is no manifest")


def test_a_run_interrupted_in_its_first_epoch_ends_with_130_and_leaves_no_run(runner, drawn, monkeypatch):
    from train.network import fit

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(fit, "fit", interrupt)
    done = said(runner, drawn, "--name", "cut")
    assert done.exit_code == 130
    assert "the same command carries on" in done.stderr
    assert not (drawn.runs / "cut").exists()
    assert not list(drawn.runs.glob(".*.part"))


def shrunk(path: Path) -> bytes:
    """A portrait at 320 px, which is decoded five times as fast as at 1024."""
    content = io.BytesIO()
    with Image.open(path) as image:
        image.resize((320, 320), Image.Resampling.LANCZOS, reducing_gap=3).save(content, "JPEG", quality=95)
    return content.getvalue()


@pytest.mark.long
def test_real_portraits_are_told_apart_with_real_weights(runner, tmp_path, testdata):
    from imageledger import manifest
    from imageledger.record import Record

    project = train_world.build(tmp_path)
    rows = []
    for label in ("real", "ai"):
        for number, path in enumerate(sorted((testdata / "portraits" / "ffhq-vs-stylegan2" / label).iterdir())[:60]):
            name = project.store.put(shrunk(path), "jpg")
            split = "valid" if number % 5 == 0 else "train"
            rows.append(Record(source="folder:a", member=f"{label}/{path.name}", file=name, label=label, split=split))
    manifest.write(project.manifest("manifest"), sorted(rows, key=lambda row: row.key))
    features = testdata / "models" / "squeezenet1_1-imagenet-features.safetensors"
    options = ["--project", str(project.root), "--arch", "squeezenet1_1", "--weights", str(features), "--size", "128"]
    done = runner.invoke(main, ["run", *options, "--json"])
    assert done.exit_code == 0, done.stderr
    accuracy = json.loads(done.stdout)[0]
    assert (accuracy["split"], accuracy["measure"], accuracy["n"]) == ("valid", "accuracy", 24)
    assert accuracy["share"] >= 0.7
