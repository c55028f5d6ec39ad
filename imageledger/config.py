"""A project: the folder with an imageledger.toml, what the file declares, and where things lie."""

import json
import os
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from imageledger.errors import BusyError, ConfigError
from imageledger.foreign import toml_of
from imageledger.store import Store

FILE = "imageledger.toml"
MANIFEST_OF = {
    "fetch": "fetched",
    "normalize": "normalized",
    "dedupe": "deduped",
    "whiten": "whitened",
    "manifest": "final",
}
"""The stages, in their usual order, and the name of the manifest each writes."""

OUTPUT = frozenset({"manifests", *(f"data/{name}" for name in
    ("audit", "downloads", "features", "look", "matched", "measured", "objects", "prints", "runs", "stamps")
)})  # fmt: skip
"""The folders that commands write, seen from the project folder: never pictures to fetch."""

EXPORTED = ".imageledger-export"
"""Lies in every folder tree that `curate manifest` exported; only such a tree is replaced."""

TABLES = (*MANIFEST_OF, "train")
"""The tables of settings that imageledger.toml may hold beside [[source]]."""

CORRECT = "correct that setting; imageledger init in an empty folder writes a file with every setting and its default"

KINDS: Mapping[Any, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list", dict: "a table",
}  # fmt: skip
"""What errors call a type of value."""

Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """One [[source]] of the configuration: where images come from and what they are."""

    address: str
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    table: str = ""
    generator: str = ""
    licence: str = ""
    pair: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    limit: int = 0
    follow_links: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The top level of imageledger.toml."""

    dataset: str = "portraits"
    seed: int = 42
    per_class: int = 100
    valid_fraction: float = 0.2
    labels: tuple[str, ...] = ("real", "ai")
    licences: tuple[str, ...] = ()
    order: tuple[str, ...] = tuple(MANIFEST_OF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project folder and what its configuration declares; the positive label is the last one."""

    root: Path
    declared: Declared
    sources: tuple[SourceEntry, ...]
    tables: Mapping[str, Mapping[str, Any]]

    @property
    def dataset(self) -> str:
        """The name of the dataset, which is also the name of its folder under manifests/."""
        return self.declared.dataset

    @property
    def store(self) -> Store:
        """The objects of the project."""
        return Store(self.root / "data" / "objects")

    @property
    def downloads(self) -> Path:
        """Where sealed zips and single downloaded files lie."""
        return self.root / "data" / "downloads"

    @property
    def runs(self) -> Path:
        """Where training runs lie, one folder each."""
        return self.root / "data" / "runs"

    @property
    def folder(self) -> Path:
        """Where the manifests of the dataset lie."""
        return self.root / "manifests" / self.dataset

    def manifest(self, stage: str) -> Path:
        """Return the manifest that a stage writes."""
        return self.folder / f"{MANIFEST_OF[stage]}.jsonl"

    def before(self, stage: str) -> Path:
        """Return the manifest that a stage reads: that of the stage before it in the order."""
        place = self.declared.order.index(stage) if stage in self.declared.order else 0
        if place == 0:
            raise ConfigError(
                f"no stage comes before {stage} in this project's order",
                f"set order in {FILE}, or name the manifest to read with --from",
            )
        return self.manifest(self.declared.order[place - 1])

    @contextmanager
    def lock(self, doing: str) -> Iterator[None]:
        """Keep other processes away from the dataset; raise BusyError, which names the process at work."""
        from filelock import FileLock, Timeout

        self.folder.mkdir(parents=True, exist_ok=True)
        holder = self.folder / ".lock.holder"
        try:
            with FileLock(self.folder / ".lock", timeout=0):
                holder.write_text(f"{doing}, process {os.getpid()}", encoding="utf-8")
                self.store.sweep()
                try:
                    yield
                finally:
                    holder.unlink(missing_ok=True)
        except Timeout as error:
            who = holder.read_text(encoding="utf-8") if holder.is_file() else "another command"
            raise BusyError(
                f"dataset {self.dataset} is in use by {who}",
                "wait until it has finished, then run the same command again",
            ) from error


