"""The battery for a source."""

import tempfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from curate.sources import HEAD, SCHEMES, BadMember, Labelled, Member, Opener, Source
from imageledger.config import Project, open_project
from imageledger.engines.local import ordered_map
from imageledger.errors import SourceError
from imageledger.project import init
from imageledger.testing.claims import claim, leaving_no_trace

MOST = 6
"""About how many members are read."""

NOWHERE = "no/such/place-0f7a"


def check_source(opener: Opener | str, address: str, *, root: Path | None = None) -> None:
    """Check everything that `Source` promises, on the files at an address; raises AssertionError for what fails."""
    with tempfile.TemporaryDirectory() as folder:
        if root is None:
            init(Path(folder), "checked")
        project = open_project(root or Path(folder))
        opening: Opener = SCHEMES.load(opener) if isinstance(opener, str) else opener
        with leaving_no_trace(f"the source {address}", project.root):
            source = opening(address, project)
            _check_facts(source, address)
            _check_members(source.members(), address)
            contents = _contents(source, address)
        _check_again(opening, source, project, contents)
        _check_errors(opening, source, project)


def _check_facts(source: Source, address: str) -> None:
    scheme = address.partition(":")[0]
    claim(source.address.startswith(f"{scheme}:"), f"{address}: its address is {source.address!r}, of another scheme")
    for name in ("licence", "digest"):
        claim(isinstance(getattr(source, name), str), f'{address}: its {name} is no text; "" says that none is known')
    if isinstance(source, Labelled):
        claim(all(isinstance(text, str) for pair in source.labels.items() for text in pair),
              f"{address}: its labels are no table of glob -> label")  # fmt: skip


def _check_members(members: Sequence[Member], address: str) -> None:
    names = [member.name for member in members]
    claim(names, f"{address}: it has no members, so there is nothing to check")
    claim(names == sorted(names), f"{address}: its members are not sorted by name")
    claim(len(set(names)) == len(names), f"{address}: two members have one name")
    for name, size in members:
        claim(unicodedata.is_normalized("NFC", name), f"{address}: the name {name!r} is not in NFC")
        claim("\\" not in name and not PurePosixPath(name).is_absolute(), f"{address}: {name!r} is no path with /")
        claim(isinstance(size, int) and size >= 0, f"{address}: the size of {name} is {size!r}, no number of bytes")


def _contents(source: Source, address: str) -> dict[str, bytes | str]:
    """Read members from all over the source: their bytes, or the reasons why they cannot be had."""
    contents: dict[str, bytes | str] = {}
    members = source.members()
    for name, size in members[:: max(1, len(members) // MOST)]:
        contents[name] = content = _read(source, name)
        head = source.head(name)
        if isinstance(content, bytes):
            claim(size in (0, len(content)), f"{address}: {name} has {len(content)} bytes, and is listed with {size}")
            claim(head in (b"", content[:HEAD]), f"{address}: the head of {name} is not how {name} begins")
    claim(any(isinstance(content, bytes) for content in contents.values()), f"{address}: no member can be read")
    return contents


def _read(source: Source, name: str) -> bytes | str:
    try:
        return source.read(name)
    except BadMember as error:
        return error.reason
    except Exception as error:
        raise AssertionError(
            f"{source.address}: {name} raises {type(error).__name__} ({error}), where BadMember would make it a row"
        ) from error


def _check_again(opening: Opener, source: Source, project: Project, contents: dict[str, bytes | str]) -> None:
    """Claim that order, threads and a second opening by its own address change nothing."""
    address = source.address
    again = opening(address, project)
    claim(again.address == address, f"{address}: opened by its own address it is called {again.address}")
    claim(again.digest == source.digest, f"{address}: its digest changes from one opening to the next")
    claim(list(again.members()) == list(source.members()), f"{address}: its members change between two openings")
    backwards = {name: _read(again, name) for name in reversed(contents)}
    claim(backwards == contents, f"{address}: read backwards, its members have other bytes")
    jobs = [(name, None) for name in contents] * 2
    beside = ordered_map(lambda name: (name, _read(again, name)), jobs, workers=4, threads=True)
    claim(all(contents[name] == content for name, content in beside), f"{address}: threads read other bytes")


def _check_errors(opening: Opener, source: Source, project: Project) -> None:
    wrong = f"{source.address.partition(':')[0]}:{NOWHERE}"
    try:
        opening(wrong, project).members()
    except SourceError as error:
        claim(error.hint, f"{wrong}: its SourceError has no hint that says what to do")
    except Exception as error:
        raise AssertionError(f"{wrong}: raises {type(error).__name__}, where SourceError has a hint") from error
    else:
        raise AssertionError(f"{wrong}: an address behind which nothing lies raises no SourceError")
