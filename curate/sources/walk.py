"""Walk over a folder tree: which files there are to read, and what is left out, and why."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from curate.sources.choose import is_hidden
from imageledger.config import EXPORTED, FILE, OUTPUT
from imageledger.errors import SourceError

AWAY = "a link that leads out of the folder"
NOWHERE = "a link that leads nowhere or in a circle"
TO_A_FOLDER = "a link to a folder that is read elsewhere in the tree"
UNLISTED = "a folder that cannot be listed"
OWN = "a folder that imageledger itself writes"
SPECIAL = "a device or a pipe"


@dataclass(slots=True)
class Walk:
    """A walk over the tree below `root`; `left_out` holds, by reason, the paths that it passed over."""

    root: Path
    follow_links: bool = False
    left_out: dict[str, list[str]] = field(default_factory=dict)
    seen: set[tuple[int, int]] = field(default_factory=set)

    def files(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Yield the files to read, and what the system says of them; hidden ones are passed over without a word.

        Raises SourceError when the root itself cannot be listed.
        """
        self.seen.add(_identity(self.root))
        for place, folders, names in os.walk(self.root, onerror=self._unlisted, followlinks=self.follow_links):
            folder = Path(place)
            folders[:] = [name for name in sorted(folders) if not is_hidden(name) and self._enters(folder / name)]
            for path in (folder / name for name in sorted(names) if not is_hidden(name)):
                if known := self._known(path):
                    yield path, known

    def _enters(self, folder: Path) -> bool:
        identity = _identity(folder)
        if is_own(folder):
            self._leave_out(folder, OWN)
        elif folder.is_symlink() and not self.follow_links:
            self._leave_out(folder, TO_A_FOLDER if folder.resolve().is_relative_to(self.root) else AWAY)
        elif identity in self.seen:
            self._leave_out(folder, TO_A_FOLDER)
        else:
            self.seen.add(identity)
            return True
        return False

    def _known(self, path: Path) -> os.stat_result | None:
        try:
            known = path.stat()
            inside = self.follow_links or not path.is_symlink() or path.resolve().is_relative_to(self.root)
        except (OSError, RuntimeError):  # Python 3.12 and older raise RuntimeError for links in a circle
            self._leave_out(path, NOWHERE)
            return None
        if stat.S_ISREG(known.st_mode) and inside:
            return known
        self._leave_out(path, AWAY if stat.S_ISREG(known.st_mode) else SPECIAL)
        return None

    def _leave_out(self, path: Path, why: str) -> None:
        self.left_out.setdefault(why, []).append(path.relative_to(self.root).as_posix())

    def _unlisted(self, error: OSError) -> None:
        if Path(error.filename) == self.root:
            raise SourceError(
                f"{error.filename} cannot be listed: {error.strerror}", "check who may read that folder"
            ) from error
        self._leave_out(Path(error.filename), UNLISTED)


def _identity(folder: Path) -> tuple[int, int]:
    try:
        known = folder.stat()
    except OSError:  # it is listed next, which fails with the reason
        return 0, 0
    return known.st_dev, known.st_ino


def is_own(folder: Path) -> bool:
    """Tell whether a folder is output: an export, or part of a project beside its configuration."""
    if (folder / EXPORTED).is_file():
        return True
    return any(
        (root / FILE).is_file() and folder.relative_to(root).as_posix() in OUTPUT
        for root in (folder.parent, folder.parent.parent)
    )
