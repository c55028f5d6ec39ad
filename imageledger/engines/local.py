"""Map work over many items on this machine's cores: ordered results, bounded work in flight."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing.process import BaseProcess
from typing import TypeVar

from imageledger.errors import LedgerError

Item = TypeVar("Item")
Result = TypeVar("Result")

IN_FLIGHT_PER_WORKER = 4
WINDOW = 64
WORTH_A_POOL = 6
"""With fewer items to work on in a window, the calling process does them: starting workers costs more."""


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
    """Yield one result an item, in order; a job that brings its result along is not worked on.

    `work` must be picklable unless `threads` is set. `Executor.map` would read the whole input before
    the first result; here at most a few items a worker are in flight.
    """
    source = iter(jobs)
    while window := list(islice(source, WINDOW)):
        if workers > 1 and sum(ready is None for _, ready in window) >= WORTH_A_POOL:
            yield from _pooled(work, chain(window, source), workers, threads)
            return
        for item, ready in window:
            yield work(item) if ready is None else ready


def _pooled(
    work: Callable[[Item], Result], jobs: Iterable[tuple[Item, Result | None]], workers: int, threads: bool
) -> Iterator[Result]:
    pool = _pool(workers, threads)
    waiting: deque[Future[Result]] = deque()
    source = iter(jobs)
    try:
        while True:
            for item, ready in islice(source, workers * IN_FLIGHT_PER_WORKER - len(waiting)):
                waiting.append(pool.submit(work, item) if ready is None else _done(ready))
            if not waiting:
                return
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise LedgerError(
            "a worker process died; the usual reason is too little memory",
            "the same command carries on where it stopped; add --workers 1 to use less memory",
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _done(value: Result) -> Future[Result]:
    future: Future[Result] = Future()
    future.set_result(value)
    return future


def _pool(workers: int, threads: bool) -> Executor:
    if threads:
        return ThreadPoolExecutor(workers)
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and end when it is killed: an orphan would hold its model for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
