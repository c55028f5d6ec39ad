"""What a leak is, and which rows are paired to look for one: values and pure functions."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from imageledger.record import Record

SAME, NEAR, MIRRORED, GROUP = "same original", "near-duplicate", "mirrored copy", "same group"
PART = "part of the same picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Two rows that must not stand where they stand; `similarity` (0..1) is None where only a name is shared."""

    kind: str
    one: Record
    other: Record
    why: str
    similarity: float | None = None

    @property
    def crosses(self) -> bool:
        """Whether the two stand on different sides of the split."""
        return self.one.split != self.other.split

    @property
    def conflicts(self) -> bool:
        """Whether the same picture stands under both labels; the two pictures of a pair are not the same."""
        paired = self.one.pair != "" and self.one.pair == self.other.pair
        return self.one.label != self.other.label and self.kind != GROUP and not paired


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source all of whose pictures carry one label, and how many there are."""

    source: str
    label: str
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """A row, or a pair of rows, that could not be compared, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The pairs that leak, the sources of one class, and what could not be compared. `sides` counts by split.

    `pairs` is how many pairs of pictures lie across the split or the labels; `parts` says whether turned, cropped and
    framed copies were looked for, and `trained` whether the pictures that are trained on were compared as well.
    """

    leaks: tuple[Leak, ...]
    sources: tuple[Source, ...]
    unchecked: tuple[Unchecked, ...]
    sides: Mapping[str, int]
    pairs: int = 0
    parts: bool = True
    trained: bool = False

    @property
    def divided(self) -> bool:
        """Whether the manifest has a split at all."""
        return "" not in self.sides


Cells = Callable[[Record], tuple[str, ...]]


def pairs_across(rows: Sequence[Record]) -> int:
    """Count the pairs of rows on different sides, or under different labels."""
    cells = Counter(places(record) for record in rows).values()
    return (len(rows) ** 2 - sum(count**2 for count in cells)) // 2


def places(record: Record) -> tuple[str, ...]:
    """Return the cell of a row by side and label."""
    return record.split, record.label


def side(record: Record) -> tuple[str, ...]:
    """Return the cell of a row by side alone."""
    return (record.split,)


def across(rows: Sequence[Record], cells: Cells) -> Iterator[tuple[Record, Record]]:
    """Pair rows of different cells (sides, labels) so that each row is in a pair; a thousand copies give no million."""
    for one, other in combinations(_celled(rows, cells).values(), 2):
        yield from _paired(one, other)


def between(rows: Sequence[Record], others: Sequence[Record], cells: Cells) -> Iterator[tuple[Record, Record]]:
    """Pair rows of two lists that lie in different cells, so that each of them is in a pair."""
    for (a, one), (b, other) in product(_celled(rows, cells).items(), _celled(others, cells).items()):
        if a != b:
            yield from _paired(one, other)


def _paired(rows: Sequence[Record], others: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    for n in range(max(len(rows), len(others))):
        one, other = sorted((rows[min(n, len(rows) - 1)], others[min(n, len(others) - 1)]), key=in_order)
        yield one, other


def _celled(rows: Iterable[Record], cells: Cells) -> dict[Any, list[Record]]:
    celled: dict[Any, list[Record]] = defaultdict(list)
    for record in rows:
        celled[cells(record)].append(record)
    return celled


def in_order(record: Record) -> tuple[str, tuple[str, str]]:
    """Return what rows of a pair are sorted by: train comes before valid."""
    return record.split, record.key
