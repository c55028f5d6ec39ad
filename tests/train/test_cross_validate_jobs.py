"""A cross-validation as a job: killed and carried on, known again by its settings, refused before it begins."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from folds_world import OPTIONS, SMALL, build, make, rows_of
from needs import needs

from imageledger import manifest
from imageledger.errors import ConfigError, RunError
from train.cli import main
from train.training import series

needs("fastai")

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]

PATIENT = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait without spinning: on a machine that is busy with other tests, training is five times as fast."""


def test_killed_in_the_middle_the_same_command_keeps_whole_folds_and_ends_with_the_same(tmp_path):
    project = build(tmp_path)
    undisturbed, _ = make(project, "undisturbed")
    command = [sys.executable, "-m", "train", "cross-validate", *OPTIONS, "--folds", "2", "--name", "killed"]
    begun = project.runs / ".killed.part" / "folds"
    with subprocess.Popen(
        [*command, "--project", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=PATIENT
    ) as one:
        deadline = time.monotonic() + 120
        while not list(begun.glob("1-1/run.json")) and one.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        one.send_signal(signal.SIGKILL)
    assert one.returncode == -signal.SIGKILL
    assert not (project.runs / "killed").exists()
    before = (begun / "1-1" / "weights.safetensors").stat()
    said = []
    place, _ = make(project, "killed", say=said.append)
    assert "(kept from before)" in said[0]
    assert "(kept from before)" not in said[1]
    assert (place / "folds" / "1-1" / "weights.safetensors").stat().st_ino == before.st_ino
    for name in ("predictions.jsonl", "weights.safetensors", "figures/roc.png", "folds/1-2/predictions.jsonl"):
        assert (place / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert {**vars_of(place), "name": ""} == {**vars_of(undisturbed), "name": ""}


def vars_of(place):
    return json.loads((place / "run.json").read_text())


def job_of(project, monkeypatch, settings=SMALL, **numbers):
    """The job of a cross-validation, caught before anything is trained."""
    jobs = []

    @contextmanager
    def caught(runs, name, doing, job):
        jobs.append(json.dumps(job))
        raise RunError("caught")
        yield

    monkeypatch.setattr(series, "draft", caught)
    with pytest.raises(RunError, match="caught"):
        make(project, "job", settings, **{"folds": 3, **numbers})
    return jobs[0]


def test_settings_folds_and_the_bytes_of_the_manifest_make_another_job(tmp_path, monkeypatch):
    project = build(tmp_path)
    first = job_of(project, monkeypatch)
    assert job_of(project, monkeypatch) == first
    others = {
        job_of(project, monkeypatch, replace(SMALL, seed=7)),
        job_of(project, monkeypatch, folds=2),
        job_of(project, monkeypatch, repeats=2),
    }
    rows = rows_of(project)
    manifest.write(project.manifest("manifest"), [replace(rows[0], licence="CC0-1.0"), *rows[1:]])
    others.add(job_of(project, monkeypatch))
    assert len(others - {first}) == 4


def test_one_object_in_two_groups_is_refused_before_anything_is_trained(tmp_path):
    project = build(tmp_path)
    rows = rows_of(project)
    copied = replace(rows[9], file=rows[0].file, origin=rows[9].origin)
    manifest.write(project.manifest("manifest"), [*rows[:9], copied, *rows[10:]])
    with pytest.raises(RunError, match="the same object in two groups"):
        make(project, "torn")


def test_more_folds_than_groups_are_refused(tmp_path, runner):
    project = build(tmp_path, pairs=7)
    done = runner.invoke(main, ["cross-validate", *OPTIONS, "--project", str(project.root), "--folds", "9"])
    assert done.exit_code == 1
    assert "ai has 15 pictures in 8 groups that stay together, too few for 9 folds" in done.stderr
    assert "--folds 8" in done.stderr


@pytest.mark.parametrize("wrong", [{"folds": 1}, {"repeats": 0}])
def test_numbers_of_folds_that_judge_nothing_are_refused(tmp_path, wrong):
    with pytest.raises(ConfigError, match="judge nothing"):
        make(build(tmp_path), "none", **wrong)
