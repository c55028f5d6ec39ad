"""Where images come from: a source is opened by the scheme of its address and read member by member.

Each kind of source is a file here and a line in SCHEMES; other packages add theirs through its entry point group.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from imageledger.config import Project
from imageledger.errors import SourceError
from imageledger.plugins import Registry
from imageledger.record import REJECTED, UNREADABLE

HEAD = 64
"""How many leading bytes tell what a file is."""

MOST_BYTES = 256_000_000
"""How large a member may be; a larger one is no portrait."""

SCHEMES = Registry(
    group="imageledger.sources",
    kind="kind of source",
    builtin={
        "kaggle": "curate.sources.downloads:open_kaggle",
        "folder": "curate.sources.folder:open_folder",
        "zip": "curate.sources.archive:open_zip",
        "sample": "curate.sources.sample:open_sample",
    },
)
"""The schemes of addresses; each names a function that takes an address and the project and opens the source."""


class Member(NamedTuple):
    """One file of a source: its path inside the source (with /, NFC) and its size in bytes (0: unknown)."""

    name: str
    size: int


class BadMember(Exception):
    """A member cannot be read; it becomes a row with this status and reason."""

    def __init__(self, reason: str, status: str = UNREADABLE) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def refuse_large(size: int) -> None:
    """Raise BadMember for a size in bytes that no portrait has."""
    if size > MOST_BYTES:
        raise BadMember(f"{size / 1e6:,.0f} MB, more than the limit of {MOST_BYTES / 1e6:,.0f} MB", REJECTED)


class Source(Protocol):
    """What every source offers; reading is safe from several threads.

    `address` is canonical (a version filled in), `licence` an SPDX identifier where known, and `digest` says
    which content this is: two openings with the same digest hold the same bytes. "" means that it may change.
    """

    @property
    def address(self) -> str: ...  # noqa: D102

    @property
    def licence(self) -> str: ...  # noqa: D102

    @property
    def digest(self) -> str: ...  # noqa: D102

    def members(self) -> Sequence[Member]:
        """List the files, sorted by name, each name once."""
        ...

    def head(self, name: str) -> bytes:
        """Return the first HEAD bytes of a member, or b"" where reading them would cost too much."""
        ...

    def read(self, name: str) -> bytes:
        """Return the bytes of a member; raise BadMember when it cannot be read."""
        ...


@runtime_checkable
class Labelled(Protocol):
    """A source with a glob -> label table of its own, which applies where no labels are declared."""

    @property
    def labels(self) -> Mapping[str, str]: ...  # noqa: D102


@runtime_checkable
class Remote(Protocol):
    """A source that is downloaded: as a whole of `size` bytes when first listed, or file by file."""

    @property
    def size(self) -> int: ...  # noqa: D102

    def file_by_file(self) -> Source:
        """Return the same source, downloading only what is read."""
        ...


@runtime_checkable
class Stamped(Protocol):
    """A source whose files can each be told to be unchanged: `stamps` holds a text for every member."""

    @property
    def stamps(self) -> Mapping[str, str]: ...  # noqa: D102


@runtime_checkable
class Linked(Protocol):
    """A source with links to what lies outside of it, `links_away`, which are left out unless they are followed."""

    @property
    def links_away(self) -> Sequence[str]: ...  # noqa: D102

    def following_links(self) -> Source:
        """Return the same source with its links followed."""
        ...


Opener = Callable[[str, Project], Source]
AnyOpener = TypeVar("AnyOpener", bound=Callable[..., Source])


def open_source(address: str, project: Project) -> Source:
    """Open a source of the project; raise SourceError for an address that no scheme knows."""
    scheme, colon, _ = address.partition(":")
    if not colon or scheme not in SCHEMES:
        kinds = ", ".join(f"{name}:" for name in SCHEMES)
        hint = f"folder:{address} or zip:{address}" if Path(address).exists() else f"an address begins with {kinds}"
        raise SourceError(f"{address!r} is not the address of a source", hint)
    opener: Opener = SCHEMES.load(scheme)
    return opener(address, project)


def names_a_path(opener: AnyOpener) -> AnyOpener:
    """Mark a function that opens addresses with a path, so that people can write it from the working directory."""
    opener.names_a_path = True  # type: ignore[attr-defined]
    return opener


def holds_a_path(address: str) -> bool:
    """Tell whether what follows the scheme of an address is a path."""
    scheme = address.partition(":")[0]
    return scheme in SCHEMES and getattr(SCHEMES.load(scheme), "names_a_path", False)