def find_root(start: Path) -> Path:
    """Find the project folder: the nearest one upwards that holds imageledger.toml, as git does."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    raise ConfigError(
        f"no {FILE} in {start} or any folder above it",
        "imageledger init makes a project here; --project DIR names a project elsewhere",
    )


def open_project(folder: Path | None = None) -> Project:
    """Read the project that a folder (default: the working directory) belongs to."""
    root = find_root((folder or Path.cwd()).resolve())
    path = root / FILE
    try:
        content = toml_of(path.read_bytes())
    except ValueError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", "correct the line named above") from error
    entries = content.pop("source", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError(f"{path}: sources are written as [[source]] tables", CORRECT)
    sources = tuple(settings(SourceEntry, entry, where=f"{path}: [[source]] {n}") for n, entry in enumerate(entries, 1))
    tables = {name: value for name, value in content.items() if isinstance(value, dict)}
    flat = {name: value for name, value in content.items() if name not in tables}
    if unknown := [name for name in tables if name not in TABLES]:
        raise ConfigError(f"{path}: unknown table [{unknown[0]}]", f"known here: {', '.join(TABLES)}, and [[source]]")
    declared = settings(Declared, flat, where=str(path))
    _check(declared, path)
    return Project(root=root, declared=declared, sources=sources, tables=tables)


def settings(
    kind: type[Settings], table: Mapping[str, Any], overrides: Mapping[str, Any] | None = None, where: str = FILE
) -> Settings:
    """Fill a settings dataclass from a TOML table; options that are not None override it.

    Raises ConfigError for an unknown key, with the known ones, and for a value of the wrong type.
    """
    hints = get_type_hints(kind)
    names = [spec.name for spec in fields(kind)]  # type: ignore[arg-type]
    values = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in names:
            raise ConfigError(f"{where}: unknown setting {key!r}", f"known here: {', '.join(names)}")
        values[name] = _fitting(value, hints[name], f"{where}: {key}")
    values.update({name: value for name, value in (overrides or {}).items() if value is not None})
    required = [s.name for s in fields(kind) if s.default is MISSING and s.default_factory is MISSING]  # type: ignore[arg-type]
    if missing := [name for name in required if name not in values]:
        raise ConfigError(f"{where}: {', '.join(missing)} is missing", f"add it there: {missing[0]} = …")
    return kind(**values)


def _fitting(value: Any, hint: Any, where: str) -> Any:
    if isinstance(hint, types.UnionType):
        for choice in get_args(hint):
            try:
                return _fitting(value, choice, where)
            except ConfigError:
                continue
        kinds = " or ".join(KINDS[choice] for choice in get_args(hint) if choice in KINDS) or str(hint)
        raise ConfigError(f"{where} must be {kinds}, not {_shown(value)}", CORRECT)
    if isinstance(value, int) and abs(value) >= 1 << 63:
        raise ConfigError(f"{where}: {str(value)[:20]}… is larger than any number of TOML", CORRECT)
    wanted = getattr(hint, "__origin__", hint)
    if wanted is tuple and isinstance(value, list):
        return tuple(_fitting(item, get_args(hint)[0], where) for item in value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wanted = dict if wanted is Mapping else wanted
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise ConfigError(f"{where} must be {KINDS.get(wanted, wanted)}, not {_shown(value)}", CORRECT)
    return value


def _shown(value: Any) -> str:
    return json.dumps(value, default=str)[:100]


def _check(declared: Declared, path: Path) -> None:
    if len(declared.labels) != 2 or len(set(declared.labels)) != 2:
        raise ConfigError(
            f"{path}: labels must be two different names, the positive class last", 'labels = ["real", "ai"]'
        )
    for name in (declared.dataset, *declared.labels):
        if not name.isprintable() or not name or name.startswith(".") or set(name) & set('/\\:*?"<>|'):
            raise ConfigError(
                f"{path}: {name!r} cannot name a folder"[:300], "letters, digits, - and _ make good names"
            )
    if unknown := [stage for stage in declared.order if stage not in MANIFEST_OF]:
        raise ConfigError(f"{path}: unknown stage {unknown[0]!r} in order", f"known: {', '.join(MANIFEST_OF)}")
    if declared.order[:1] != ("fetch",) or len(set(declared.order)) != len(declared.order):
        raise ConfigError(
            f"{path}: order must begin with fetch and name no stage twice", f"such as {list(MANIFEST_OF)}"
        )
    if not 0 < declared.valid_fraction < 1 or declared.per_class < 1:
        raise ConfigError(
            f"{path}: valid_fraction must lie between 0 and 1, and per_class must be at least 1",
            "per_class = 100 and valid_fraction = 0.2 are the defaults",
        )
