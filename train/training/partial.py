"""The folder of a run while it is being made: it has its real name only when it is whole."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imageledger import seal
from imageledger.errors import BusyError
from imageledger.store import write_whole

JOB = "job.json"


@contextmanager
def draft(runs: Path, name: str, doing: str, job: Mapping[str, Any] | None = None) -> Iterator[Path]:
    """Hand out a folder to write to, seal it, and give it its real name at the end.

    Without a job nothing is kept of a failure. With one (all that the result depends on) what was written is kept, and
    handed out again to the same job; another job begins anew. Raises BusyError, naming the process that is at it.
    """
    from filelock import FileLock, Timeout

    runs.mkdir(parents=True, exist_ok=True)
    place, holder = runs / f".{name}.part", runs / f".{name}.holder"
    try:
        with FileLock(runs / f".{name}.lock", timeout=0):
            holder.write_text(f"{doing}, process {os.getpid()}", encoding="utf-8")
            try:
                _open(place, job)
                yield place
                seal.write(place, leave_out=(JOB,))
                (place / JOB).unlink(missing_ok=True)
                shutil.rmtree(runs / name, ignore_errors=True)
                os.replace(place, runs / name)
            finally:
                holder.unlink(missing_ok=True)
                if job is None or not _worth_keeping(place):
                    shutil.rmtree(place, ignore_errors=True)
    except Timeout as error:
        who = holder.read_text(encoding="utf-8") if holder.is_file() else "another process"
        raise BusyError(
            f"run {name!r} is being made by {who}",
            "run the same command when that has finished, or pick another --name",
        ) from error


def _open(place: Path, job: Mapping[str, Any] | None) -> None:
    """Make the folder ready: what another job left in it goes."""
    stated = _stated(job) if job is not None else b""
    kept = place / JOB
    if job is None or not kept.is_file() or kept.read_bytes() != stated:
        shutil.rmtree(place, ignore_errors=True)
    place.mkdir(exist_ok=True)
    (place / seal.FILE).unlink(missing_ok=True)
    if job is not None:
        write_whole(kept, stated)


def _worth_keeping(place: Path) -> bool:
    return place.is_dir() and any(path.name != JOB for path in place.iterdir())


def _stated(job: Mapping[str, Any]) -> bytes:
    return (json.dumps(job, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
