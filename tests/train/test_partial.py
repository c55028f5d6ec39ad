"""The folder of a run in the making: whole or not there, kept for the same job, one process at a time."""

import re
from contextlib import suppress

import pytest

from imageledger.errors import BusyError, RunError
from train.training.partial import draft


def test_a_draft_keeps_what_the_same_job_left_and_nothing_of_another(tmp_path):
    def broken_off(job):
        there = []
        with suppress(RunError), draft(tmp_path, "run", "train run", job) as folder:
            there.append((folder / "fold").exists())
            (folder / "fold").touch()
            raise RunError("broken off")
        return there[0]

    assert [broken_off(job) for job in ({"seed": 1}, {"seed": 1}, {"seed": 2}, None, {"seed": 2})] == [
        False, True, False, False, False,
    ]  # fmt: skip
    with draft(tmp_path, "run", "train run", {"seed": 2}) as folder:
        assert (folder / "fold").exists()
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["SHA256SUMS", "fold"]


def test_of_two_at_once_the_second_is_told_who_is_busy(tmp_path):
    with draft(tmp_path, "busy", "train cross-validation", {}) as folder:
        (folder / "fold").touch()
        with pytest.raises(BusyError) as caught, draft(tmp_path, "busy", "train run"):
            pass
        assert (folder / "fold").exists()
    assert re.search(r"'busy' is being made by train cross-validation, process \d+", caught.value.what)
    assert "--name" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir() if path.name[0] != "."] == ["busy"]
    assert not list(tmp_path.glob(".*.holder"))
