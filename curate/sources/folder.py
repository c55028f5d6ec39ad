"""A folder of files, read in place."""

import logging
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from curate.sources import HEAD, BadMember, Member, names_a_path, refuse_large, stamps
from curate.sources.names import named_apart
from curate.sources.walk import AWAY, Walk, is_own
from imageledger.config import Project
from imageledger.errors import SourceError

logger = logging.getLogger(__name__)

SHOWN = 3


class Folder:
    """A source whose files may change at any time: every fetch reads those again that do not look the same.

    With `follow_links` a link counts as what it leads to, wherever that lies.
    """

    licence = ""
    digest = ""

    def __init__(self, address: str, root: Path, follow_links: bool = False) -> None:
        self.address = address
        self.walk = Walk(root, follow_links)

    def following_links(self) -> "Folder":
        """Return the same folder, its links followed."""
        return Folder(self.address, self.walk.root, follow_links=True)

    @property
    def links_away(self) -> Sequence[str]:
        """The links that lead out of the folder and are not followed."""
        return self.walk.left_out.get(AWAY, [])

    @property
    def stamps(self) -> Mapping[str, str]:
        """What tells for each member that it is unchanged."""
        return {name: stamps.stamp(known) for name, (_, known) in self._files.items()}

    @cached_property
    def _files(self) -> dict[str, tuple[Path, os.stat_result]]:
        found = {path.relative_to(self.walk.root).as_posix(): (path, known) for path, known in self.walk.files()}
        for why, names in self.walk.left_out.items():
            shown = [*map(repr, names[:SHOWN]), *["…"] * (len(names) > SHOWN)]
            hint = "; curate fetch --follow-links reads what they lead to" if why == AWAY else ""
            logger.warning("%s: left out %d × %s: %s%s", self.address, len(names), why, ", ".join(shown), hint)
        return {name: found[raw] for name, raw in named_apart(found).items()}

    def members(self) -> Sequence[Member]:
        """List the files below the folder; what is left out goes to the logger, hidden files excepted."""
        return [Member(name, known.st_size) for name, (_, known) in sorted(self._files.items())]

    def path_of(self, name: str) -> Path:
        """Return where a file lies."""
        return self._files[name][0]

    def head(self, name: str) -> bytes:
        """Return the first bytes of a file; b"" when it cannot be read."""
        try:
            with self._files[name][0].open("rb") as file:
                return file.read(HEAD)
        except OSError:
            return b""

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; raise BadMember when it cannot be read or is too large."""
        path, known = self._files[name]
        refuse_large(known.st_size)
        try:
            return path.read_bytes()
        except OSError as error:
            raise BadMember(f"cannot be read: {error.strerror or error}") from error


class Listed(Folder):
    """The files that a table names, wherever they lie, and no others; relative paths count from `root`."""

    def __init__(self, root: Path, names: Iterable[str]) -> None:
        super().__init__(f"folder:{root.as_posix()}", root)
        self.names = tuple(names)

    @cached_property
    def _files(self) -> dict[str, tuple[Path, os.stat_result]]:
        there: dict[str, tuple[Path, os.stat_result]] = {}
        for name in self.names:
            for spelled in (name, unicodedata.normalize("NFD", name)):
                path = self.walk.root / spelled
                if path.is_file():
                    there.setdefault(name, (path, path.stat()))
        return there


@names_a_path
def open_folder(address: str, project: Project) -> Folder:
    """Open `folder:PATH`; a relative path counts from the project folder."""
    root = place(address, project)
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise SourceError(f"{address}: {root} {what}", "check the path; zip:PATH reads a zip")
    if any(is_own(folder) for folder in (root, *root.parents)):
        raise SourceError(
            f"{address}: imageledger itself wrote what lies in {root}", "name the folder that your pictures came from"
        )
    return Folder(address, root)


def place(address: str, project: Project) -> Path:
    """Return the path behind a folder: or zip: address, with links resolved."""
    return (project.root / Path(address.partition(":")[2]).expanduser()).resolve()
