"""Objects: the bytes of pictures, stored read-only under their own sha256."""

import errno
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from imageledger.errors import StoreError
from imageledger.record import OBJECT_NAME

logger = logging.getLogger(__name__)

STALE = 3600
"""Seconds after which a half-written file belongs to no process that still writes: another dataset may be at work."""


def name_of(content: bytes, suffix: str) -> str:
    """Return the object name of some bytes: sha256 in hex, a dot, and the suffix (without dot)."""
    return f"{hashlib.sha256(content).hexdigest()}.{suffix}"


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of objects, sharded by the first two hex digits: `objects/ab/ab12….jpg`."""

    root: Path

    def path(self, name: str) -> Path:
        """Return where an object lies; raise StoreError for anything that is not an object name."""
        if not OBJECT_NAME.fullmatch(name):
            raise StoreError(f"{name!r} is not the name of an object")
        return self.root / name[:2] / name

    def has(self, name: str) -> bool:
        """Tell whether an object is there (by name only; `is_sound` reads it)."""
        return self.path(name).is_file()

    def read(self, name: str) -> bytes:
        """Return the bytes of an object; raise StoreError when it is missing, or when they no longer match its name."""
        try:
            return sound(self.path(name))
        except FileNotFoundError as error:
            raise StoreError(
                f"object {name} is missing from {self.root}", "curate run makes missing objects again"
            ) from error

    def put(self, content: bytes, suffix: str) -> str:
        """Store bytes and return their name; a half-written file never has an object's name."""
        name = name_of(content, suffix)
        target = self.path(name)
        if target.is_file() and target.stat().st_size == len(content):
            return name
        write_whole(target, content, mode=0o444)
        return name

    def link(self, name: str, file: Path) -> None:
        """Let a file that lies elsewhere stand for an object, without copying it; where links cannot be, copy it."""
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.symlink_to(file.resolve())
        except FileExistsError:
            return
        except OSError:  # a system, or a disk, without links
            write_whole(target, file.read_bytes(), mode=0o444)

    def is_sound(self, name: str) -> bool:
        """Read an object and tell whether its bytes still match its name; False when it is missing."""
        if not self.has(name):
            return False
        with self.path(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == name.partition(".")[0]

    def sweep(self) -> int:
        """Remove what killed processes left half-written, an hour ago or longer; return how many files that were."""
        swept = 0
        for path in self.root.glob("??/.*.part"):
            with suppress(FileNotFoundError):  # another process sweeps as well, or has finished writing
                if path.lstat().st_mtime < time.time() - STALE:
                    path.unlink()
                    swept += 1
        return swept

    def __iter__(self) -> Iterator[str]:
        """Walk over the names of all objects, sorted."""
        for path in sorted(self.root.glob("??/*")):
            if OBJECT_NAME.fullmatch(path.name):
                yield path.name


def sound(path: Path) -> bytes:
    """Return the bytes of a file; raise StoreError where it has the name of an object and they do not match it."""
    content = path.read_bytes()
    if OBJECT_NAME.fullmatch(path.name) and hashlib.sha256(content).hexdigest() != path.name.partition(".")[0]:
        raise StoreError(f"object {path.name} is damaged", "imageledger verify --remove-damaged, then curate run")
    return content


@contextmanager
def where_allowed(folder: Path) -> Iterator[None]:
    """Let a block keep what it need not find again; where that is not allowed, it is said once, and all goes on.

    A model can be asked, and numbers can be measured, in a project on a disk that nobody may write to.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        _say_unwritable(folder)


@cache
def _say_unwritable(folder: Path) -> None:
    logger.info("%s is read-only: what is measured now is not kept, and is measured again next time", folder)


def write_whole(target: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that it has its real name only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, mode)
        os.replace(draft, target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
