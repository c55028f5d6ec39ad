"""Work from any door, a script without a main guard or stdin, and what is said and left behind when it ends badly."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import slow_stage
from drawn import encoded, picture
from slow_stage import ROWS, STAGE, fetched, halved, made, noted, seeds, undisturbed, whole_lines
from source_tree import ROOT

from imageledger.engines.local import ordered_map
from imageledger.errors import LedgerError
from imageledger.record import Record
from imageledger.stage import run_rows
from imageledger.store import Store

pytestmark = pytest.mark.long

PICTURES = 8

STAGES = """
from imageledger.config import SourceEntry, open_project
from curate.fetch.work import fetch
from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize

print("begun")
project = open_project()
fetch(project, [SourceEntry(address=f"folder:{label}", label=label, licence="CC0-1.0") for label in ("real", "ai")])
outcome = normalize(project, NormalizeSettings(detector="cascade", recipe="plain", size=24), workers=2)
print(outcome.tally.plain(), outcome.worked)
"""

OWN_WORK = """
import os, sys, time
from imageledger.engines.local import ordered_map

class Refused(Exception): pass

begun = []

def work(number):
    begun.append(number)
    if number == 30 and "refuse" in sys.argv:
        raise Refused(number)
    if number == 30 and "die" in sys.argv:
        os._exit(7)
    time.sleep(float(sys.argv[1]))
    return number, os.getpid(), len(begun)

print("begun", flush=True)
try:
    found = list(ordered_map(work, ((number, None) for number in range(40)), workers=2))
except Refused as refused:
    print("refused", refused)
else:
    print([number for number, _, _ in found] == list(range(40)), os.getpid() in {pid for _, pid, _ in found})
    print(sum(count == 1 for _, _, count in found))
"""
"""A script whose work, error and memory are its own; says `begun` once for every time that it is run."""


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [*more.pop("first", "").split(), str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, **more}


def script_in(folder: Path, text: str) -> Path:
    (folder / "script.py").write_text(text)
    return folder / "script.py"


def run(folder: Path, text: str, *words: str, stdin: bool = False, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a script from its file or through stdin, and wait for it."""
    first, given = ("-", text) if stdin else (str(script_in(folder, text)), "")
    command = [sys.executable, first, *words]
    return subprocess.run(command, input=given, cwd=folder, env=environment(**more), capture_output=True, text=True)


def begin(folder: Path, text: str, *words: str) -> "subprocess.Popen[str]":
    """Begin a script in a process group of its own, as a terminal does.

    It hears an interrupt even where these tests run in the background of a shell, whose children ignore it.
    """
    command = [sys.executable, str(script_in(folder, text)), *words]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            command, cwd=folder, env=environment(), start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)


