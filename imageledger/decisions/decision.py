"""One line of decisions.jsonl: what a person decided, about which bytes, who, and why. Pure."""

import hashlib
import json
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from imageledger.errors import ManifestError
from imageledger.foreign import json_of
from imageledger.record import OBJECT_NAME

FILE = "decisions.jsonl"

RELABEL, LEAVE_OUT, KEEP, UNSURE = "label", "leave-out", "keep", "unsure"
OF_PICTURES = (KEEP, RELABEL, LEAVE_OUT, UNSURE)
"""Decisions about a picture: the last of them holds. `unsure` leaves everything as the program has it."""

BAD_MATTE = "bad-matte"
OF_MATTES = (BAD_MATTE,)
"""Decisions about the matte of a picture: each refuses one, and the next backend is tried."""

NOT_DUPLICATE, PAIR, SAME_PERSON = "not-duplicate", "pair", "same-person"
OF_PAIRS = (NOT_DUPLICATE, PAIR, SAME_PERSON)
"""Decisions about two pictures: two pictures, one picture, or two pictures of one person. The last of them holds."""

UNDO = "undo"
KINDS = (*OF_PICTURES, *OF_MATTES, *OF_PAIRS, UNDO)

Key = tuple[str, str]
Subject = tuple[str, frozenset[Key]]
"""What a decision is about: "picture", "matte" or "pair", and the key or keys of the records."""

SHAPE = '{"source": …, "member": …, "decision": …, "who": …, "why": …}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One line of decisions.jsonl.

    `label` is that of the decision "label". `other_source` and `other_member` are the second picture of a decision
    about a pair. `origin`, `other_origin` and `matte` name the objects that the person saw: a decision about bytes that
    have changed is not applied. `despite` is the reason for which a stage had set aside a picture that a person keeps.
    `undoes` is the digest of the line that an "undo" takes back.
    """

    source: str
    member: str
    decision: str
    label: str = ""
    other_source: str = ""
    other_member: str = ""
    origin: str = ""
    other_origin: str = ""
    matte: str = ""
    despite: str = ""
    undoes: str = ""
    who: str
    why: str

    @property
    def key(self) -> Key:
        """The key of the record that the decision is about."""
        return self.source, self.member

    @property
    def other(self) -> Key:
        """The key of the second record of a pair."""
        return self.other_source, self.other_member

    @property
    def subject(self) -> Subject:
        """What the decision is about; decisions about the same subject overrule one another."""
        if self.decision in OF_PAIRS:
            return "pair", frozenset((self.key, self.other))
        return "matte" if self.decision in OF_MATTES else "picture", frozenset((self.key,))

    @property
    def digest(self) -> str:
        """The name by which an "undo" calls this line: 16 hex digits of what it says."""
        return hashlib.sha256(self.to_line().encode()).hexdigest()[:16]

    @property
    def words(self) -> str:
        """What was decided, in a few words: "label ai", "not-duplicate"."""
        return f"{self.decision} {self.label}".rstrip()

    def to_line(self) -> str:
        """Write the decision as one line of JSON: keys in declaration order, empty ones left out."""
        row = {spec.name: getattr(self, spec.name) for spec in fields(self)}
        return json.dumps({name: value for name, value in row.items() if value}, ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str, where: str, labels: Collection[str] = ()) -> "Decision":
        """Read one line; raise ManifestError, which names the place `where`, for what is not a decision."""
        try:
            row: Any = json_of(line)
        except ValueError as error:
            raise ManifestError(f"{where}: not a line of JSON: {error}", f"write {SHAPE}") from error
        if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
            raise ManifestError(f"{where}: a decision is a JSON object of strings", f"write {SHAPE}")
        if unknown := sorted(set(row) - {spec.name for spec in fields(cls)}):
            raise ManifestError(f"{where}: a decision has no field {unknown[0]!r}", f"write {SHAPE}")
        if missing := [name for name in ("source", "member", "decision", "who", "why") if not row.get(name)]:
            raise ManifestError(f"{where}: {', '.join(missing)} is missing", f"write {SHAPE}")
        decision = cls(**{name: unicodedata.normalize("NFC", value) for name, value in row.items()})
        if why := decision.fault(labels):
            raise ManifestError(f"{where}: {why[0]}", why[1])
        return decision

    def fault(self, labels: Collection[str] = ()) -> tuple[str, str] | None:
        """Say what is wrong with the decision and what would be right, or return None."""
        pairs = ", ".join(map(repr, OF_PAIRS))
        if self.decision not in KINDS:
            return f"{self.decision!r} is not a decision", f"one of {', '.join(KINDS)}"
        if (self.decision == RELABEL) != bool(self.label):
            return f"the decision {RELABEL!r} needs a label, and no other decision takes one", f"write {SHAPE}"
        if labels and self.label and self.label not in labels:
            return f"{self.label!r} is not a label", f"one of {', '.join(labels)}"
        if (self.decision in OF_PAIRS) != bool(self.other_source and self.other_member):
            return f"other_source and other_member belong to {pairs}, and only to them", f"write {SHAPE}"
        if self.decision in OF_PAIRS and self.key == self.other:
            return f"the decision {self.decision!r} is about two pictures, not one", "name the other one"
        if self.despite and self.decision != KEEP:
            return f"despite belongs to the decision {KEEP!r}", f"write {SHAPE}"
        if (self.decision == UNDO) != bool(self.undoes):
            return f"the decision {UNDO!r} names in undoes what it takes back, and no other does", f"write {SHAPE}"
        for name in filter(None, (self.origin, self.other_origin, self.matte)):
            if not OBJECT_NAME.fullmatch(name):
                return f"{name[:80]!r} is not the name of an object", "leave it out, or copy it from a manifest"
        return None
