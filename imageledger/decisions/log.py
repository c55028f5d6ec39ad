"""The file decisions.jsonl: read whole, and only ever appended to."""

import getpass
import logging
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from imageledger.decisions.decision import FILE, Decision
from imageledger.decisions.standing import Decisions, digest, digest_on, standing
from imageledger.errors import BusyError, LedgerError, ManifestError
from imageledger.foreign import json_of

logger = logging.getLogger(__name__)

PATIENCE = 20
"""Seconds to wait for another process that is appending."""


def read(path: Path, labels: Collection[str] = ()) -> Decisions:
    """Read a file of decisions and return those that hold; a missing file holds none.

    Raises ManifestError, with the line number, for a line that is not a decision and, where `labels` are given,
    for a label that is not among them.
    """
    return standing(lines(path, labels))


def lines(path: Path, labels: Collection[str] = ()) -> list[Decision]:
    """Return every line of a file of decisions, the oldest first, also those taken back since.

    A last line that was cut off while it was written was never said to be saved, and is passed over. Raises what
    `read` raises.
    """
    if not path.is_file():
        return []
    try:
        text = _whole(path.read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8: {error}", "save the file as UTF-8") from error
    return [
        Decision.from_line(line, f"{path}:{number}", labels)
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip()
    ]


class Follower:
    """The lines of a file of decisions, read on as it grows: this process and others append to it."""

    def __init__(self, path: Path, labels: Collection[str] = ()) -> None:
        self.path, self.labels = path, labels
        self.lines: list[Decision] = []
        self._place, self._of = 0, 0

    def read_on(self) -> list[Decision]:
        """Read what was appended since the last call and return it; a file that was replaced is read anew.

        Raises what `read` raises.
        """
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return []
        if stat.st_size < self._place or stat.st_ino != self._of:
            self.lines, self._place, self._of = [], 0, stat.st_ino
        if stat.st_size == self._place:
            return []
        with self.path.open("rb") as file:
            file.seek(self._place)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        text = whole.decode("utf-8" if self._place else "utf-8-sig", errors="replace")
        number = len(self.lines) + 1
        new = [Decision.from_line(line, f"{self.path}: decision {number + n}", self.labels)
               for n, line in enumerate(filter(str.strip, text.split("\n")))]  # fmt: skip
        self._place += len(whole)
        self.lines += new
        return new


def wait(folder: Path, stage: str, card_input: str) -> bool:
    """Tell whether people have decided something that a manifest does not show yet; its card states its input.

    `folder` is that of the manifests. What `read` refuses waits as well.
    """
    try:
        return digest(read(folder / FILE), stage) != digest_on(card_input)
    except ManifestError:
        return True


def append(path: Path, decisions: Sequence[Decision]) -> None:
    """Append decisions, all or none; when this returns, they have reached the disk.

    Several processes may append at once. What a killed process left of a line is taken away first. Raises ManifestError
    for what is not a decision, BusyError where another process does not stop appending.
    """
    from filelock import FileLock, Timeout

    for decision in decisions:
        if why := decision.fault():
            raise ManifestError(*why)
    content = "".join(f"{decision.to_line()}\n" for decision in decisions).encode("utf-8", errors="replace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(".decisions.lock"), timeout=PATIENCE):
            _append(path, content)
    except Timeout as error:
        raise BusyError(f"another process is writing {path.name}", "wait a moment, then decide again") from error
    except OSError as error:
        raise LedgerError(f"{path} cannot be written: {error.strerror}", "nothing was decided") from error


def login() -> str:
    """Return the name under which the person has logged in to this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may have no such name
        return "somebody"


def _append(path: Path, content: bytes) -> None:
    fresh = not path.exists()
    before = b"" if fresh else path.read_bytes()
    whole = _whole(before)
    with path.open("ab") as file:
        if len(whole) < len(before):
            logger.warning("%s ended in half a line, which was never said to be saved: taken away", path)
            file.truncate(len(whole))
        place = len(whole)
        try:
            file.write((b"" if not whole or whole.endswith(b"\n") else b"\n") + content)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(place)
            raise
    if fresh:
        _settle(path.parent)


def _settle(folder: Path) -> None:
    """Make a new name in a folder reach the disk, where the system lets folders be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _whole(content: bytes) -> bytes:
    """Return a file without a last line that was cut off: one without a line feed that is no JSON either."""
    head, feed, tail = content.rpartition(b"\n")
    if not tail.strip():
        return content
    try:
        json_of(tail)
    except ValueError:
        return head + feed
    return content