def until(holds, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def group(leader: int) -> dict[int, str]:
    """Return the command lines of the processes of a group that still run."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            state, _, in_group = (place / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(in_group) == leader and state != "Z":
                found[int(place.name)] = (place / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def workers_of(leader: int) -> list[int]:
    return [pid for pid, line in group(leader).items() if "--process-name" in line]


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks at processes in /proc")


@pytest.mark.parametrize("stdin", [False, True], ids=["a file", "stdin"])
def test_a_script_without_guard_runs_stages_with_workers_and_is_run_once(tmp_path, stdin):
    for label, colour in [("real", 1), ("ai", 100)]:
        (tmp_path / label).mkdir()
        for number in range(PICTURES):
            (tmp_path / label / f"{number}.png").write_bytes(encoded(picture((40, 32), seed=colour + number)))
    (tmp_path / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    ended = run(tmp_path, STAGES, stdin=stdin)
    assert (ended.stderr, ended.returncode) == ("", 0)
    assert ended.stdout.splitlines() == ["begun", "{'ai': {'ok': 8}, 'real': {'ok': 8}} 16"]


@pytest.mark.parametrize("stdin", [False, True], ids=["a file", "stdin"])
def test_work_defined_in_a_script_is_done_by_others_and_remembers_what_it_did(tmp_path, stdin):
    ended = run(tmp_path, OWN_WORK, "0.02", stdin=stdin)
    assert (ended.stderr, ended.returncode) == ("", 0)
    begun, in_order_not_here, first_calls = ended.stdout.splitlines()
    assert (begun, in_order_not_here) == ("begun", "True False")
    assert int(first_calls) <= 2


def test_an_error_of_a_script_can_be_caught_by_its_class(tmp_path):
    ended = run(tmp_path, OWN_WORK, "0", "refuse")
    assert (ended.stdout, ended.stderr) == ("begun\nrefused 30\n", "")


def killed_once(record: Record, *, flag: Path, log: Path, store: Store) -> Record:
    """Work as the slow stage does; the worker that gets row 20 first is killed with -9, as a full machine does."""
    if record.member.startswith("0020") and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return slow_stage.work(record, stage=STAGE, store=store, log=log)


def test_a_killed_worker_is_told_by_what_is_known_and_the_same_stage_carries_on(tmp_path):
    fetched(tmp_path, seeds(ROWS), tmp_path / "fetch-log")
    store, log = Store(tmp_path / "objects"), tmp_path / "log"
    stage = partial(
        run_rows, STAGE, partial(killed_once, flag=tmp_path / "flag", log=log, store=store),
        source=tmp_path / "fetched.jsonl", output=tmp_path / "normalized.jsonl", dataset="d", store=store, workers=2,
    )  # fmt: skip
    with pytest.raises(LedgerError) as caught:
        stage()
    assert caught.value.what == "a worker process died: signal 9 (SIGKILL)"
    assert "the same command carries on where it stopped" in caught.value.hint
    finished = whole_lines(tmp_path, "normalized.jsonl")
    log.unlink()
    stage()
    halved(tmp_path, log)
    assert not set(finished) & set(noted(log))
    assert made(tmp_path) == undisturbed(tmp_path)


def test_a_dead_worker_is_reported_without_a_guess_even_where_pgrep_is_missing(tmp_path):
    ended = run(tmp_path, OWN_WORK, "0", "die", PATH="/nonexistent")
    what, hint = ended.stderr.splitlines()[-2:]
    assert what == "imageledger.errors.LedgerError: a worker process died: exit code 7"
    assert hint.startswith("Try: the same command carries on")
    assert ended.stderr.count("Traceback") == 1
    assert "could be" not in ended.stderr
    assert ended.stdout == "begun\n"


@needs_proc
def test_nothing_is_left_of_a_script_that_is_killed(tmp_path):
    running = begin(tmp_path, OWN_WORK, "0.1")
    until(lambda: len(workers_of(running.pid)) == 2)
    running.kill()
    running.wait()
    until(lambda: not group(running.pid))
    assert not group(running.pid)


@needs_proc
def test_nothing_is_left_of_a_script_that_ends(tmp_path):
    running = begin(tmp_path, OWN_WORK, "0")
    out, _ = running.communicate()
    assert "True False" in out
    until(lambda: not group(running.pid))
    assert not list(Path("/dev/shm").glob(f"*{running.pid}-*"))


@needs_proc
def test_interrupted_while_workers_start_only_the_script_answers(tmp_path):
    running = begin(tmp_path, OWN_WORK, "0.1")
    until(lambda: workers_of(running.pid))
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate()
    assert err.count("Traceback") == 1
    assert err.endswith("KeyboardInterrupt\n")
    until(lambda: not group(running.pid))


def waiting(number: int, *, folder: Path) -> int:
    (folder / f"{number}.begun").touch()
    while number and not (folder / "go").exists():
        time.sleep(0.01)
    return number


def test_when_the_caller_leaves_what_is_worked_on_is_finished_and_what_waits_is_dropped(tmp_path):
    results: Iterator[int] = ordered_map(
        partial(waiting, folder=tmp_path), ((number, None) for number in range(100)), workers=2
    )
    next(results)
    threading.Timer(1.0, (tmp_path / "go").touch).start()
    results.close()
    assert len(list(tmp_path.glob("*.begun"))) <= 3


GROWING = """
import itertools
from types import SimpleNamespace
sizes = itertools.count(0, 10**9)
class NoSuchProcess(Exception): pass
class Process:
    def __init__(self, pid): pass
    def children(self, recursive): return []
    def memory_info(self): return SimpleNamespace(rss=next(sizes))
"""


def test_a_worker_that_grows_is_replaced_without_a_word(tmp_path):
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "psutil.py").write_text(GROWING)
    ended = run(tmp_path, OWN_WORK, "0.12", first=str(tmp_path / "fake"))
    assert ended.stderr == ""
    assert "True False" in ended.stdout
    assert int(ended.stdout.splitlines()[-1]) > 2
