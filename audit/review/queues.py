"""The queues of the desk: which pictures are worth a look, and why each is in a queue. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from audit.review.subject import Subject
from curate.faces.words import by_matte, for_want_of_a_face
from curate.history import normalized, whitened
from imageledger import decisions
from imageledger.decisions import Decisions
from imageledger.record import DUPLICATE, OK, REJECTED, Record
from imageledger.types import Key

MOST_MATTES = 200
UNKNOWN = 100.0
"""Contrast of a matte without an edge: nothing speaks against it."""


NAMES = (
    "misclassified", "labels", "conflicts", "refused-mattes", "worst-mattes", "no-face", "pairs", "shortcuts", "unsure",
    "disagreements", "everything",
)  # fmt: skip
"""The queues, in the order of the page."""


@dataclass(frozen=True)
class Item:
    """One thing to decide about: a picture, or two that are looked at side by side, and why."""

    records: tuple[Record, ...]
    why: str

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys of its records."""
        return tuple(record.key for record in self.records)

    @cached_property
    def words(self) -> str:
        """What the filter searches, in small letters."""
        said = [self.why]
        for record in self.records:
            said += [record.source, record.member, record.label, record.generator, record.split, record.status,
                     record.reason]  # fmt: skip
        return " ".join(said).lower()


@dataclass(frozen=True)
class Queue:
    """Items in the order in which they are looked at; where it cannot be made, `command` is what makes it possible."""

    name: str
    title: str
    items: Sequence[Item] = ()
    missing: str = ""
    command: str = ""

    @cached_property
    def places(self) -> Mapping[Key, Sequence[int]]:
        """The places, from 0, of the items that hold a record, by its key."""
        found: dict[Key, list[int]] = {}
        for place, item in enumerate(self.items):
            for key in item.keys:
                found.setdefault(key, []).append(place)
        return found


def misclassified(subject: Subject) -> Queue:
    """Queue the pictures of the first class that the run gave to the other one, the highest loss first."""
    if subject.run is None:
        return _without("misclassified", "Reals called AI", "No model has been trained.", "train run")
    negative, positive = subject.run.labels
    wrong = [row for row in subject.predictions if (row.label, row.predicted) == (negative, positive)]
    items = [
        Item(
            (subject.by_key[row.key],),
            f"Run {subject.run.name} calls it {positive} with probability {row.probability:.2f}, and its label is "
            f"{negative} (loss {row.loss:.2f}, {row.split or 'held out'}).",
        )
        for row in sorted(wrong, key=lambda row: (-row.loss, row.key))
        if row.key in subject.by_key
    ]
    return Queue("misclassified", f"{negative.capitalize()} called {positive}", items)


def conflicts(subject: Subject) -> Queue:
    """Queue the pictures that stand in the set under both labels, with the picture that each is the same as."""
    named = {record.name: record for record in subject.rows}
    items, seen = [], set()
    for record in subject.rows:
        if record.reason.startswith("conflict: "):
            other = named.get(record.reason.rpartition(" as ")[2])
            pair = (record, other) if other else (record,)
            if (keys := frozenset(each.key for each in pair)) not in seen:
                seen.add(keys)
                items.append(Item(pair, f"{record.reason.removeprefix('conflict: ').capitalize()}."))
    return Queue("conflicts", "Conflicts of labels", items)


def mattes(subject: Subject) -> tuple[Queue, Queue]:
    """Queue the mattes that were refused, and of those used the ones of least contrast at the edge, the worst first."""
    cut = [record for record in subject.rows if record.matte]
    titles = ("refused-mattes", "Rejected mattes"), ("worst-mattes", "Worst mattes")
    if not cut:
        first, second = (_without(*title, "Nobody has been cut out.", "curate whiten") for title in titles)
        return first, second
    refused = [
        Item((record,), f"Rejected: {record.reason.removeprefix('matte: ')}.") for record in cut if by_matte(record)
    ]
    used = sorted((record for record in cut if record.status == OK), key=_doubt)[:MOST_MATTES]
    worst = [Item((record,), _matte_in_words(record, place)) for place, record in enumerate(used, 1)]
    return Queue(*titles[0], refused), Queue(*titles[1], worst)


