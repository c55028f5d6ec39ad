"""Find pictures that stand on both sides of a split, or under both labels: rows in, pairs out.

Candidates come from the recorded hashes, and the pictures of each are compared, through the code of dedupe.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

from curate.dedupe import judge as clusters
from curate.dedupe.judge import Pair, Picture
from curate.dedupe.work import Originals, Place, picture_of, place_of
from curate.history import noted
from curate.normalize.work import note_of
from curate.pictures import hashers, likeness, pixels
from imageledger.errors import LedgerError, ManifestError
from imageledger.record import OK, Record, Step
from imageledger.store import Store
from imageledger.types import Track, untracked

DISTANCE = 12
"""Hash distance of candidates: twice dedupe's, because what lies within its own reach is gone from a final manifest.

Of the 156,520 pairs of 560 portraits 316 are candidates then, and none of them is called the same picture.
"""

SAME, NEAR, MIRRORED, GROUP = "same original", "near-duplicate", "mirrored copy", "same group"


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
    """The pairs that leak, the sources of one class, and what could not be compared. `sides` counts by split."""

    leaks: tuple[Leak, ...]
    sources: tuple[Source, ...]
    unchecked: tuple[Unchecked, ...]
    sides: Mapping[str, int]

    @property
    def divided(self) -> bool:
        """Whether the manifest has a split at all."""
        return "" not in self.sides


Cells = Callable[[Record], tuple[str, ...]]


def compare(
    records: Iterable[Record], store: Store, *, distance: int = DISTANCE, track: Track = untracked
) -> Comparison:
    """Compare the `ok` rows across the split and across labels; without a split, across labels alone.

    Rows without recorded hashes are hashed here. What is missing or damaged is not an error but `unchecked`.
    """
    rows = [record for record in records if record.status == OK]
    if any(record.split for record in rows):
        rows = [record for record in rows if record.split]
    rows, pictures, unchecked = _known(rows, store)
    near, blind = _near(rows, pictures, store, distance, track)
    leaks: dict[tuple[str, str], Leak] = {}
    for leak in (*_exact(rows, pictures), *near, *_tied(rows)):
        if leak.crosses or leak.conflicts:
            leaks.setdefault((leak.one.name, leak.other.name), leak)
    return Comparison(
        leaks=tuple(leaks.values()),
        sources=tuple(one_class(rows)),
        unchecked=(*unchecked, *blind),
        sides=Counter(record.split for record in rows),
    )


def one_class(records: Sequence[Record]) -> list[Source]:
    """Return the sources that hold only one of several labels, by name."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        counts[record.source][record.label] += 1
    if len({record.label for record in records}) < 2:
        return []
    return [
        Source(source=source, label=next(iter(labels)), pictures=labels.total())
        for source, labels in sorted(counts.items())
        if len(labels) == 1
    ]


def _known(rows: Iterable[Record], store: Store) -> tuple[list[Record], dict[clusters.Key, Picture], list[Unchecked]]:
    """Return rows that name their original, what is known of those with hashes, and the rest with the reason."""
    kept, pictures, unchecked = [], {}, []
    for row in rows:
        record = replace(row, origin=row.origin or row.file)
        kept.append(record)
        try:
            pictures[record.key] = _picture(record, store)
        except LedgerError as error:
            unchecked.append(Unchecked(name=record.name, reason=f"no recorded hash, and {error.what}"))
    return kept, pictures, unchecked


def _picture(record: Record, store: Store) -> Picture:
    try:
        return picture_of(record)
    except ManifestError:  # a stranger's manifest may hold anything
        return picture_of(_hashed(record, store))


def _place(record: Record) -> Place:
    try:
        return place_of(record)
    except ManifestError:  # see `_picture`
        return record.origin, "", None


def _hashed(record: Record, store: Store) -> Record:
    """Return the row as normalize would have left it, hashes and all."""
    if not record.origin:
        raise ManifestError("the row names no picture")
    try:
        picture = pixels.decode(store.read(record.origin))
    except pixels.CannotDecode as error:
        raise ManifestError(f"its original {error}") from error
    small = hashers.reduced(picture.image)
    step = Step(did="normalize@0", on=record.origin, found=noted(note_of(picture, small)))
    return replace(record, phash=hashers.phash(small), steps=(step,))


