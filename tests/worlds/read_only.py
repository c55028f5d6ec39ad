"""A disk that nobody may write to, for the process of a test: root may write whatever permission bits say."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_guarded: list[str] = []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
           "os.utime")  # fmt: skip


def _refuse(event: str, given: tuple[object, ...]) -> None:
    if not _guarded or not (event in CHANGES or (event == "open" and isinstance(given[2], int) and given[2] & WRITES)):
        return
    path = given[0]
    if isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(_guarded[-1]):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fsdecode(path))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Refuse every change below a folder while the block runs, as a disk that is mounted read-only does."""
    if not getattr(sys, "_read_only_hook", False):
        sys.addaudithook(_refuse)  # a hook stays for good, and does nothing outside of the block
        sys._read_only_hook = True
    _guarded.append(str(folder))
    try:
        yield
    finally:
        _guarded.pop()
