"""A table that says what the files of a source are: a path and a label a row, and what else is known of it."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.sources.names import member_name
from imageledger.errors import ConfigError
from imageledger.extras import need
from imageledger.foreign import json_of
from imageledger.record import SPLITS

PATHS = ("path", "file", "filename", "file_name", "image", "member")
"""Names of the column of paths, in the order in which they are looked for."""

KNOWN = ("label", "group", "pair", "generator", "licence", "license", "split")
LARGEST = 1 << 30
"""Bytes of a table that is read into memory."""

SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a table says of one file; "" where it says nothing."""

    label: str = ""
    group: str = ""
    pair: str = ""
    generator: str = ""
    licence: str = ""
    split: str = ""


def read(path: Path) -> dict[str, Facts]:
    """Read a table of facts by path: CSV, TSV, JSON lines or Parquet, by the suffix of its name.

    Raises ConfigError, with the row, for what is no table, has no column of paths, or contradicts itself.

    >>> import tempfile; table = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = table.write_text("path,label\\na/1.jpg,real\\n"); read(table)["a/1.jpg"].label
    'real'
    """
    if not path.is_file():
        raise ConfigError(f"the table {path} is not there", "check the path; it counts from the project folder")
    if path.stat().st_size > LARGEST:
        raise ConfigError(f"the table {path} has more than {LARGEST >> 30} GB", "split it, and fetch part by part")
    facts: dict[str, Facts] = {}
    for number, row in enumerate(_rows(path), 2 if path.suffix.lower() in _SEPARATORS else 1):
        where = f"{path}, row {number}"
        name = member_name(_text(row, next((each for each in PATHS if each in row), ""), where).replace("\\", "/"))
        if not name:
            raise ConfigError(f"{where}: no path", f"one column holds the paths: {', '.join(PATHS)}")
        fact = Facts(
            label=_text(row, "label", where), group=_text(row, "group", where), pair=_text(row, "pair", where),
            generator=_text(row, "generator", where),
            licence=_text(row, "licence", where) or _text(row, "license", where), split=_split(row, where),
        )  # fmt: skip
        if facts.setdefault(name, fact) != fact:
            raise ConfigError(f"{where}: {name} stands in the table twice, and the rows differ", "keep one of them")
    _check_pairs(facts, path)
    return facts


def by_member(facts: Mapping[str, Facts], names: Iterable[str]) -> tuple[dict[str, Facts], Sequence[str]]:
    """Return the facts by member, and the paths in the table that are no member.

    A path means the member that it names whole, else the only member that ends with it or that it ends with.
    """
    ends: dict[str, set[str]] = {}
    known = list(names)
    for name in known:
        for end in _ends(name):
            ends.setdefault(end, set()).add(name)
    whole = set(known)
    found: dict[str, Facts] = {}
    lost = []
    for path, fact in facts.items():
        if path in whole:
            found[path] = fact
            continue
        meant = next((ends[end] for end in _ends(path.removeprefix("./")) if end in ends), set())
        if len(meant) == 1:
            found.setdefault(next(iter(meant)), fact)
        else:
            lost.append(path)
    return found, lost


def _ends(path: str) -> Iterator[str]:
    """Yield a path and each of its ends, the longest first."""
    parts = path.split("/")
    for start in range(len(parts)):
        yield "/".join(parts[start:])


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    suffix = path.suffix.lower()
    try:
        if suffix in _SEPARATORS:
            text = io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")
            yield from csv.DictReader(text, delimiter=_SEPARATORS[suffix])
        elif suffix in (".jsonl", ".ndjson"):
            for line in path.read_text(encoding="utf-8-sig").split("\n"):
                if line.strip():
                    yield _object(json_of(line))
        elif suffix == ".parquet":
            yield from need("pyarrow.parquet", "parquet").read_table(path).to_pylist()
        else:
            raise ConfigError(f"{path.name}: a table is .csv, .tsv, .jsonl or .parquet", "save it as one of these")
    except (csv.Error, ValueError, OSError) as error:
        raise ConfigError(
            f"{path} cannot be read as {suffix[1:].upper()}: {error}", "save it again, as UTF-8"
        ) from error


_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def _object(row: Any) -> Mapping[str, Any]:
    if not isinstance(row, dict):
        raise ValueError(f"{str(row)[:40]!r} is no object")
    return row


def _text(row: Mapping[str, Any], column: str, where: str) -> str:
    value = row.get(column)
    if value is None:
        return ""
    if not isinstance(value, str | int):
        raise ConfigError(f"{where}: {column} is {str(value)[:40]!r}, no text", "one text or whole number a cell")
    return str(value).strip()


def _split(row: Mapping[str, Any], where: str) -> str:
    split = _text(row, "split", where)
    if split not in SPLITS:
        raise ConfigError(
            f"{where}: the split {split[:40]!r} is none", f"{' or '.join(SPLITS[1:])}, or take the column split away"
        )
    return split


def _check_pairs(facts: Mapping[str, Facts], path: Path) -> None:
    """Refuse a pair whose pictures stand in different groups: a group must hold its pairs whole."""
    groups: dict[str, str] = {}
    for name, fact in facts.items():
        if fact.pair and groups.setdefault(fact.pair, fact.group) != fact.group:
            raise ConfigError(f"{path}: the pair {fact.pair!r} stands in two groups ({name})", "give it one group")
