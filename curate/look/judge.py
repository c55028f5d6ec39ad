"""Which pictures stand on a sheet, and in which order: records in, sections out. Pure; holds those shown alone."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from curate.faces.words import by_matte
from curate.history import found_face_of, normalized, whitened
from imageledger.record import DUPLICATE, OK, STATUSES, Record

Item = TypeVar("Item")

MEMBER, SIZE, FACE, MATTE, SIMILARITY = "member", "size", "face", "matte", "similarity"
SORTS = (MEMBER, SIZE, FACE, MATTE, SIMILARITY)
"""What pictures are sorted by: all of it stands in the manifest, so that no picture is opened for it."""

CONFLICT = "conflict: the same picture is labelled "


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Some pictures under one line: those shown, and out of how many they were taken."""

    title: str
    records: tuple[Record, ...]
    of: int

    @property
    def words(self) -> str:
        """The title with the counts: "real, ok: 12 of 95"."""
        shown = len(self.records)
        return f"{self.title}: {shown} of {self.of}" if shown < self.of else f"{self.title}: {self.of}"


def of_interest(records: Iterable[Record], status: str | None, label: str | None) -> Iterator[Record]:
    """Hand on the records of one status and one label, where these are asked for."""
    return (
        record
        for record in records
        if (status is None or record.status == status) and (label is None or record.label == label)
    )


def counted(records: Iterable[Record]) -> Mapping[str, Mapping[str, int]]:
    """Count records by label and status."""
    counts: dict[str, Counter[str]] = {}
    for record in records:
        counts.setdefault(record.label, Counter())[record.status] += 1
    return counts


def spread(records: Iterable[Record], most: int) -> list[Section]:
    """Take an even sample of every label and status, `most` records in all; small groups are shown whole.

    Where there are more groups than `most`, each of the first ones has one.
    """
    groups: dict[tuple[str, str], Sample[Record]] = {}
    for record in records:
        groups.setdefault((record.label, record.status), Sample(most)).add(record)
    named = sorted(groups, key=lambda group: (group[0], STATUSES.index(group[1])))
    rooms = shares([groups[name].seen for name in named], most)
    return [
        Section(title=", ".join(name), records=tuple(groups[name].some(room)), of=groups[name].seen)
        for name, room in zip(named, rooms, strict=True)
        if room
    ]


def ordered(records: Iterable[Record], sort: str, most: int, *, reverse: bool = False) -> list[Section]:
    """Take the first `most` records in an order: smallest value first, or largest; those without one come last."""
    seen = Counter[bool]()

    def rank(record: Record) -> tuple[bool, float, tuple[str, str]]:
        value = value_of(record, sort)
        seen[value is None] += 1
        return value is None, (-1 if reverse else 1) * (value or 0.0), record.key

    if sort == MEMBER:
        chosen, total = _by_key(records, most, reverse)
    else:
        chosen = heapq.nsmallest(most, records, key=rank)
        total = seen.total()
    without = f" ({seen[True]} without {VALUES[sort].what} come last)" if seen[True] else ""
    end = VALUES[sort].largest if reverse else VALUES[sort].smallest
    return [Section(title=f"{end}{without}", records=tuple(chosen), of=total)] if chosen else []


def worst_mattes(records: Iterable[Record], most: int) -> list[Section]:
    """Choose for each label the mattes that were refused, and of those that stayed the ones of least contrast.

    `most` records in all, shared out between these kinds.
    """
    refused: dict[str, Sample[Record]] = {}
    stayed: dict[str, Worst] = {}
    for record in records:
        if record.matte and by_matte(record):
            refused.setdefault(record.label, Sample(most)).add(record)
        elif record.matte and record.status == OK:
            stayed.setdefault(record.label, Worst(most)).add(record)
    kinds: list[tuple[str, Sample[Record] | Worst]] = []
    for label in sorted({*refused, *stayed}):
        kinds += [(f"{label}, refused", refused[label])] if label in refused else []
        kinds += [(f"{label}, kept, the least contrast at the edge", stayed[label])] if label in stayed else []
    rooms = shares([kind.seen for _, kind in kinds], most)
    return [
        Section(title=title, records=tuple(kind.some(room)), of=kind.seen)
        for (title, kind), room in zip(kinds, rooms, strict=True)
        if room
    ]


def copies(records: Iterable[Record], labels: Sequence[str]) -> Iterator[Record]:
    """Hand on the records that are a copy of another one: duplicates, and one of two with different labels."""
    partners = ((record, partner_of(record, labels)) for record in records)
    return (record for record, other in partners if other and (record.status == DUPLICATE or record.name < other))


