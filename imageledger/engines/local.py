"""Map work over many items on this machine's cores: ordered results, bounded work in flight."""

import os
import re
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice
from multiprocessing.connection import Connection, Pipe
from multiprocessing.synchronize import Event
from typing import Any, TypeVar

from imageledger.errors import LedgerError

Item = TypeVar("Item")
Result = TypeVar("Result")
Submit = Callable[[Item], Future[Result]]

IN_FLIGHT_PER_WORKER = 4
WINDOW = 64
WORTH_A_POOL = 6
"""With fewer items to work on in a window, the calling process does them: starting workers costs more."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""The variables that libraries read for how many threads they may start."""

KEEPS_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "8388608", "MALLOC_TRIM_THRESHOLD_": "33554432"}
"""Lets glibc reuse the arrays of one picture for the next; giving it back took a seventh of the time."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(
    work: Callable[[Item], Result],
    jobs: Iterable[tuple[Item, Result | None]],
    *,
    workers: int,
    threads: bool = False,
) -> Iterator[Result]:
    """Yield one result per item, in order; a job that brings its result is passed on without work.

    Unless `threads` is set, items and results travel between processes, so they must be picklable; `work` may be
    defined anywhere, in a script or a notebook too. `Executor.map` would read the whole input before the first
    result; here at most a few items per worker are in flight.
    """
    source = iter(jobs)
    while window := list(islice(source, WINDOW)):
        if workers > 1 and sum(ready is None for _, ready in window) >= WORTH_A_POOL:
            pool = _threads if threads else _processes
            with pool(work, workers) as submit:
                yield from _pooled(submit, chain(window, source), workers * IN_FLIGHT_PER_WORKER)
            return
        for item, ready in window:
            yield work(item) if ready is None else ready


def _pooled(
    submit: Submit[Item, Result], jobs: Iterable[tuple[Item, Result | None]], in_flight: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    source = iter(jobs)
    try:
        while True:
            for item, ready in islice(source, in_flight - len(waiting)):
                waiting.append(submit(item) if ready is None else _done(ready))
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _done(value: Result) -> Future[Result]:
    future: Future[Result] = Future()
    future.set_result(value)
    return future


@contextmanager
def _threads(work: Callable[[Item], Result], workers: int) -> Iterator[Submit[Item, Result]]:
    with ThreadPoolExecutor(workers) as pool:
        yield lambda item: pool.submit(work, item)


@contextmanager
def _processes(work: Callable[[Item], Result], workers: int) -> Iterator[Submit[Item, Result]]:
    """Start workers that get the work once, and never run the caller's file: that may be a script without guard."""
    from joblib.externals.loky.backend import get_context
    from joblib.externals.loky.backend.reduction import dumps
    from joblib.externals.loky.process_executor import ProcessPoolExecutor, TerminatedWorkerError

    _mend_loky()
    stopped = get_context("loky").Event()
    theirs, ours = Pipe(duplex=False)
    given = (bytes(dumps(work)), theirs, stopped)
    pool: Executor = ProcessPoolExecutor(workers, initializer=_begin_worker, initargs=given, env=_share(workers))
    try:
        with _interrupts_held():
            pool.submit(int)  # the first thing to do starts all workers
        yield lambda item: pool.submit(_work_on, item)
    except TerminatedWorkerError as error:
        raise LedgerError(
            f"a worker process died: {_how(str(error))}",
            "the same command carries on where it stopped; --workers 1 works without worker processes",
        ) from None
    finally:
        stopped.set()
        pool.shutdown(wait=True)
        ours.close()
        theirs.close()


def _share(workers: int) -> dict[str, str]:
    """Return the environment in which each worker uses its share of the cores, and keeps what memory it had.

    Unasked, OpenCV, BLAS and OpenMP start a thread per core in every worker, and those threads wait for each other.
    """
    return KEEPS_MEMORY | dict.fromkeys(THREADS, str(max(1, cores() // workers)))


def _mend_loky() -> None:
    """Keep loky quiet where it guesses, and let it end workers on systems that have no `pgrep`."""
    for guess in ("A worker stopped while some jobs", "Failed to kill subprocesses"):
        warnings.filterwarnings("ignore", guess)
    if os.name == "posix":
        from joblib.externals.loky.backend.popen_loky_posix import Popen

        if not hasattr(Popen, "kill"):
            Popen.kill = Popen.terminate


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while workers start: they inherit that, and print nothing before they can ignore it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # started by the first worker, it would let interrupts through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _how(message: str) -> str:
    """Say how workers ended, as far as the pool's message reports it; the rest of that message guesses at the cause."""
    ends = [
        f"signal {code.removeprefix('-')} ({name})" if code.startswith("-") else f"exit code {code}"
        for name, code in re.findall(r"(\w+)\((-?\d+)\)", message)
    ]
    return " and ".join(dict.fromkeys(ends)) or "the system did not report how"


def _begin_worker(packed: bytes, parent: Connection, stopped: Event) -> None:
    """Leave Ctrl-C to the parent, and end when the parent is killed: an orphan would hold its model for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    _given.update(packed=packed, stopped=stopped)


_given: dict[str, Any] = {}
"""What a worker process got when it began."""


def _leave_with(parent: Connection) -> None:
    parent.poll(None)
    os._exit(1)


def _work_on(item: Any) -> Any:
    """Do the work on an item; once the caller has left, what still lies in the queue is dropped."""
    return None if _given["stopped"].is_set() else _work()(item)


@cache
def _work() -> Callable[[Any], Any]:
    from joblib.externals.loky.backend.reduction import loads

    work: Callable[[Any], Any] = loads(_given["packed"])
    return work
