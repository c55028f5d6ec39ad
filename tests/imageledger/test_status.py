"""What status says of runs, and which command comes next."""

import json

import pytest

from imageledger import overview
from imageledger.cli import main

CURRENT = [{"stage": stage, "state": "current"} for stage in ("fetch", "normalize", "dedupe", "whiten", "manifest")]


def of(name, kind, state=""):
    return {"run": name, "kind": kind, "state": state}


@pytest.mark.parametrize(
    ("runs", "command"),
    [
        ([], "train run"),
        ([of("first", "split")], "train cross-validate"),
        ([of("first", "split"), of("crossed", "cross-validation")], "audit report"),
        ([of("crossed", "cross-validation", overview.OLDER)], "train run"),
        ([of("a b", "hold-out", overview.UNFINISHED)], "train hold-out --name 'a b', with the same options"),
    ],
)
def test_what_comes_next_goes_by_the_runs_that_there_are(runs, command):
    assert overview.next_command(CURRENT, runs) == command


def test_status_names_runs_that_have_not_ended(project, runner):
    begun = project.runs / ".begun.part"
    begun.mkdir(parents=True)
    (begun / "job.json").write_text(json.dumps({"kind": "cross-validation"}), encoding="utf-8")
    ended = runner.invoke(main, ["status"])
    assert "not finished" in ended.stdout
    assert "run begun has begun and not ended: train cross-validate --name begun" in ended.stderr
