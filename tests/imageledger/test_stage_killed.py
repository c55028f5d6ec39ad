"""Stages that are killed, cut off or starved: the same call carries on and ends with the same bytes."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import slow_stage
from slow_stage import ROWS, STAGE, fetched, halved, made, normalized, noted, part, seeds, undisturbed, whole_lines

from imageledger import manifest, stage


@pytest.fixture
def root(tmp_path) -> Path:
    """A folder in which the first stage has been run over some rows."""
    fetched(tmp_path, seeds(ROWS), tmp_path / "fetch-log")
    return tmp_path


def begin(root: Path, what: str, stuck_at: int, workers: int = 1) -> subprocess.Popen[bytes]:
    script = Path(slow_stage.__file__)
    return subprocess.Popen([sys.executable, str(script), str(root), what, str(stuck_at), str(workers)])


def kill_after(rows: int, root: Path, what: str, stage_file: str, workers: int = 1) -> None:
    """Begin work that gets stuck after so many rows, and kill it with -9 once they stand on disk."""
    assert rows % 7 != 3, "that row is bad, and nothing gets stuck at it"
    running = begin(root, what, rows, workers)
    try:
        while len(whole_lines(root, stage_file)) < rows:
            assert running.poll() is None, "the stage ended before it could be killed"
            time.sleep(0.005)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()


@pytest.mark.long
@pytest.mark.parametrize("rows", [1, 18, 39])
def test_killed_at_any_moment_the_same_stage_carries_on_and_ends_with_the_same_bytes(root, rows):
    kill_after(rows, root, "normalize", "normalized.jsonl")
    assert not (root / "normalized.jsonl").exists()
    finished = whole_lines(root, "normalized.jsonl")
    (root / "log").unlink()
    outcome = normalized(root, root / "log")
    halved(root, root / "objects-log")
    again = noted(root / "log")
    assert not set(finished) & set(again)
    assert outcome.worked == len(again)
    assert made(root) == undisturbed(root)
    assert part(root, "normalized.jsonl") is None


@pytest.mark.long
def test_killed_with_two_workers_it_carries_on_and_ends_with_the_same_bytes(root):
    kill_after(11, root, "normalize", "normalized.jsonl", workers=2)
    finished = whole_lines(root, "normalized.jsonl")
    (root / "log").unlink()
    normalized(root, root / "log")
    halved(root, root / "objects-log")
    assert not set(finished) & set(noted(root / "log"))
    assert made(root) == undisturbed(root)


@pytest.mark.long
@pytest.mark.parametrize(
    "torn", [b'{"source":"folder:x","mem', b"\xff\xfe\x00", b"{}\n", b'{"source":"a"}\n{"x":1}\n', bytes(50_000)]
)
def test_a_torn_last_line_is_cut_off_and_its_row_made_again(root, torn):
    kill_after(12, root, "normalize", "normalized.jsonl")
    with part(root, "normalized.jsonl").open("ab") as file:
        file.write(torn)
    normalized(root, root / "log")
    halved(root, root / "objects-log")
    assert made(root) == undisturbed(root)


def test_a_whole_record_without_its_line_feed_counts_as_torn(root):
    kill_after(12, root, "normalize", "normalized.jsonl")
    found = part(root, "normalized.jsonl")
    found.write_bytes(found.read_bytes().removesuffix(b"\n"))
    normalized(root, root / "log")
    halved(root, root / "objects-log")
    assert made(root) == undisturbed(root)


def test_killed_between_card_and_manifest_it_publishes_without_working_again(root, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(stage.os, "replace", replacing_all_but("normalized.jsonl"))
        with pytest.raises(KeyboardInterrupt):
            normalized(root, root / "log")
    assert not (root / "normalized.jsonl").exists()
    assert normalized(root, root / "log").worked == 0
    halved(root, root / "log")
    assert made(root) == undisturbed(root)


def replacing_all_but(name: str):
    really = os.replace

    def replace_(draft, target):
        if Path(target).name == name:
            raise KeyboardInterrupt
        really(draft, target)

    return replace_


def test_a_whole_set_stage_that_was_killed_ends_with_the_same_bytes(root):
    normalized(root, root / "log")
    running = begin(root, "manifest", 20)
    while part(root, "final.jsonl") is None:
        assert running.poll() is None
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (root / "final.jsonl").exists()
    halved(root, root / "log")
    assert made(root) == undisturbed(root)
    assert part(root, "final.jsonl") is None


def test_a_half_done_run_with_other_settings_is_forgotten(root):
    kill_after(5, root, "normalize", "normalized.jsonl")
    normalized(root, root / "log", replace(STAGE, settings={"size": 9}))
    assert list(root.glob(".*.part")) == []
    assert all(row.steps[-1].settings == {"size": 9} for row in manifest.read(root / "normalized.jsonl") if row.width)


def test_a_full_disk_stops_the_stage_and_the_same_call_carries_on(root, monkeypatch):
    really, writes = slow_stage.Store.put, []

    def put(self, content, suffix):
        writes.append(suffix)
        if len(writes) == 10:
            raise OSError(28, "No space left on device")
        return really(self, content, suffix)

    monkeypatch.setattr(slow_stage.Store, "put", put)
    with pytest.raises(OSError, match="No space left"):
        normalized(root, root / "log")
    done = whole_lines(root, "normalized.jsonl")
    assert len(done) > 5
    (root / "log").unlink()
    normalized(root, root / "log")
    halved(root, root / "objects-log")
    assert not set(done) & set(noted(root / "log"))
    assert made(root) == undisturbed(root)
