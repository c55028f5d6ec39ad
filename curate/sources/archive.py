"""A zip, read in place: member by member, never extracted."""

import logging
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from curate.sources import HEAD, BadMember, Member, names_a_path, refuse_large, stamps
from curate.sources.choose import is_hidden
from curate.sources.folder import place
from curate.sources.names import named_apart
from curate.sources.zip_names import opened, raw_name
from imageledger.config import Project
from imageledger.errors import SourceError
from imageledger.record import REJECTED

logger = logging.getLogger(__name__)

LARGEST_DIRECTORY = 512 * 1024 * 1024
"""Bytes of a zip's table of contents: some five million members; a larger table would fill the memory."""

ENCRYPTED = 0x1

LARGE, MOST_FOLD = 32_000_000, 100
"""A member of more than LARGE bytes that was packed to less than a MOST_FOLD-th is a bomb: no picture packs so well."""

MOST_TOTAL, MOST_TOTAL_FOLD = 256_000_000, 20
"""A zip whose files unpack to more than MOST_TOTAL bytes, and to this many times its own size, is a bomb as a whole:
archives of pictures hardly shrink, and those of uncompressed ones by less than ten."""

_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, struct.error)


class Archive:
    """The members of a zip as a source; a member called `../../x` is only a string."""

    def __init__(self, address: str, path: Path, licence: str = "", digest: str = "") -> None:
        self.address = address
        self.path = path
        self.licence = licence
        self.digest = digest

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            _refuse_endless(self.path)
            return opened(self.path)
        except (*_DAMAGE, UnicodeDecodeError, NotImplementedError) as error:
            raise SourceError(
                f"{self.path} is not a zip that can be read: {error}", "download or copy it again"
            ) from error

    @cached_property
    def _infos(self) -> dict[str, zipfile.ZipInfo]:
        infos: dict[str, zipfile.ZipInfo] = {}
        twice = 0
        for info in self._zip.infolist():
            raw = raw_name(info)
            if not info.is_dir() and not is_hidden(raw):
                twice += raw in infos
                infos[raw] = info
        if twice:
            logger.warning("%s: names that occur again, so that only their last file counts: %d", self.address, twice)
        _refuse_bomb(self.address, self.path, infos.values())
        return {name: infos[raw] for name, raw in named_apart(infos).items()}

    def members(self) -> Sequence[Member]:
        """List the files of the zip, sorted; of two files with one name the last counts, as in every unzip program."""
        return [Member(name, info.file_size) for name, info in sorted(self._infos.items())]

    def head(self, name: str) -> bytes:
        """Return the first bytes of a member; b"" when it cannot be opened."""
        try:
            return self._begin(name, HEAD)
        except BadMember:
            return b""

    def read(self, name: str) -> bytes:
        """Return the bytes of a member, checked against its CRC; raise BadMember when it is torn or too large."""
        size, packed = self._infos[name].file_size, self._infos[name].compress_size
        refuse_large(size)
        if size > LARGE and size > MOST_FOLD * packed:
            raise BadMember(f"{packed / 1e3:,.0f} kB would unpack to {size / 1e6:,.0f} MB: no picture does", REJECTED)
        content = self._begin(name, size + 1)
        if len(content) != size:
            raise BadMember(f"{len(content)} bytes instead of the {size} that the zip promises")
        return content

    def _begin(self, name: str, most: int) -> bytes:
        info = self._infos[name]
        if info.flag_bits & ENCRYPTED:
            raise BadMember("encrypted in the zip")
        try:
            with self._zip.open(info) as file:
                return file.read(most)
        except _DAMAGE as error:
            raise BadMember(f"damaged in the zip: {error}") from error
        except (NotImplementedError, RuntimeError) as error:
            raise BadMember(f"compressed by a method that cannot be read: {error}") from error


@names_a_path
def open_zip(address: str, project: Project) -> Archive:
    """Open `zip:PATH`; a relative path counts from the project folder, and its sha256 is the digest.

    It is hashed again only if size, time of change or inode are others.
    """
    path = place(address, project)
    if not path.is_file():
        what = "is not a file" if path.exists() else "does not exist"
        raise SourceError(f"{address}: {path} {what}", "check the path; folder:PATH reads a folder")
    return Archive(address, path, digest=stamps.digest_of(project, address, path))


def _refuse_bomb(address: str, path: Path, infos: Iterable[zipfile.ZipInfo]) -> None:
    """Raise SourceError for a zip that would grow beyond all reason as a whole; files may share their packed bytes."""
    files = list(infos)
    size = sum(info.file_size for info in files)
    packed = min(path.stat().st_size, sum(info.compress_size for info in files))
    if size > MOST_TOTAL and size > MOST_TOTAL_FOLD * packed:
        raise SourceError(
            f"{address}: {packed / 1e6:,.1f} MB in {len(files):,} files would unpack to {size / 1e6:,.0f} MB: "
            "no pictures do",
            "do not use it; if you trust it, unpack it, and fetch the folder",
        )


def _refuse_endless(path: Path) -> None:
    """Look at the size of the table of contents before zipfile reads it into memory."""
    with path.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(max(0, length - 66_000))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        return
    (size,) = struct.unpack_from("<L", tail, end + 12)
    wide = tail.rfind(b"PK\x06\x06", 0, end)
    if size == 0xFFFFFFFF and wide >= 0:
        (size,) = struct.unpack_from("<Q", tail, wide + 40)
    if size > LARGEST_DIRECTORY:
        raise zipfile.BadZipFile(f"its table of contents has {size / 1024**2:,.0f} MB")
