"""One image and where it came from: the frozen row that every stage reads and writes."""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import Any, Self

from imageledger.errors import ManifestError

OK = "ok"
DUPLICATE = "duplicate"
UNREADABLE = "unreadable"
REJECTED = "rejected"
UNUSED = "unused"
STATUSES = (OK, DUPLICATE, UNREADABLE, REJECTED, UNUSED)
SPLITS = ("", "train", "valid")

SHOWN = 200
"""Letters of a value that an error names."""

OBJECT_NAME = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,8}")
"""What an object may be called. Manifests may come from strangers, and names become paths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one stage did to one image: stage and version, the object it read, its settings, and what it noted."""

    did: str
    on: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One image. Fields are described in docs/architecture.md; (source, member) is the key."""

    source: str
    member: str
    origin: str = ""
    file: str = ""
    label: str
    generator: str = ""
    licence: str = "unknown"
    group: str = ""
    pair: str = ""
    split: str = ""
    width: int = 0
    height: int = 0
    phash: str = ""
    matte: str = ""
    status: str = OK
    reason: str = ""
    duplicate_of: str = ""
    similarity: float = 0.0
    steps: tuple[Step, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Where the image came from: unique within a manifest, and its order."""
        return self.source, self.member

    @property
    def name(self) -> str:
        """The key as one string, as `duplicate_of` and tables write it."""
        return f"{self.source}#{self.member}"

    def after(self, step: Step, **changes: Any) -> Self:
        """Return this record with one more step and with some fields changed."""
        return replace(self, steps=(*self.steps, step), **changes)

    def failed(self, reason: str, status: str = UNREADABLE, step: Step | None = None) -> Self:
        """Return this record set aside, with the reason."""
        steps = (*self.steps, step) if step else self.steps
        return replace(self, status=status, reason=reason, steps=steps)

    def found(self, stage: str) -> Mapping[str, Any]:
        """Return what a stage noted in its last step; an empty mapping when there is no step of that stage."""
        for step in reversed(self.steps):
            if step.did.partition("@")[0] == stage:
                return step.found
        return {}

    def stated(self, stage: str) -> Mapping[str, Any]:
        """Return the settings of a stage's last step; an empty mapping when there is no step of that stage."""
        for step in reversed(self.steps):
            if step.did.partition("@")[0] == stage:
                return step.settings
        return {}

    def to_line(self) -> str:
        """Write the record as one line of JSON: keys in declaration order, defaults left out, NFC."""
        row = _plain(self, _RECORD_FIELDS)
        if self.steps:
            row["steps"] = [_plain(step, _STEP_FIELDS) for step in self.steps]
        text = _dumped(row)
        return text if unicodedata.is_normalized("NFC", text) else _dumped(_composed(row))

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read one line of JSON; raise ManifestError for anything that a record cannot hold."""
        try:
            row = _DECODER.decode(line)
            if "\\u" in line:
                _dumped(row).encode()  # a lone surrogate could be read, but never written again
        except (ValueError, RecursionError) as error:
            raise ManifestError(f"not a line of JSON: {error}") from error
        values = _checked(row, _RECORD_FIELDS, "record")
        if "steps" in values:
            values["steps"] = tuple(Step(**_checked(step, _STEP_FIELDS, "step")) for step in values["steps"])
        record = cls(**values)
        _refuse_strange(record)
        return record


_RECORD_FIELDS = fields(Record)
_STEP_FIELDS = fields(Step)
_JSON_TYPES: Mapping[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float)}


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is not a number that JSON can hold")
    return number


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def _dumped(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _composed(value: Any) -> Any:
    """Bring every text to NFC before it is escaped: an escape such as \\n must not merge with a mark after it."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        return {_composed(key): _composed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_composed(item) for item in value]
    return value


def _default(spec: Field[Any]) -> Any:
    return spec.default_factory() if spec.default_factory is not MISSING else spec.default


def _plain(value: Record | Step, specs: tuple[Field[Any], ...]) -> dict[str, Any]:
    pairs = ((spec, getattr(value, spec.name)) for spec in specs)
    return {spec.name: item for spec, item in pairs if item != _default(spec)}


def _checked(row: Any, specs: tuple[Field[Any], ...], what: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ManifestError(f"a {what} must be a JSON object, not {type(row).__name__}")
    known = {spec.name: spec for spec in specs}
    for name, value in row.items():
        if name not in known:
            raise ManifestError(
                f"a {what} has no field {name!r}",
                "if a newer version of imageledger wrote this manifest, install that version",
            )
        wanted = _JSON_TYPES.get(known[name].type, (list,) if name == "steps" else (dict,))
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise ManifestError(f"{name!r} must be {wanted[0].__name__}, not {value!r}"[:SHOWN])
    missing = [name for name, spec in known.items() if _default(spec) is MISSING and name not in row]
    if missing:
        raise ManifestError(f"a {what} lacks {', '.join(missing)}")
    return dict(row)


def _refuse_strange(record: Record) -> None:
    if not unicodedata.is_normalized("NFC", record.name):
        raise ManifestError(f"the key {record.name!r} is not in Unicode's composed form (NFC)")
    for name in (record.origin, record.file, record.matte):
        if name and not OBJECT_NAME.fullmatch(name):
            raise ManifestError(f"{name!r} is not the name of an object")
    if record.status not in STATUSES:
        raise ManifestError(f"{record.status!r} is not a status", f"one of {', '.join(STATUSES)}")
    if record.split not in SPLITS:
        raise ManifestError(f"{record.split!r} is not a split", "train or valid")


def groups_of(records: Iterable[Record]) -> list[str]:
    """Return for each record the name that keeps it in a fold with others: its group, its original or its own name."""
    return [record.group or record.duplicate_of or record.name for record in records]
