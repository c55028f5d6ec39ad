"""The desk itself: its queues, what people have decided about each item, and the decisions that are made here."""

import hashlib
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from audit.review.making import Queues
from audit.review.queues import Item, Queue
from audit.words import other_label
from curate.faces.words import NO_FACE, by_matte
from imageledger import decisions
from imageledger.config import Project
from imageledger.decisions import Decision, Follower
from imageledger.errors import LedgerError
from imageledger.record import Record
from imageledger.types import Key

LONGEST = 500
"""Letters of a note."""

HOLDS, OVERRULED, TAKEN_BACK, CHANGED = "holds", "overruled", "taken back", "about other bytes"


class NotDecided(LedgerError):
    """What was asked for is no decision that can be made about this item."""


@dataclass(frozen=True)
class Said:
    """One line about an item, and whether it holds; `disputed` tells that somebody else decided otherwise."""

    made: Decision
    state: str
    disputed: bool = False

    def about(self, item: Item) -> str:
        """Say which of two pictures is meant, or with which other this one is a pair; "" where that is clear."""
        if self.made.subject[0] == "pair":
            other = self.made.other if self.made.key in item.keys else self.made.key
            return "" if len(item.keys) == 2 else f"with {other[1]}"
        return ("first", "second")[item.keys.index(self.made.key)] if len(item.keys) == 2 else ""


