"""What a person decided about a picture: to give it a new label, to leave it out, or to keep it despite its copies."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from imageledger import manifest
from imageledger.errors import ManifestError
from imageledger.foreign import json_of
from imageledger.record import OK, REJECTED, Record

FILE = "decisions.jsonl"
RELABEL = "label"
LEAVE_OUT = "leave-out"
KEEP = "keep"
KINDS = (RELABEL, LEAVE_OUT, KEEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One line of decisions.jsonl; `label` is set for the decision "label" only."""

    source: str
    member: str
    decision: str
    label: str = ""
    who: str
    why: str

    @property
    def key(self) -> tuple[str, str]:
        """The key of the record that the decision is about."""
        return self.source, self.member


Decisions = Mapping[tuple[str, str], tuple[Decision, ...]]
"""The decisions about each record, by its key, oldest first; later decisions overrule earlier ones."""


def read(path: Path, labels: Collection[str] = ()) -> Decisions:
    """Read a file of decisions; a missing file holds none.

    Raises ManifestError, with the line number, for a line that is not a decision and, where `labels` are given,
    for a label that is not among them.
    """
    if not path.is_file():
        return {}
    made: dict[tuple[str, str], tuple[Decision, ...]] = {}
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), 1):
            if line.strip():
                decision = _decision(line, labels, f"{path}:{number}")
                made[decision.key] = (*made.get(decision.key, ()), decision)
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8: {error}", "save the file as UTF-8") from error
    return made


def digest(path: Path) -> str:
    """Return the digest of the decisions, which whole-set stages add to that of their input; "" without decisions."""
    return f"+{manifest.digest(path)}" if path.is_file() and path.stat().st_size else ""


def apply(record: Record, decisions: Decisions) -> Record:
    """Return the record as decided: relabelled, or set aside if it is `ok` and to be left out."""
    for made in decisions.get(record.key, ()):
        if made.decision == RELABEL:
            record = replace(record, label=made.label)
    fate = _fate(record, decisions)
    if fate is not None and fate.decision == LEAVE_OUT and record.status == OK:
        return record.failed(f"left out by {fate.who}: {fate.why}", REJECTED)
    return record


def keeps(record: Record, decisions: Decisions) -> bool:
    """Tell whether a person decided to keep the record, whatever copies of it there are."""
    fate = _fate(record, decisions)
    return fate is not None and fate.decision == KEEP


def without_row(decisions: Decisions, records: Iterable[Record]) -> list[str]:
    """Return the names in decisions that no record has, sorted; most likely they are misspelled."""
    return sorted("#".join(key) for key in set(decisions) - {record.key for record in records})


def _fate(record: Record, decisions: Decisions) -> Decision | None:
    fates = [made for made in decisions.get(record.key, ()) if made.decision != RELABEL]
    return fates[-1] if fates else None


def _decision(line: str, labels: Collection[str], where: str) -> Decision:
    known = {spec.name for spec in fields(Decision)}
    shape = '{"source": …, "member": …, "decision": "label"|"leave-out"|"keep", "who": …, "why": …}'
    try:
        row: Any = json_of(line)
    except ValueError as error:
        raise ManifestError(f"{where}: not a line of JSON: {error}", f"write {shape}") from error
    if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
        raise ManifestError(f"{where}: a decision is a JSON object of strings", f"write {shape}")
    if unknown := sorted(set(row) - known):
        raise ManifestError(f"{where}: a decision has no field {unknown[0]!r}", f"write {shape}")
    if missing := [name for name in ("source", "member", "decision", "who", "why") if not row.get(name)]:
        raise ManifestError(f"{where}: {', '.join(missing)} is missing", f"write {shape}")
    decision = Decision(**{name: unicodedata.normalize("NFC", value) for name, value in row.items()})
    if decision.decision not in KINDS:
        raise ManifestError(f"{where}: {decision.decision!r} is not a decision", f"one of {', '.join(KINDS)}")
    if (decision.decision == RELABEL) != bool(decision.label):
        raise ManifestError(f"{where}: the decision {RELABEL!r} needs a label, and no other decision takes one")
    if labels and decision.label and decision.label not in labels:
        raise ManifestError(f"{where}: {decision.label!r} is not a label", f"one of {', '.join(labels)}")
    return decision
