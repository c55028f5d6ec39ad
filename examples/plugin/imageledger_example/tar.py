"""A source: the files in a tar, read in place. `curate fetch tar:faces.tar --label real`."""

import hashlib
import tarfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from curate.sources import HEAD, BadMember, Member, names_a_path, refuse_large
from imageledger.config import Project
from imageledger.errors import SourceError


class Tar:
    """The members of a tar; a name such as ../../x is only a string, because nothing is extracted."""

    licence = ""

    def __init__(self, address: str, path: Path) -> None:
        self.address = address
        self.path = path
        with path.open("rb") as file:
            self.digest = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            with tarfile.open(path) as opened:
                files = [info for info in opened.getmembers() if info.isfile()]
        except (tarfile.TarError, EOFError, OSError) as error:
            raise SourceError(f"{path} is not a tar that can be read: {error}", "download or copy it again") from error
        self._infos = {unicodedata.normalize("NFC", info.name): info for info in files}

    def members(self) -> Sequence[Member]:
        """List the files, sorted by name."""
        return [Member(name, info.size) for name, info in sorted(self._infos.items())]

    def head(self, name: str) -> bytes:
        """Return the first bytes of a member; b"" when it cannot be read."""
        try:
            return self._begin(name, HEAD)
        except BadMember:
            return b""

    def read(self, name: str) -> bytes:
        """Return the bytes of a member; raise BadMember when it is too large or torn."""
        refuse_large(self._infos[name].size)
        return self._begin(name, -1)

    def _begin(self, name: str, most: int) -> bytes:
        try:
            with tarfile.open(self.path) as opened, opened.extractfile(self._infos[name]) as file:  # type: ignore[union-attr]
                return file.read(most)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise BadMember(f"damaged in the tar: {error}") from error


@names_a_path
def open_tar(address: str, project: Project) -> Tar:
    """Open `tar:PATH`; a relative path counts from the project folder."""
    path = (project.root / address.partition(":")[2]).resolve()
    if not path.is_file():
        raise SourceError(f"{address}: {path} is not a file", "check the path")
    return Tar(address, path)
