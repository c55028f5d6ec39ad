"""Which decisions hold, and what they make of a record. Pure."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from imageledger.decisions.decision import (
    BAD_MATTE,
    KEEP,
    LEAVE_OUT,
    OF_MATTES,
    OF_PAIRS,
    OF_PICTURES,
    RELABEL,
    SAME_PERSON,
    UNDO,
    UNSURE,
    Decision,
    Key,
    Subject,
)
from imageledger.record import OK, REJECTED, Record

APPLIES: Mapping[str, tuple[str, ...]] = {
    "normalize": (KEEP,),
    "dedupe": (*OF_PICTURES, *OF_PAIRS),
    "whiten": (BAD_MATTE, KEEP),
    "manifest": (*OF_PICTURES, SAME_PERSON),
}
"""The kinds of decision that each stage applies; its manifest depends on these and on no others."""

DESPITE = ("normalize", "whiten")
"""Stages that set pictures aside, and heed a "keep" only where it says despite which reason."""

_DIGEST = re.compile(r"\+decisions:[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, eq=False)
class Decisions(Mapping[Key, tuple[Decision, ...]]):
    """The decisions that hold: as a mapping, those about each picture, by its key, the oldest first.

    `all` are these and those about mattes and pairs, in the order in which they were made.
    """

    all: Sequence[Decision] = ()
    pictures: Mapping[Key, tuple[Decision, ...]] = field(default_factory=dict)

    def __getitem__(self, key: Key) -> tuple[Decision, ...]:
        return self.pictures[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.pictures)

    def __len__(self) -> int:
        return len(self.pictures)


def standing(lines: Sequence[Decision]) -> Decisions:
    """Return the decisions that nobody has taken back; an undo takes back the last line above it that it names."""
    cancelled: Counter[str] = Counter()
    held: list[Decision] = []
    for made in reversed(lines):
        if cancelled[made.digest]:
            cancelled[made.digest] -= 1
        elif made.decision == UNDO:
            cancelled[made.undoes] += 1
        else:
            held.append(made)
    held.reverse()
    pictures: dict[Key, tuple[Decision, ...]] = {}
    for made in held:
        if made.decision in OF_PICTURES:
            pictures[made.key] = (*pictures.get(made.key, ()), made)
    return Decisions(held, pictures)


def fate(record: Record, decided: Mapping[Key, tuple[Decision, ...]]) -> Decision | None:
    """Return the decision about a picture that holds: the last one about these bytes."""
    made = [each for each in decided.get(record.key, ()) if _same(each.origin, record.origin)]
    return made[-1] if made else None


def apply(record: Record, decided: Mapping[Key, tuple[Decision, ...]]) -> Record:
    """Return the record as decided: relabelled, or set aside if it is `ok` and to be left out."""
    made = fate(record, decided)
    if made is not None and made.decision == RELABEL:
        return replace(record, label=made.label)
    if made is not None and made.decision == LEAVE_OUT and record.status == OK:
        return record.failed(f"left out by {made.who}: {made.why}", REJECTED)
    return record


def keeps(record: Record, decided: Mapping[Key, tuple[Decision, ...]]) -> bool:
    """Tell whether a person decided to keep the record, whatever copies of it there are."""
    made = fate(record, decided)
    return made is not None and made.decision == KEEP


def mattes_of(decided: Decisions) -> dict[Key, tuple[Decision, ...]]:
    """Return the decisions about mattes, by the key of the record."""
    found: dict[Key, tuple[Decision, ...]] = {}
    for made in decided.all:
        if made.decision in OF_MATTES:
            found[made.key] = (*found.get(made.key, ()), made)
    return found


def pairs_of(decided: Decisions, origins: Mapping[Key, str]) -> dict[frozenset[Key], Decision]:
    """Return the last decision about each pair of pictures; `origins` are the bytes of those that are there."""
    found = {}
    for made in decided.all:
        kind, keys = made.subject
        if kind == "pair" and keys <= origins.keys() and _same_pair(made, origins):
            found[keys] = made
    return found


@dataclass(frozen=True, slots=True)
class Persons:
    """The groups that "same person" makes: names that have become another one, and rows that had none."""

    renamed: Mapping[str, str]
    bare: Mapping[Key, str]

    def group_of(self, record: Record) -> str:
        """Return the group of a record, which may be a new one."""
        return self.bare.get(record.key) or self.renamed.get(record.group, record.group)


def persons_of(decided: Decisions, records: Mapping[Key, Record]) -> Persons:
    """Put the groups of pictures of one person together; `records` are at least those that decisions are about."""
    chosen = pairs_of(decided, {key: row.origin for key, row in records.items()})
    together = [sorted(keys) for keys, made in chosen.items() if made.decision == SAME_PERSON]
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while name in above:
            name = above[name]
        return name

    named = {key: records[key].group or _name_of(records[key]) for keys in together for key in keys}
    for one, other in together:
        first, second = sorted((top(named[one]), top(named[other])))
        if first != second:
            above[second] = first
    return Persons({name: top(name) for name in above}, {key: top(named[key]) for key in named})


def concerned(decided: Decisions, records: Iterable[Record]) -> dict[Key, Record]:
    """Return the records that decisions are about."""
    keys = {key for made in decided.all for key in made.subject[1]}
    return {record.key: record for record in records if record.key in keys}


def digest(decided: Decisions, stage: str) -> str:
    """Return the digest of the decisions that a stage applies, which it adds to that of its input; "" without any."""
    found = "\n".join(made.to_line() for made in decided.all if _concerns(made, stage))
    return f"+decisions:{hashlib.sha256(found.encode()).hexdigest()[:16]}" if found else ""


def digest_on(card_input: str) -> str:
    """Return the digest of decisions in the input that a card states; "" where there is none."""
    found = _DIGEST.search(card_input)
    return found.group() if found else ""


def without_row(decided: Decisions, records: Iterable[Record]) -> list[str]:
    """Return the names in decisions that no record has, sorted; most likely they are misspelled."""
    named = {key for made in decided.all for key in made.subject[1]}
    return sorted("#".join(key) for key in named - {record.key for record in records})


def applied_to(made: Decision, records: Mapping[Key, Record]) -> bool:
    """Tell whether a decision is about the bytes that its records have now; False where a record is not there."""
    if not made.subject[1] <= records.keys():
        return False
    if made.subject[0] == "pair":
        return _same_pair(made, {key: records[key].origin for key in made.subject[1]})
    return _same(made.origin, records[made.key].origin)


def not_applied(decided: Decisions, records: Mapping[Key, Record]) -> list[str]:
    """Say which decisions are about bytes that have changed since, a sentence each."""
    return [
        f"Not applied: {made.who} decided {made.words!r} about {'#'.join(made.key)}, whose bytes have changed since"
        for made in decided.all
        if made.subject[1] <= records.keys() and not applied_to(made, records)
    ]


def disputed(decided: Decisions) -> dict[Subject, tuple[Decision, ...]]:
    """Return the decisions about each picture or pair on which people differ: the last word of each of them."""
    said: dict[Subject, dict[str, Decision]] = defaultdict(dict)
    for made in decided.all:
        said[made.subject].pop(made.who, None)
        if made.decision != UNSURE and made.decision not in OF_MATTES:
            said[made.subject][made.who] = made
    return {
        subject: tuple(words.values())
        for subject, words in said.items()
        if len({made.words for made in words.values()}) > 1
    }


def _concerns(made: Decision, stage: str) -> bool:
    if made.decision not in APPLIES.get(stage, ()):
        return False
    return made.decision != KEEP or stage not in DESPITE or bool(made.despite)


def _same(seen: str, now: str) -> bool:
    return not seen or not now or seen == now


def _same_pair(made: Decision, origins: Mapping[Key, str]) -> bool:
    return _same(made.origin, origins[made.key]) and _same(made.other_origin, origins[made.other])


def _name_of(record: Record) -> str:
    return f"person:{record.origin[:12] or hashlib.sha256(record.name.encode()).hexdigest()[:12]}"