def partner_of(record: Record, labels: Sequence[str]) -> str:
    """Return the name of the record that a copy is a copy of; "" for a record that is none."""
    if record.status == DUPLICATE:
        return record.duplicate_of
    heads = (f"{CONFLICT}{label} as " for label in labels)
    return next((record.reason.removeprefix(head) for head in heads if record.reason.startswith(head)), "")


def value_of(record: Record, sort: str) -> float | None:
    """Return the number that a record is sorted by; None where it has none."""
    return VALUES[sort].of(record)


def value_in_words(record: Record, sort: str) -> str:
    """Return the number that a record is sorted by, with its unit, or that there is none."""
    value = value_of(record, sort)
    return f"no {VALUES[sort].what}" if value is None else VALUES[sort].words.format(value)


def shares(sizes: Sequence[int], most: int) -> list[int]:
    """Share `most` places out between groups, as equally as their sizes allow.

    >>> shares([95, 3, 95, 1], 24)
    [10, 3, 10, 1]
    """
    rooms, left = [0] * len(sizes), most
    order = sorted(range(len(sizes)), key=lambda place: sizes[place])
    for done, place in enumerate(order):
        rooms[place] = min(sizes[place], -(-left // (len(order) - done)))
        left -= rooms[place]
    return rooms


class Sample(Generic[Item]):
    """An even sample of what streams past: every one at first, then every second, fourth, …; at most 2 × `most`."""

    def __init__(self, most: int) -> None:
        self.most, self.seen = most, 0
        self._kept: list[Item] = []
        self._stride = 1

    def add(self, item: Item) -> None:
        """See one more."""
        if self.seen % self._stride == 0:
            if len(self._kept) == 2 * self.most:
                self._kept = self._kept[::2]
                self._stride *= 2
            if self.seen % self._stride == 0:
                self._kept.append(item)
        self.seen += 1

    def some(self, count: int) -> list[Item]:
        """Return `count` of what was seen, evenly spread, in the order in which they came."""
        kept = len(self._kept)
        return [self._kept[place * kept // count] for place in range(min(count, kept))]


class Worst:
    """The records of least contrast at the edge of their matte, of all that stream past."""

    def __init__(self, most: int) -> None:
        self.most, self.seen = most, 0
        self._kept: list[Record] = []

    def add(self, record: Record) -> None:
        """See one more."""
        self.seen += 1
        self._kept.append(record)
        if len(self._kept) > 2 * self.most:
            self._kept = self.some(self.most)

    def some(self, count: int) -> list[Record]:
        """Return the `count` worst; a matte without an edge has nothing against it, and comes last."""
        values = [(value_of(record, MATTE), record) for record in self._kept]
        values.sort(key=lambda pair: (pair[0] is None, pair[0] or 0.0, pair[1].key))
        return [record for _, record in values[:count]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number that records are sorted by: how it is read and written, and what its ends are called."""

    what: str
    of: Callable[[Record], float | None]
    words: str
    smallest: str
    largest: str


def _side(record: Record) -> float | None:
    return float(min(normalized(record).size or (record.width, record.height))) or None


def _face(record: Record) -> float | None:
    face = found_face_of(record)
    return float(face.side) if face else None


VALUES: Mapping[str, Value] = {
    MEMBER: Value(what="name", of=lambda record: None, words="", smallest="By name", largest="By name, from the end"),
    SIZE: Value(what="known size", of=_side, words="shorter side {:.0f} px as fetched",
                smallest="The smallest originals first", largest="The largest originals first"),
    FACE: Value(what="known face", of=_face, words="face of {:.0f} px",
                smallest="The smallest faces first", largest="The largest faces first"),
    MATTE: Value(what="judged matte", of=lambda record: whitened(record).contrast, words="contrast at the edge {:.1f}",
                 smallest="The least contrast at the edge first", largest="The most contrast at the edge first"),
    SIMILARITY: Value(what="similarity", of=lambda record: record.similarity or None, words="similarity {:.2f}",
                      smallest="The least similar first", largest="The most similar first"),
}  # fmt: skip


def _by_key(records: Iterable[Record], most: int, reverse: bool) -> tuple[list[Record], int]:
    total = 0

    def rank(record: Record) -> tuple[str, str]:
        nonlocal total
        total += 1
        return record.key

    return (heapq.nlargest if reverse else heapq.nsmallest)(most, records, key=rank), total
