"""Duplicates and conflicts as pairs: which of two pictures was kept, why, and how they differ. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.report.dataset.groups import Undone, labels_of
from audit.report.subject import Subject
from curate.dedupe.judge import BYTES, PIXELS
from curate.dedupe.work import CONFLICT, picture_of
from curate.history import normalized
from curate.look.judge import partner_of
from curate.pictures.hashers import to_int
from imageledger.errors import ManifestError
from imageledger.reasons import kinds_of
from imageledger.record import DUPLICATE, OK, Record

SHOWN = 8
"""Pairs that stand on the page: conflicts first, then the copies that are least alike."""

MIRRORED = "mirrored"

NEAR = 12
"""A conflict does not say how its pictures lie on each other: with hashes further apart, one is a part of the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A picture that was set aside, and the one it is a copy of (None where no row has its name)."""

    copy: Record
    other: Record | None
    conflict: bool
    distance: int | None
    why: str

    @property
    def exact(self) -> bool:
        """Whether the two are the same bytes or the same pixels."""
        return self.copy.reason in (BYTES, PIXELS)

    @property
    def part(self) -> bool:
        """Whether one shows a part of the other, so that it must be moved before they can be compared."""
        near = self.conflict and self.distance is not None and self.distance <= NEAR
        return not (self.exact or near or "pHash distance" in self.copy.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """All pairs counted by kind, those to show, and which kinds of copies were looked for among how many pictures."""

    pairs: Sequence[Pair]
    kinds: Sequence[tuple[str, int]]
    counts: Mapping[str, int]
    conflicts: int
    compared: int
    searched: Sequence[str]
    unsearched: Sequence[str]
    undone: Sequence[Undone]

    @property
    def total(self) -> int:
        """How many pictures were set aside as copies."""
        return sum(self.counts.values())

    def data(self) -> Mapping[str, Any]:
        """Return the counts, the kinds looked for, and the pairs that stand on the page."""
        return {
            "duplicates": dict(self.counts), "conflicts": self.conflicts, "compared": self.compared,
            "kinds": dict(self.kinds), "looked for": list(self.searched), "not looked for": list(self.unsearched),
            "pairs": [
                {"set aside": pair.copy.name, "kept": pair.other.name if pair.other else None,
                 "reason": pair.copy.reason, "similarity": pair.copy.similarity, "distance": pair.distance,
                 "why": pair.why}
                for pair in self.pairs
            ],
        }  # fmt: skip


def copies_of(subject: Subject, settings: Mapping[str, Any]) -> Copies:
    """Gather the duplicates and conflicts of the furthest stage; `settings` are those on the card of dedupe."""
    rows = subject.rows
    copies = [record for record in rows if record.status == DUPLICATE]
    conflicts = [record for record in rows if record.reason.startswith(CONFLICT)]
    of = {record.name: partner_of(record, labels_of(subject)) for record in (*copies, *conflicts)}
    partners = set(of.values())
    by_name = {record.name: record for record in rows if record.name in partners}
    doubtful = sorted(copies, key=lambda record: (record.similarity, record.key))
    shown = [*_once(conflicts, of), *doubtful][:SHOWN]
    ready = sum(record.status in (OK, DUPLICATE) or record.reason.startswith(CONFLICT)
                for record in subject.stages.get("dedupe", ()))  # fmt: skip
    counts = Counter(record.label for record in copies)
    undone = [] if "dedupe" in subject.stages else [
        Undone(sentence="Nobody has looked for copies yet.", command="curate dedupe")]  # fmt: skip
    searched, unsearched = looked_for(settings, ready)
    return Copies(
        pairs=[_pair(record, by_name.get(of[record.name])) for record in shown],
        kinds=kinds_of(Counter(record.reason for record in copies)), conflicts=len(conflicts), compared=ready,
        counts={label: counts[label] for label in labels_of(subject)}, searched=searched, unsearched=unsearched,
        undone=undone,
    )  # fmt: skip


def looked_for(settings: Mapping[str, Any], pictures: int) -> tuple[list[str], list[str]]:
    """Say in words which kinds of copies dedupe looked for and which it did not."""
    if "distance" not in settings:
        return [], []
    bits = f"{settings['distance']} of 64 bits"
    searched = [
        "the same bytes or the same pixels",
        f"pictures alike as a whole, also mirrored, whose perceptual hashes differ in at most {bits}",
    ]
    parts, most = "turned, cropped and framed copies", settings.get("most")
    unsearched = ["other photographs of the same person"]
    within = isinstance(most, int) and pictures <= most
    (searched if within else unsearched).append(parts)
    return searched, unsearched


def why_kept(kept: Record, copy: Record) -> str:
    """Say by what dedupe preferred one picture to its copy; "" where the rows do not say it."""
    try:
        ours, theirs = picture_of(kept).rank, picture_of(copy).rank
    except ManifestError:
        return ""
    if ours > theirs:
        return "the other shows a frame or a screen around it" if "in a frame" in copy.reason else ""
    if ours[0] < theirs[0]:
        return f"it is larger: {_size(kept)} instead of {_size(copy)} pixels"
    if ours[1] < theirs[1]:
        return f"it was compressed less: the sum of its JPEG table is {ours[1]:.0f} instead of {theirs[1]:.0f}"
    if ours[2] < theirs[2]:
        return f"it holds more bytes per pixel: {-ours[2]:.2f} instead of {-theirs[2]:.2f}"
    return "both are equally large and good: the digest of its bytes comes first"


def _once(conflicts: Sequence[Record], of: Mapping[str, str]) -> list[Record]:
    """Leave out the second half of each conflict, whose two pictures name each other."""
    seen: set[frozenset[str]] = set()
    kept = []
    for record in conflicts:
        both = frozenset((record.name, of[record.name]))
        if both not in seen:
            kept.append(record)
        seen.add(both)
    return kept


def _pair(copy: Record, other: Record | None) -> Pair:
    conflict = copy.reason.startswith(CONFLICT)
    why = "" if conflict or other is None else why_kept(other, copy)
    return Pair(copy=copy, other=other, conflict=conflict, why=why, distance=_distance(copy, other))


def _distance(copy: Record, other: Record | None) -> int | None:
    try:
        theirs = (normalized(copy).mirrored or "") if MIRRORED in copy.reason else copy.phash
        return (to_int(theirs) ^ to_int(other.phash)).bit_count() if other else None
    except ValueError:
        return None


def _size(record: Record) -> str:
    width, height = normalized(record).size or (0, 0)
    return f"{width} × {height}"
