"""Which pictures are copies of which, and what becomes of each: pure, over small columns of the whole set."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import DisjointSet

from curate.dedupe.picture import Match, Pair, Picture
from curate.dedupe.told import NOTHING_TOLD, Placed, Told, split
from curate.pictures.hashers import near_pairs
from imageledger.record import DUPLICATE, OK, REJECTED
from imageledger.types import Key

Likeness = Callable[[Picture, Picture, bool], float]
"""How alike two pictures are (-1..1), the second one mirrored where the flag is set."""

Sharing = Callable[[int, int], Match | None]
"""How one of the pictures of a list shows a part of another, by their places."""

BYTES, PIXELS = "same bytes", "same pixels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one row; the fields are those of the record."""

    status: str = OK
    reason: str = ""
    duplicate_of: str = ""
    similarity: float = 0.0
    group: str = ""
    pair: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A verdict for every row that has a copy, and the group names that have become another one."""

    verdicts: Mapping[Key, Verdict]
    groups: Mapping[str, str]


def fold(pictures: Iterable[Picture], told: Told = NOTHING_TOLD) -> list[list[Picture]]:
    """Put exact copies together (same bytes, or same decoded pixels): lists with the best first, best list first.

    Pictures that are `told` to be kept apart come into lists of their own.
    """
    listed = sorted(pictures, key=lambda picture: (picture.rank, picture.key))
    together = DisjointSet((BYTES, picture.origin) for picture in listed)
    for picture in listed:
        if picture.pixels:
            together.add((PIXELS, picture.pixels))
            together.merge((PIXELS, picture.pixels), (BYTES, picture.origin))
    folded: dict[Any, list[Picture]] = {}
    for picture in listed:
        folded.setdefault(together[BYTES, picture.origin], []).append(picture)
    if not told.apart:
        return list(folded.values())
    parts = [
        [same[n] for n in part] for same in folded.values() for part in split([row.key for row in same], told.apart)
    ]
    return sorted(parts, key=lambda same: (same[0].rank, same[0].key))


def candidates(pictures: Sequence[Picture], within: int) -> list[Pair]:
    """Find the pairs whose hashes, straight or with one of them mirrored, are at most `within` bits apart.

    A pair that is near both ways comes twice. Sorted, so that comparing them in order reads few pictures twice.
    """
    count = len(pictures)
    columns = [picture.phash for picture in pictures] + [picture.mirrored for picture in pictures]
    distances: dict[tuple[int, int, bool], int] = {}
    for i, j, distance in near_pairs(np.array(columns, dtype=np.uint64), within):
        place = _place(i, j, count)
        if place is not None:
            distances[place] = min(distance, distances.get(place, distance))
    return [Pair(i, j, distance, turned) for (i, j, turned), distance in sorted(distances.items())]


def verified(pictures: Sequence[Picture], pairs: Iterable[Pair], alike: Likeness, least: float) -> dict[Pair, Match]:
    """Look into each candidate pair and keep those that are the same picture indeed."""
    matches = {}
    for pair in pairs:
        similarity = alike(pictures[pair.one], pictures[pair.other], pair.mirrored)
        if similarity >= least:
            matches[pair] = Match(pair.distance, pair.mirrored, similarity)
    return matches


def decide(
    folded: Sequence[Sequence[Picture]], matches: Mapping[Pair, Match], alike: Likeness, least: float,
    *, keep_pairs: bool = False, sharing: Sharing | None = None, told: Told = NOTHING_TOLD,
) -> Plan:  # fmt: skip
    """Say what becomes of every picture that has a copy; pictures that stand alone are not mentioned.

    The best picture of a cluster stays (one that is a frame or a screen around another comes last), and the others
    are duplicates of it; but only those that were compared with it, so that a chain of small changes never makes two
    different pictures one. What is left of a chain forms clusters of its own, and stays in the same group. Copies under
    two labels are a conflict, and all of them are rejected, unless they are a pair: a photograph and its twin of the
    other class, which are alike and not the same, and were declared as one (or `keep_pairs` says that such pictures
    are). A pair shares a group, and copies are only looked for within its labels. A picture that a person keeps stays
    `ok` in either case. `matches` name the first picture of each list of `folded` by its place. What people `told` of
    two pictures overrules every comparison.
    """
    word = told.placed([[row.key for row in same] for same in folded])
    compare = _Comparison([same[0] for same in folded], matches, alike, least, sharing, word)
    linked = _linked(matches, word)
    families = [(family, [row for n in family for row in folded[n]]) for family in _families(len(folded), linked)]
    families = [(family, rows) for family, rows in families if len(rows) > 1]
    groups = _groups(rows for _, rows in families)
    verdicts: dict[Key, Verdict] = {}
    for family, rows in families:
        shared = min((row.group for row in rows if row.group), default=f"cluster:{rows[0].origin[:12]}")
        judge, pair = _stars, ""
        if len({row.label for row in rows}) > 1:
            twins = _are_twins(family, folded, keep_pairs)
            judge, pair = (_by_label, f"pair:{shared.partition(':')[2]}") if twins else (_conflicting, "")
        for row, verdict in judge(family, folded, compare):
            group = groups.get(row.group or shared, row.group or shared)
            given = Verdict() if row.kept else verdict
            verdicts[row.key] = replace(given, group=group, pair=row.pair or pair)
    return Plan(verdicts=verdicts, groups=groups)


class _Comparison:
    """The matches found so far, and new comparisons where a chain asks for them."""

    def __init__(
        self, heads: Sequence[Picture], matches: Mapping[Pair, Match], alike: Likeness, least: float,
        sharing: Sharing | None, word: Placed,
    ) -> None:  # fmt: skip
        self.heads = heads
        self.word = word
        self.alike = alike
        self.least = least
        self.sharing = sharing
        self.known: dict[tuple[int, int], Match] = {}
        for pair, match in matches.items():
            best = self.known.get((pair.one, pair.other))
            if best is None or match.similarity > best.similarity:
                self.known[pair.one, pair.other] = match

    def between(self, one: int, other: int) -> Match:
        """Return the better of the straight and the mirrored comparison of two heads, or how they share a part."""
        place = min(one, other), max(one, other)
        if place not in self.known:
            a, b = self.heads[place[0]], self.heads[place[1]]
            straight = Match((a.phash ^ b.phash).bit_count(), False, self.alike(a, b, False))
            turned = Match((a.phash ^ b.mirrored).bit_count(), True, self.alike(a, b, True))
            best = straight if straight.similarity >= turned.similarity else turned
            shared = self.sharing(*place) if self.sharing and best.similarity < self.least else None
            self.known[place] = shared or best
        match = self.known[place]
        said = self.word.same.get(place)
        return replace(match, said=said, similarity=max(0.0, match.similarity)) if said else match

    def is_copy(self, n: int, taken: Sequence[int]) -> bool:
        """Tell whether a head is a copy of the first of those taken, and none of them must be kept apart from it."""
        if self.word.keeps_apart(n, taken):
            return False
        match = self.between(taken[0], n)
        return bool(match.said) or match.similarity >= self.least


def _place(i: int, j: int, count: int) -> tuple[int, int, bool] | None:
    """Read a pair of columns: both straight, or one straight and one mirrored of two different pictures."""
    if j < count:
        return i, j, False
    if i >= count or i == j - count:
        return None
    return min(i, j - count), max(i, j - count), True


def _linked(matches: Mapping[Pair, Match], word: Placed) -> dict[Pair, Match]:
    """Return the matches that nobody denies, and those that people state."""
    held = {pair: match for pair, match in matches.items() if not word.keeps_apart(pair.one, [pair.other])}
    return held | {
        Pair(one, other, 0, False): Match(0, False, 1.0, said=why) for (one, other), why in word.same.items()
    }


def _families(count: int, matches: Mapping[Pair, Match]) -> Iterator[list[int]]:
    """Put together what matches, the best first; frames and screens around others come last."""
    together = DisjointSet(range(count))
    outer = set()
    for pair, match in matches.items():
        together.merge(pair.one, pair.other)
        if match.outer is not None:
            outer.add((pair.one, pair.other)[match.outer])
    families: dict[int, list[int]] = {}
    for n in sorted(range(count), key=lambda n: (n in outer, n)):
        families.setdefault(together[n], []).append(n)
    yield from families.values()


def _groups(families: Iterable[Sequence[Picture]]) -> dict[str, str]:
    """Name the groups that families bring together by the first of their names; those that keep theirs are left out."""
    together = DisjointSet()
    for rows in families:
        declared = sorted({row.group for row in rows if row.group})
        for name in declared:
            together.add(name)
            together.merge(declared[0], name)
    return {name: min(block) for block in together.subsets() for name in block if name != min(block)}


def _stars(
    family: Sequence[int], folded: Sequence[Sequence[Picture]], compare: _Comparison
) -> Iterator[tuple[Picture, Verdict]]:
    """Take the best picture and all that are like it when compared with it; go on with the rest."""
    left = list(family)
    while left:
        keeper, rest, taken = left[0], [], left[:1]
        original = folded[keeper][0]
        yield original, Verdict()
        for copy in folded[keeper][1:]:
            yield copy, _duplicate(original, exactly(copy, original), 1.0)
        for n in left[1:]:
            if not compare.is_copy(n, taken):
                rest.append(n)
                continue
            taken.append(n)
            match = compare.between(keeper, n)
            for copy in folded[n]:
                yield copy, _duplicate(original, str(match), match.similarity)
        left = rest


def _are_twins(family: Sequence[int], folded: Sequence[Sequence[Picture]], keep_pairs: bool) -> bool:
    """Tell whether pictures under two labels are pairs: declared as one, or so by `keep_pairs`, and none the same."""
    rows = [row for n in family for row in folded[n]]
    if any(len({row.label for row in folded[n]}) > 1 for n in family):
        return False
    declared = {row.pair for row in rows}
    return keep_pairs or (len(declared) == 1 and "" not in declared)


def _by_label(
    family: Sequence[int], folded: Sequence[Sequence[Picture]], compare: _Comparison
) -> Iterator[tuple[Picture, Verdict]]:
    """Look for copies within each label of a pair."""
    for label in sorted({folded[n][0].label for n in family}):
        yield from _stars([n for n in family if folded[n][0].label == label], folded, compare)


def _conflicting(
    family: Sequence[int], folded: Sequence[Sequence[Picture]], compare: _Comparison
) -> Iterator[tuple[Picture, Verdict]]:
    """Reject all, and name for each the best picture under another label."""
    placed = [(n, row) for n in family for row in folded[n]]
    for n, row in placed:
        m, other = next((m, other) for m, other in placed if other.label != row.label)
        similarity = 1.0 if n == m else compare.between(n, m).similarity
        reason = f"conflict: the same picture is labelled {other.label} as {other.name}"
        yield row, Verdict(status=REJECTED, reason=reason, similarity=similarity)


def _duplicate(original: Picture, reason: str, similarity: float) -> Verdict:
    return Verdict(status=DUPLICATE, reason=reason, duplicate_of=original.name, similarity=similarity)


def exactly(copy: Picture, original: Picture) -> str:
    """Say how two pictures that `fold` has put together are the same."""
    return BYTES if copy.origin == original.origin else PIXELS
