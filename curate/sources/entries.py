"""The [[source]] entries of imageledger.toml: looked up by address, made from options, written with comments kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomlkit

from curate.sources import holds_a_path
from curate.sources.choose import parse_labels
from imageledger.config import FILE, Project, SourceEntry
from imageledger.errors import ConfigError, SourceError
from imageledger.store import write_whole

WRITTEN = (
    "address", "label", "labels", "table", "generator", "licence", "include", "exclude", "limit", "follow_links",
)  # fmt: skip
"""The fields of an entry that `curate fetch` writes; the others belong to the person who keeps the file."""


def base(address: str) -> str:
    """Return an address without its version; two entries with the same base are the same source."""
    scheme, _, rest = address.partition(":")
    return f"{scheme}:{rest.partition('@')[0]}" if scheme == "kaggle" else address


def located(address: str, project: Project, folder: Path) -> str:
    """Return the address of a path that was named in `folder`; inside the project, the path is relative to it."""
    scheme, _, rest = address.partition(":")
    if not holds_a_path(address):
        return address
    if not rest:
        raise SourceError(f"{address!r} names no path", f"such as {scheme}:pictures")
    path = (folder / Path(rest).expanduser()).resolve()
    inside = path.is_relative_to(project.root) and path != project.root
    return f"{scheme}:{path.relative_to(project.root).as_posix() if inside else path.as_posix()}"


def parse_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `curate fetch` as `named` takes them; raise ConfigError for both --label and --labels."""
    if options.get("label") and options.get("labels"):
        raise ConfigError(
            "--label and --labels exclude each other", "give --label for one label, or --labels for a table of them"
        )
    table = Path(options["table"]).expanduser().resolve() if options.get("table") else None
    return {**options, "table": table, "labels": parse_labels(options["labels"]) if options.get("labels") else None}


def named(
    address: str,
    project: Project,
    *,
    label: str | None = None,
    labels: Mapping[str, str] | None = None,
    table: Path | None = None,
    limit: int | None = None,
    follow_links: bool | None = None,
    **others: Any,
) -> SourceEntry:
    """Return the entry of a source named on the command line: as declared before, changed by the options.

    An address without a version keeps the version that is declared. `others` are fields of the entry; those that are
    empty or None change nothing.
    """
    declared = next((entry for entry in project.sources if base(entry.address) == base(address)), None)
    entry = declared or SourceEntry(address=address)
    if address != base(address):
        entry = replace(entry, address=address)
    if label:
        entry = replace(entry, label=label, labels={})
    if labels:
        entry = replace(entry, label="", labels=labels)
    if table:
        inside = table.is_relative_to(project.root)
        entry = replace(entry, table=(table.relative_to(project.root) if inside else table).as_posix())
    kept = {"limit": limit, "follow_links": follow_links} | {name: value or None for name, value in others.items()}
    return replace(entry, **{name: value for name, value in kept.items() if value is not None})


def write(project: Project, entries: Sequence[SourceEntry]) -> None:
    """Put entries into imageledger.toml: update a known source, append a new one."""
    path = project.root / FILE
    before = path.read_bytes().decode("utf-8-sig")
    document = tomlkit.parse(before)
    for entry in entries:
        _put(document, entry)
    after = tomlkit.dumps(document)
    if after != before:
        write_whole(path, after.encode(), mode=path.stat().st_mode & 0o777)


def _put(document: tomlkit.TOMLDocument, entry: SourceEntry) -> None:
    listed = document.get("source")
    if listed is None:
        document.add(tomlkit.nl())
        listed = document.setdefault("source", tomlkit.aot())
    table = next((known for known in listed if base(str(known.get("address", ""))) == base(entry.address)), None)
    if table is None:
        table = tomlkit.table() if isinstance(listed, tomlkit.items.AoT) else tomlkit.inline_table()
        _fill(table, entry)
        listed.append(table)
    else:
        _fill(table, entry)


def _fill(table: Any, entry: SourceEntry) -> None:
    for name in WRITTEN:
        value = getattr(entry, name)
        value = list(value) if isinstance(value, tuple) else value
        if not value:
            table.pop(name, None)
        elif name == "labels":
            if dict(table.get(name, {})) != dict(value):
                inline = tomlkit.inline_table()
                inline.update(value)
                table[name] = inline
        elif table.get(name) != value:
            table[name] = value


def check(entries: Sequence[SourceEntry], project: Project) -> None:
    """Raise ConfigError for a source declared twice, or a label that the project does not have."""
    seen: set[str] = set()
    for entry in entries:
        if entry.address in seen:
            raise ConfigError(f"{entry.address} is declared twice", "one [[source]] can hold several labels")
        seen.add(entry.address)
        if entry.label and entry.labels:
            raise ConfigError(f"{entry.address} has both label and labels", "keep one of them")
        for label in (entry.label, *entry.labels.values()):
            if label and label not in project.declared.labels:
                raise ConfigError(
                    f"{entry.address}: {label!r} is not a label of this project",
                    f"use {' or '.join(project.declared.labels)}, or change labels in {FILE}",
                )
