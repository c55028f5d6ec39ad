"""A folder of files, read in place."""

import logging
import os
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from curate.sources import HEAD, BadMember, Member, names_a_path, refuse_large
from curate.sources.choose import is_hidden
from imageledger.config import Project
from imageledger.errors import SourceError

logger = logging.getLogger(__name__)


class Folder:
    """A source whose files may change at any time, so every fetch reads them again."""

    licence = ""
    digest = ""

    def __init__(self, address: str, root: Path) -> None:
        self.address = address
        self.root = root

    @cached_property
    def _files(self) -> dict[str, tuple[Path, int]]:
        files: dict[str, tuple[Path, int]] = {}
        strays = 0
        for folder, folders, names in os.walk(self.root, onerror=self._unlisted):
            folders[:] = sorted(name for name in folders if not is_hidden(name))
            for path in (Path(folder, name) for name in sorted(names) if not is_hidden(name)):
                if path.is_symlink() and not path.resolve().is_relative_to(self.root):
                    strays += 1
                elif path.is_file():
                    files[member_name(path.relative_to(self.root).as_posix())] = (path, path.stat().st_size)
        if strays:
            logger.warning("%s: links left out because they lead out of the folder: %d", self.address, strays)
        return files

    def members(self) -> Sequence[Member]:
        """List the files below the folder; links out of it, hidden files and devices are left out."""
        return [Member(name, size) for name, (_, size) in sorted(self._files.items())]

    def head(self, name: str) -> bytes:
        """Return the first bytes of a file; b"" when it cannot be read."""
        try:
            with self._files[name][0].open("rb") as file:
                return file.read(HEAD)
        except OSError:
            return b""

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; raise BadMember when it cannot be read or is too large."""
        path, size = self._files[name]
        refuse_large(size)
        try:
            return path.read_bytes()
        except OSError as error:
            raise BadMember(f"cannot be read: {error.strerror or error}") from error

    @staticmethod
    def _unlisted(error: OSError) -> None:
        raise SourceError(
            f"{error.filename} cannot be listed: {error.strerror}", "check who may read that folder"
        ) from error


@names_a_path
def open_folder(address: str, project: Project) -> Folder:
    """Open `folder:PATH`; a relative path counts from the project folder."""
    root = place(address, project)
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise SourceError(f"{address}: {root} {what}", "check the path; zip:PATH reads a zip")
    return Folder(address, root)


def place(address: str, project: Project) -> Path:
    """Return the path behind a folder: or zip: address, with links resolved."""
    return (project.root / Path(address.partition(":")[2]).expanduser()).resolve()


def member_name(path: str) -> str:
    """Return a path as a member's name: NFC, and always valid Unicode."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return unicodedata.normalize("NFC", text)
