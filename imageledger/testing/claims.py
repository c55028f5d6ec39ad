"""What all checks claim in the same way: sentences that hold, and work that leaves no trace."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

WRITES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")
REACHES = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")
MODES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_watching: list[tuple[tuple[Path, ...], list[str]]] = []
"""What is watched now: the folders that may be written, and what was done outside them."""


def claim(holds: object, sentence: str) -> None:
    """Raise AssertionError with a sentence that does not hold, even where Python skips `assert` statements."""
    if not holds:
        raise AssertionError(sentence)


@contextmanager
def leaving_no_trace(what: str, *allowed: Path) -> Iterator[None]:
    """Claim that nothing is written outside some folders, no connection opened and no program started.

    Python's audit events report this, so a C library that opens files by itself goes unseen. Compiled modules
    (__pycache__) and devices do not count.
    """
    _listen()
    done: list[str] = []
    entry = (tuple(folder.resolve() for folder in allowed), done)
    _watching.append(entry)
    try:
        yield
    finally:
        _watching.remove(entry)
    claim(not done, f"{what} leaves traces: {'; '.join(dict.fromkeys(done))}")


@cache
def _listen() -> None:
    """Add the one hook of this process; Python keeps it for good, and it does nothing while nobody watches."""
    sys.addaudithook(_heard)


def _heard(event: str, details: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event in REACHES:
        trace = f"{event} {details[0] if isinstance(details[0], str) else details[1:]}"
        paths: tuple[Any, ...] = ()
    elif event == "open" and _writes(details):
        trace, paths = f"it opens {details[0]} to write", details[:1]
    elif event in WRITES:
        trace, paths = f"{event} {details[0]}", details[:1]
    else:
        return
    for allowed, done in _watching:
        if not (paths and _may(paths[0], allowed)):
            done.append(trace)


def _writes(details: tuple[Any, ...]) -> bool:
    _, mode, flags = details
    return bool(set(mode or "") & set("wax+") or (isinstance(flags, int) and flags & MODES))


def _may(path: Any, allowed: tuple[Path, ...]) -> bool:
    if isinstance(path, int) or path is None:  # a descriptor was opened before
        return True
    place = Path(os.fsdecode(path)).absolute()
    return "__pycache__" in place.parts or place.is_relative_to("/dev") or any(map(place.is_relative_to, allowed))