def faceless(subject: Subject) -> Queue:
    """Queue the pictures in which no face was found."""
    looked = [record for record in subject.rows if normalized(record).faces is not None]
    if not looked:
        return _without("no-face", "No face found", "Nobody has looked for faces.", "curate normalize")
    rows = [record for record in looked if for_want_of_a_face(record) or normalized(record).faces == 0]
    what = {REJECTED: "and it was rejected for that", OK: "and it is in use all the same"}
    items = [
        Item((record,), f"No face was found, {what.get(record.status, f'and it is {record.status} now')}.")
        for record in rows
    ]
    return Queue("no-face", "No face found", items)


def duplicates(subject: Subject) -> list[Item]:
    """Return the pictures that were set aside as copies, each beside the one that was kept, the least alike first."""
    named = {record.name: record for record in subject.rows}
    copies = [record for record in subject.rows if record.status == DUPLICATE and record.duplicate_of in named]
    return [
        Item((named[record.duplicate_of], record),
             f"The second was set aside as a copy of the first: {record.reason} (similarity {record.similarity:.2f}).")
        for record in sorted(copies, key=lambda record: (record.similarity, record.key))
    ]  # fmt: skip


def decided_before(subject: Subject, decided: Decisions) -> tuple[Queue, Queue]:
    """Queue what people are unsure about, and what two of them decided differently."""
    fates = {record.key: decisions.fate(record, decided) for record in subject.rows}
    unsure = [
        Item((subject.by_key[key],), f"{made.who} is unsure: {made.why}.")
        for key, made in fates.items()
        if made is not None and made.decision == decisions.UNSURE
    ]
    differ = [
        Item(tuple(subject.by_key[key] for key in sorted(keys)),
             "; ".join(f"{made.who} decided {made.words!r}" for made in said) + ". The later decision holds.")
        for (_, keys), said in decisions.disputed(decided).items()
        if keys <= subject.by_key.keys()
    ]  # fmt: skip
    return Queue("unsure", "Unsure", unsure), Queue("disagreements", "Disagreements", differ)


def everything(subject: Subject) -> Queue:
    """Queue every picture."""
    items = [Item((record,), _standing(record)) for record in subject.rows]
    return Queue("everything", f"Everything ({subject.title})", items)


def missing(name: str, title: str, why: str, command: str) -> Queue:
    """Return a queue that cannot be made, with what makes it possible."""
    return _without(name, title, why, command)


def found(queue: Queue, text: str, decided: Callable[[Item], bool]) -> list[int]:
    """Return the places, from 0, of the items that hold every word of a text.

    The words "decided" and "undecided" ask whether a person has decided.
    """
    words = text.lower().split()
    asked = {word for word in words if word in ("decided", "undecided")}
    others = [word for word in words if word not in asked]
    return [
        place
        for place, item in enumerate(queue.items)
        if all(word in item.words for word in others)
        and all(decided(item) == (word == "decided") for word in asked)
    ]  # fmt: skip


def _without(name: str, title: str, why: str, command: str) -> Queue:
    return Queue(name, title, missing=why, command=command)


def _doubt(record: Record) -> tuple[float, Key]:
    contrast = whitened(record).contrast
    return (UNKNOWN if contrast is None else contrast), record.key


def _matte_in_words(record: Record, place: int) -> str:
    note = whitened(record)
    contrast = "no edge to measure" if note.contrast is None else f"contrast {note.contrast:.1f} at its edge"
    kept = "" if note.kept is None else f", {100 * note.kept:.0f} % of the face kept"
    return f"Number {place} of the mattes in use, the least contrast first: {contrast}{kept}."


def _standing(record: Record) -> str:
    why = f": {record.reason}" if record.reason else ""
    return f"It is {record.status}{why}{f', for {record.split}' if record.split else ''}."
