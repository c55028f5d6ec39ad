"""Find pictures that stand on both sides of a split, or under both labels: rows in, pairs out.

Candidates come from the recorded hashes, and the pictures of each are compared, through the code of dedupe.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from audit.leaks.leak import (
    GROUP,
    MIRRORED,
    NEAR,
    SAME,
    Comparison,
    Leak,
    Source,
    Unchecked,
    across,
    between,
    pairs_across,
    places,
    side,
)  # fmt: skip
from audit.leaks.parts import shared_parts
from curate.dedupe import judge as clusters
from curate.dedupe.judge import Pair, Picture
from curate.dedupe.parts import MOST
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


def compare(
    records: Iterable[Record], store: Store, *, distance: int = DISTANCE, most: int = MOST, track: Track = untracked
) -> Comparison:
    """Compare the `ok` rows across the split and across labels; without a split, across labels alone.

    Up to `most` rows are also searched for parts of one another, in the originals and in the pictures trained on. Rows
    without recorded hashes are hashed here. What is missing or damaged is not an error but `unchecked`.
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
    looked = len(rows) <= most
    if looked:
        hidden, unread = shared_parts(rows, store, lambda one, other: (one.name, other.name) in leaks, track)
        blind = [*blind, *(each for each in unread if each.name not in {one.name for one in unchecked})]
        for leak in hidden:
            leaks.setdefault((leak.one.name, leak.other.name), leak)
    return Comparison(
        leaks=tuple(leaks.values()),
        sources=tuple(one_class(rows)),
        unchecked=(*unchecked, *blind),
        sides=Counter(record.split for record in rows),
        pairs=pairs_across(rows),
        parts=looked,
        trained=any(record.file not in ("", record.origin) for record in rows),
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
        for one, other in across([by_key[picture.key] for picture in same], places):
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
        if next(between(members[pair.one], members[pair.other], places), None)
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
        for one, other in between(members[pair.one], members[pair.other], places):
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
        for one, other in across(tied, side if kind == GROUP else places):
            why = f"both belong to {name}" if kind == GROUP else f"both are {name}"
            yield Leak(kind=kind, one=one, other=other, why=why, similarity=None if kind == GROUP else 1.0)
