"""Work on this machine's cores: ordered, bounded, and never an orphan."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import slow_stage
from slow_stage import seeds

from imageledger import manifest
from imageledger.engines.local import IN_FLIGHT_PER_WORKER, WINDOW, WORTH_A_POOL, cores, ordered_map
from imageledger.errors import LedgerError, ModelError


def doubled(number: int) -> int:
    time.sleep(0.002 * (number % 5))
    return 2 * number


def pid_of(number: int) -> int:
    return os.getpid()


def threads_in_use(number: int) -> set[int]:
    import cv2
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones((64, 64)) @ np.ones((64, 64))
    return {cv2.getNumThreads(), *(library["num_threads"] for library in threadpool_info())}


def dying(number: int) -> int:
    if number == 9:
        os._exit(7)
    return number


def failing(number: int) -> int:
    if number == 9:
        raise ModelError("no model at /x", "put one there")
    return number


def full_disk(number: int) -> int:
    raise OSError(28, "No space left on device")


def undone(count: int) -> Iterator[tuple[int, None]]:
    return ((number, None) for number in range(count))


@pytest.mark.parametrize(("workers", "threads"), [(1, False), (3, True), (2, False)])
def test_results_come_in_the_order_of_the_items(workers, threads):
    found = list(ordered_map(doubled, undone(100), workers=workers, threads=threads))
    assert found == [2 * number for number in range(100)]


@pytest.mark.parametrize(("workers", "threads"), [(1, False), (2, True), (2, False)])
def test_a_job_that_brings_its_result_is_not_worked_on(workers, threads):
    jobs = [(number, -number if number % 3 else None) for number in range(90)]
    found = list(ordered_map(doubled, jobs, workers=workers, threads=threads))
    assert found == [-number if number % 3 else 2 * number for number in range(90)]


def test_no_items_give_no_results():
    assert list(ordered_map(doubled, [], workers=2)) == []


def test_a_handful_of_items_is_worked_on_without_starting_workers():
    assert set(ordered_map(pid_of, undone(WORTH_A_POOL - 1), workers=2)) == {os.getpid()}


def test_many_items_are_worked_on_by_other_processes():
    assert os.getpid() not in set(ordered_map(pid_of, undone(WORTH_A_POOL), workers=2))


@pytest.fixture
def unpinned():
    """The tests keep to one core each, and threads follow that."""
    kept = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count()))
    yield
    os.sched_setaffinity(0, kept)


@pytest.mark.usefixtures("unpinned")
@pytest.mark.skipif(os.cpu_count() < 2, reason="one core cannot be divided")
@pytest.mark.parametrize("share", [1, 2])
def test_workers_divide_the_cores_instead_of_each_starting_a_thread_per_core(share, monkeypatch):
    monkeypatch.setattr("imageledger.engines.local.cores", lambda: 2 * share)
    assert list(ordered_map(threads_in_use, undone(20), workers=2)) == [{share}] * 20


@pytest.mark.parametrize(("workers", "threads"), [(1, False), (3, True), (2, False)])
def test_the_input_is_pulled_only_a_little_ahead_of_the_results(workers, threads):
    pulled = 0

    def counted() -> Iterator[tuple[int, None]]:
        nonlocal pulled
        for number in range(100_000):
            pulled = number + 1
            yield number, None

    results = ordered_map(doubled, counted(), workers=workers, threads=threads)
    ahead = max(WINDOW, workers * IN_FLIGHT_PER_WORKER)
    for done in range(1, 3 * WINDOW):
        next(results)
        assert pulled <= done + ahead
    results.close()
    assert pulled < 5 * WINDOW


def test_ready_results_far_apart_are_streamed_too():
    pulled = 0

    def counted() -> Iterator[tuple[int, int]]:
        nonlocal pulled
        for number in range(10_000):
            pulled = number + 1
            yield number, number

    results = ordered_map(doubled, counted(), workers=2)
    next(results)
    assert pulled <= WINDOW


def test_a_worker_that_dies_is_an_error_with_a_hint():
    with pytest.raises(LedgerError, match="a worker process died") as caught:
        list(ordered_map(dying, undone(40), workers=2))
    assert "carries on" in caught.value.hint
    assert "--workers 1" in caught.value.hint


def test_what_came_before_a_dead_worker_was_handed_on():
    found = []

    def gather() -> None:
        for result in ordered_map(dying, undone(40), workers=2):
            found.append(result)

    with pytest.raises(LedgerError):
        gather()
    assert found == list(range(len(found)))


@pytest.mark.parametrize(("workers", "threads"), [(1, False), (2, True), (2, False)])
def test_an_error_of_the_work_keeps_both_its_sentences(workers, threads):
    with pytest.raises(ModelError) as caught:
        list(ordered_map(failing, undone(40), workers=workers, threads=threads))
    assert (caught.value.what, caught.value.hint) == ("no model at /x", "put one there")


def test_a_full_disk_in_a_worker_arrives_with_its_number():
    with pytest.raises(OSError, match="No space left") as caught:
        list(ordered_map(full_disk, undone(40), workers=2))
    assert caught.value.errno == 28


def test_workers_end_when_their_parent_is_killed(tmp_path):
    manifest.write(tmp_path / "fetched.jsonl", seeds(5000))
    parent = subprocess.Popen([sys.executable, slow_stage.__file__, str(tmp_path), "hold", "0", "2"])
    until(lambda: len(alive(tmp_path)) == 2)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until(lambda: not alive(tmp_path))
    assert not alive(tmp_path)


def alive(folder: Path) -> list[str]:
    """Return the workers that still hold the lock on their file."""
    found = []
    for path in folder.glob("*.alive"):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(path.name)
    return found


def until(holds, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def test_at_least_one_core_may_be_used():
    assert 1 <= cores() <= (os.cpu_count() or 1)
