"""Manifests and their cards: files with one record per line, and the small JSON file beside each."""

import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields
from importlib import metadata
from pathlib import Path
from typing import IO, Any, Self, get_origin

from imageledger import seal
from imageledger.errors import ManifestError
from imageledger.foreign import json_of
from imageledger.record import Record
from imageledger.store import write_whole

SCHEMA = 1

AGAIN = "imageledger verify says what is damaged, and which command makes it again"


def read(path: Path) -> Iterator[Record]:
    """Stream the records of a manifest (`.jsonl` or `.jsonl.gz`).

    Raises ManifestError, with the line number, for a missing file, a bad line, or keys that do not ascend.
    """
    if not path.is_file():
        raise _nothing_at(path)
    previous: tuple[str, str] | None = None
    with closing(_open(path)) as lines:
        try:
            for number, line in enumerate(lines, 1):
                try:
                    record = Record.from_line(line)
                except ManifestError as error:
                    raise ManifestError(f"{path}:{number}: {error.what}", error.hint or AGAIN) from error
                if previous is not None and record.key <= previous:
                    raise ManifestError(f"{path}:{number}: {record.name} does not come after the line above", AGAIN)
                previous = record.key
                yield record
        except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ManifestError(f"{path} cannot be read: {error}", AGAIN) from error


def write(path: Path, records: Iterable[Record]) -> None:
    """Write a small manifest at once, whole or not at all (stages stream instead)."""
    content = "".join(f"{record.to_line()}\n" for record in records).encode()
    write_whole(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def digest(path: Path) -> str:
    """Return "sha256:…" of a file's bytes; raise ManifestError when it is missing."""
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except FileNotFoundError as error:
        raise _nothing_at(path) from error


def sound_digest(path: Path) -> str:
    """Return the digest of a manifest that is what its card says; one without a card is taken as it is.

    Raises ManifestError for one that has changed since, and where there is none.
    """
    card, found = card_path(path), digest(path)
    if card.is_file() and found != (made := Card.read(card)).digest:
        raise ManifestError(
            f"{path} is damaged, or was changed by hand: it does not match its card",
            f"curate {made.stage.partition('@')[0]} makes it again; what people decide belongs into decisions.jsonl",
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """How a manifest was made and what it holds. It has no clock and no machine path: equal work gives equal bytes."""

    dataset: str
    stage: str
    input: str
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    rows: int
    digest: str
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Write the card as indented JSON with its seal and a closing line feed."""
        return json.dumps(seal.sealed(asdict(self)), ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the card of a manifest; raise ManifestError when it is missing, damaged or not a card."""
        try:
            card = cls(**seal.opened(json_of(path.read_bytes())))
            card._refuse_strange()
            return card
        except (OSError, ValueError, TypeError) as error:
            raise ManifestError(f"{path} is not a card: {error}", "run the stage again") from error

    def _refuse_strange(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            if not isinstance(value, get_origin(spec.type) or spec.type) or isinstance(value, bool):  # type: ignore[arg-type]
                raise ValueError(f"{spec.name} is {value!r}")
        for counts in self.counts.values():
            if not isinstance(counts, dict) or not all(type(count) is int for count in counts.values()):
                raise ValueError(f"counts holds {counts!r}")
        if self.schema != SCHEMA:
            raise ValueError(f"schema {self.schema} belongs to another version of imageledger")


def card_path(manifest: Path) -> Path:
    """Return where the card of a manifest lies: `final.jsonl` has `final.card.json`."""
    return manifest.with_name(manifest.name.partition(".jsonl")[0] + ".card.json")


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Return the installed versions of packages; an absent one is left out."""
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


class Tally:
    """Counts per label and status, and reasons, gathered while rows stream past."""

    def __init__(self) -> None:
        self.by_label: dict[str, Counter[str]] = {}
        self.reasons: dict[str, Counter[str]] = {}
        self.rows = 0

    def add(self, record: Record) -> Record:
        """Count one record and hand it on."""
        self.rows += 1
        self.by_label.setdefault(record.label, Counter())[record.status] += 1
        if record.reason:
            self.reasons.setdefault(record.label, Counter())[record.reason] += 1
        return record

    def total(self, status: str) -> int:
        """Count the rows of one status over all labels."""
        return sum(counts[status] for counts in self.by_label.values())

    def plain(self) -> dict[str, dict[str, int]]:
        """Return the counts as plain sorted mappings, for a card."""
        return {label: dict(sorted(counts.items())) for label, counts in sorted(self.by_label.items())}


def _nothing_at(path: Path) -> ManifestError:
    return ManifestError(f"there is no manifest {path}", "imageledger status says which command comes next")


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")
