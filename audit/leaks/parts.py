"""Find pictures of different sides or labels that show parts of one another, as fetched and as they are trained on."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audit.leaks.leak import PART, Leak, Unchecked, between, places
from curate.dedupe.parts import NOTHING, parts
from curate.dedupe.prints import Reductions, prints_of
from curate.pictures.overlap import Grey
from imageledger.errors import LedgerError
from imageledger.record import Record
from imageledger.store import Store
from imageledger.types import Track

Known = Callable[[Record, Record], bool]
"""Whether two rows are already said to leak; asked in the order in which a leak names them."""


def shared_parts(
    rows: Sequence[Record], store: Store, known: Known, track: Track
) -> tuple[list[Leak], list[Unchecked]]:  # fmt: skip
    """Compare originals with originals, and pictures trained on with pictures trained on, across sides and labels.

    What cannot be read is not an error but `unchecked`, once per row.
    """
    leaks: dict[tuple[str, str], Leak] = {}
    blind: dict[str, Unchecked] = {}
    originals = _by_object(rows, lambda record: record.origin)
    trained = _by_object(rows, lambda record: record.file if record.file != record.origin else "")
    for objects, said in ((originals, ""), (trained, " in the pictures trained on")):
        look = _Look(objects, sorted(objects), store, known, blind)
        for one, other, why, similarity in look.pairs(track):
            leak = Leak(kind=PART, one=one, other=other, why=f"{why[0]}{said}, {why[1]}", similarity=similarity)
            leaks.setdefault((one.name, other.name), leak)
    ordered = sorted(leaks.values(), key=lambda leak: (-(leak.similarity or 0), leak.one.name, leak.other.name))
    return ordered, list(blind.values())


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the objects of rows: all originals, or all pictures trained on."""

    objects: Mapping[str, Sequence[Record]]
    names: Sequence[str]
    store: Store
    known: Known
    blind: dict[str, Unchecked]

    def pairs(self, track: Track) -> Iterator[tuple[Record, Record, tuple[str, str], float]]:
        """Yield the rows that share a part, how, and how alike it is."""
        found = prints_of(self.store, self.names, track=track)
        for name, problem in found.problems.items():
            self._unread(name, problem)
        prints = [found.of.get(name, NOTHING) for name in self.names]
        views = Reductions(self.store)

        def grey(place: int) -> Grey:
            try:
                return views.of(self.names[place])
            except LedgerError as error:  # the print was kept, and the object has been lost since
                self._unread(self.names[place], error.what)
                return np.zeros((1, 1), np.uint8)

        for each in parts(prints, grey, lambda i, j: any(self._rows(i, j)), track):
            why = each.overlap.words or "the same picture", f"correlation {each.overlap.similarity:.2f}"
            for one, other in self._rows(each.one, each.other):
                yield one, other, why, each.overlap.similarity

    def _rows(self, i: int, j: int) -> Iterator[tuple[Record, Record]]:
        """Pair the rows of two objects that lie across anything, without those that are known to leak."""
        for one, other in between(self.objects[self.names[i]], self.objects[self.names[j]], places):
            leak = Leak(kind=PART, one=one, other=other, why="")
            if (leak.crosses or leak.conflicts) and not self.known(one, other):
                yield one, other

    def _unread(self, name: str, problem: str) -> None:
        for row in self.objects[name]:
            self.blind.setdefault(row.name, Unchecked(name=row.name, reason=problem))


def _by_object(rows: Sequence[Record], name_of: Callable[[Record], str]) -> dict[str, list[Record]]:
    objects: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        if name_of(row):
            objects[name_of(row)].append(row)
    return objects