class Desk:
    """What is decided here and elsewhere; every method may be called from several threads."""

    def __init__(self, project: Project, title: str, queues: Queues, who: str) -> None:
        self.project, self.title, self.queues, self.who = project, title, queues, who
        self.path = project.folder / decisions.FILE
        self.saved = 0
        self._follower = Follower(self.path, project.declared.labels)
        self._about: dict[Key, list[Decision]] = defaultdict(list)
        self._keys: dict[str, frozenset[Key]] = {}
        self._known: dict[tuple[Key, ...], bool] = {}
        self._lock = threading.RLock()

    @property
    def labels(self) -> tuple[str, str]:
        """The two classes."""
        negative, positive = self.project.declared.labels
        return negative, positive

    def read_on(self) -> None:
        """Take in what was decided since, here or by anybody else."""
        with self._lock:
            before = len(self._follower.lines)
            new = self._follower.read_on()
            if len(self._follower.lines) != before + len(new):
                self._about.clear()
                new = self._follower.lines
            if new:
                self._known.clear()
            for made in new:
                self._keys[made.digest] = keys = self._keys.get(made.undoes, made.subject[1])
                for key in keys:
                    self._about[key].append(made)

    def about(self, item: Item) -> list[Decision]:
        """Return all lines about an item, the oldest first, also those taken back; of a pair none about other pairs."""
        with self._lock:
            if len(item.keys) == 1:
                return list(self._about.get(item.keys[0], ()))
            own = {id(made): made for key in item.keys for made in self._about.get(key, ())
                   if made.subject[1] <= {*item.keys}}  # fmt: skip
            order = {id(made): place for place, made in enumerate(self._follower.lines) if id(made) in own}
            return sorted(own.values(), key=lambda made: order[id(made)])

    def is_decided(self, item: Item) -> bool:
        """Tell whether a decision about the item holds; those about other pairs, bytes or mattes do not count."""
        with self._lock:
            if item.keys not in self._known:
                rows = {record.key: record for record in item.records}
                held = decisions.standing(self.about(item)).all
                self._known[item.keys] = any(
                    made.subject[1] <= rows.keys() and decisions.applied_to(made, rows)
                    and made.matte in ("", rows[made.key].matte)
                    for made in held
                )  # fmt: skip
            return self._known[item.keys]

    def done(self, queue: Queue) -> int:
        """Count the items of a queue that are decided; only those that somebody spoke of are looked at."""
        with self._lock:
            spoken = {place for key in self._about for place in queue.places.get(key, ())}
            return sum(self.is_decided(queue.items[place]) for place in spoken)

    def history(self, item: Item) -> list[Said]:
        """Return what was said about an item, the newest first, and what of it holds."""
        lines = [made for made in self.about(item) if made.decision != decisions.UNDO]
        standing = decisions.standing(self.about(item))
        rows = {record.key: record for record in item.records}
        disputed = set(decisions.disputed(standing))
        left, last, said = list(standing.all), set(), []
        for made in reversed(lines):
            state = TAKEN_BACK
            if left and left[-1] == made:
                left.pop()
                known = made.subject[1] <= rows.keys()
                state = CHANGED if known and not decisions.applied_to(made, rows) else HOLDS
                if state == HOLDS and made.subject[0] != "matte":
                    state = OVERRULED if made.subject in last else HOLDS
                    last.add(made.subject)
            said.append(Said(made, state, made.subject in disputed and state != TAKEN_BACK))
        return said

    def seen(self, item: Item) -> str:
        """Return the digest of all that was said about an item: a page that shows another one is out of date."""
        said = " ".join(made.digest for made in self.about(item))
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def decide(
        self, items: Sequence[Item], kind: str, *, about: int = 0, note: str = "", queue: str = ""
    ) -> list[Decision]:
        """Decide the same about each item; when this returns, the decisions are on the disk.

        In an item of two pictures, `about` (0 or 1) is the one that a decision about a single picture means. Raises
        NotDecided where the decision does not fit the item, LedgerError where it cannot be written.
        """
        why = " ".join(note.split())[:LONGEST] or f"seen at the desk{f', queue {queue}' if queue else ''}"
        made = [self._made(item, kind, about, why) for item in items]
        with self._lock:
            decisions.append(self.path, made)
            self.saved += len(made)
        self.read_on()
        return made

    def take_back(self, item: Item, digest: str) -> Decision:
        """Append a line that takes back an earlier one about this item; raise NotDecided where it does not hold."""
        with self._lock:
            self.read_on()
            held = {made.digest: made for made in decisions.standing(self.about(item)).all}
            if digest not in held:
                raise NotDecided("that decision has been taken back already", "look at the list of decisions")
            made = held[digest]
            why = f"takes back {made.words!r} at the desk"
            undo = Decision(
                source=made.source, member=made.member, decision=decisions.UNDO, undoes=digest, who=self.who, why=why
            )  # fmt: skip
            decisions.append(self.path, [undo])
            self.saved += 1
        self.read_on()
        return made

    def wrong_label(self, record: Record) -> str:
        """Return the label that a picture has if its own is wrong."""
        return other_label(self.labels, record.label)

    def _made(self, item: Item, kind: str, about: int, why: str) -> Decision:
        if kind in decisions.OF_PAIRS:
            if len(item.records) != 2:
                raise NotDecided(
                    "that decision is about two pictures", "open the queue pairs, or select two in the grid"
                )
            one, other = item.records
            return Decision(
                source=one.source, member=one.member, decision=kind, other_source=other.source,
                other_member=other.member, origin=one.origin, other_origin=other.origin, who=self.who, why=why,
            )  # fmt: skip
        if kind not in (*decisions.OF_PICTURES, *decisions.OF_MATTES):
            raise NotDecided(f"{kind[:40]!r} is not a decision", f"one of {', '.join(decisions.KINDS[:-1])}")
        record = item.records[min(max(about, 0), len(item.records) - 1)]
        if kind == decisions.BAD_MATTE and not record.matte:
            raise NotDecided("this picture has no matte", "curate whiten cuts people out")
        despite = record.reason if kind == decisions.KEEP and overruled(record) else ""
        matte = record.matte if kind == decisions.BAD_MATTE or (despite and by_matte(record)) else ""
        return Decision(
            source=record.source, member=record.member, decision=kind, origin=record.origin, matte=matte,
            despite=despite, label=self.wrong_label(record) if kind == decisions.RELABEL else "", who=self.who, why=why,
        )  # fmt: skip


def overruled(record: Record) -> bool:
    """Tell whether "keep" overrules the reason for which a stage set a picture aside: no face, or its matte."""
    return record.reason == NO_FACE or by_matte(record)