def _exact(rows: Sequence[Record], pictures: Mapping[clusters.Key, Picture]) -> Iterator[Leak]:
    by_key = {record.key: record for record in rows}
    for same in clusters.fold(pictures.values()):
        for one, other in _across([by_key[picture.key] for picture in same], _places):
            why = clusters.exactly(pictures[one.key], pictures[other.key])
            yield Leak(kind=SAME, one=one, other=other, why=why, similarity=1.0)


def _near(
    rows: Sequence[Record], pictures: Mapping[clusters.Key, Picture], store: Store, distance: int, track: Track
) -> tuple[list[Leak], list[Unchecked]]:
    """Compare the pairs of near hashes that lie across anything, and name those that could not be opened."""
    by_key = {record.key: record for record in rows}
    folded = clusters.fold(pictures.values())
    members = [[by_key[picture.key] for picture in same] for same in folded]
    heads = [same[0] for same in folded]
    pairs = [
        pair for pair in clusters.candidates(heads, distance)
        if next(_between(members[pair.one], members[pair.other], _places), None)
    ]  # fmt: skip
    views = Originals(store, {record.key: _place(record) for record in rows})
    blind: dict[tuple[str, str], Unchecked] = {}

    def alike(one: Picture, other: Picture, mirrored: bool) -> float:
        try:
            return views.alike(one, other, mirrored)
        except (LedgerError, OSError, TypeError, ValueError) as error:
            reason = f"their hashes are near each other, but {error}"
            first, second = sorted((one.name, other.name))
            blind[first, second] = Unchecked(name=f"{first} and {second}", reason=reason)
            return -1.0

    matches = clusters.verified(heads, track(pairs, len(pairs), "comparing pairs"), alike, likeness.ALIKE)
    return list(_spread(matches, members)), list(blind.values())


def _spread(matches: Mapping[Pair, clusters.Match], members: Sequence[Sequence[Record]]) -> Iterator[Leak]:
    """Turn matches of pictures into pairs of rows, the better way round where both ways match."""
    for pair, match in sorted(matches.items(), key=lambda item: (-item[1].similarity, item[0].one, item[0].other)):
        for one, other in _between(members[pair.one], members[pair.other], _places):
            kind = MIRRORED if match.mirrored else NEAR
            why = f"pHash distance {match.distance}, correlation {match.similarity:.2f}"
            yield Leak(kind=kind, one=one, other=other, why=why, similarity=match.similarity)


def _tied(rows: Sequence[Record]) -> Iterator[Leak]:
    """Pair rows that share their file or, across the split, their declared group."""
    ties: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in rows:
        for kind, name in ((SAME, record.file), (SAME, record.origin), (GROUP, record.group)):
            if name:
                ties[kind, name].append(record)
    for (kind, name), tied in ties.items():
        for one, other in _across(tied, _side if kind == GROUP else _places):
            why = f"both belong to {name}" if kind == GROUP else f"both are {name}"
            yield Leak(kind=kind, one=one, other=other, why=why, similarity=None if kind == GROUP else 1.0)


def _places(record: Record) -> tuple[str, ...]:
    return record.split, record.label


def _side(record: Record) -> tuple[str, ...]:
    return (record.split,)


def _across(rows: Sequence[Record], cells: Cells) -> Iterator[tuple[Record, Record]]:
    """Pair rows of different cells (sides, labels) so that each row is in a pair; a thousand copies give no million."""
    for one, other in combinations(_celled(rows, cells).values(), 2):
        yield from _paired(one, other)


def _between(rows: Sequence[Record], others: Sequence[Record], cells: Cells) -> Iterator[tuple[Record, Record]]:
    for (a, one), (b, other) in product(_celled(rows, cells).items(), _celled(others, cells).items()):
        if a != b:
            yield from _paired(one, other)


def _paired(rows: Sequence[Record], others: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    for n in range(max(len(rows), len(others))):
        one, other = sorted((rows[min(n, len(rows) - 1)], others[min(n, len(others) - 1)]), key=_order)
        yield one, other


def _celled(rows: Iterable[Record], cells: Cells) -> dict[Any, list[Record]]:
    celled: dict[Any, list[Record]] = defaultdict(list)
    for record in rows:
        celled[cells(record)].append(record)
    return celled


def _order(record: Record) -> tuple[str, tuple[str, str]]:
    return record.split, record.key  # train before valid
