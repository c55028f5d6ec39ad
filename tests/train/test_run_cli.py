"""`train run` as a person meets it: what it prints where, and what it refuses."""

import json
import re
import subprocess
import sys

import pytest
import train_world
from needs import needs

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
