"""Is a model wrong more often on some kinds of pictures? Mistakes and properties in, slices with corrected p out.

Slices are cut within a class: whatever else differs between the classes cannot pass for an effect of brightness, and a
shift of the scores, which costs one class what it gives the other, is not averaged away.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from imageledger.types import Bools, Floats, Ints
from train.answers import Answers
from train.evaluation.statistics import Estimate, share

LEAST = 10
"""A slice of fewer pictures is shown and not judged."""
THIRDS, HALVES = 30, 20
"""A number is cut into thirds from so many pictures of a class on, into halves from so many, else not at all."""
PERMUTATIONS = 5000
SURE = 0.05

HIGHER, LOWER, OPEN, FEW = "HIGHER", "LOWER", "NOT SHOWN", "TOO FEW"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """Something that pictures have: a number each (NaN where it has none), or a name each ("" where it has none).

    `words` call the lowest, the middle and the highest part of a number.
    """

    name: str
    values: Floats | Sequence[str]
    words: tuple[str, str, str] = ("lowest", "middle", "highest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some pictures of a class, and how many of them a model is wrong on.

    `by` names the property that cut it out. `rate` is the share that is wrong, with its 95 % interval over groups; the
    rest are the pictures of the same class that are not in it. `p` is that of Fisher's exact test between both,
    corrected over all slices; `shown_from` is the number of mistakes from which a higher rate would have been shown, 0
    where no number would. `rows` are the places of its pictures.
    """

    label: str
    by: str
    level: str
    n: int
    wrong: int
    rest: int
    rest_wrong: int
    rate: Estimate
    p: float = 1.0
    shown_from: int = 0
    rows: tuple[int, ...] = field(default=(), repr=False)

    @property
    def verdict(self) -> str:
        """HIGHER or LOWER than the rest, NOT SHOWN, or TOO FEW to be judged."""
        if self.n < LEAST or self.rest < LEAST:
            return FEW
        if self.p >= SURE:
            return OPEN
        return HIGHER if self.wrong * self.rest > self.rest_wrong * self.n else LOWER


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSlices:
    """What became of one run: its slices, the worst first, and the properties by which nothing could be cut.

    `answers` are those to the pictures that were sliced; `judged` names the pictures that the run is judged by.
    """

    answers: Answers
    judged: str
    slices: tuple[Slice, ...]
    uncut: tuple[str, ...]

    @property
    def tested(self) -> list[Slice]:
        """The slices that are large enough to be judged."""
        return [part for part in self.slices if part.verdict != FEW]

    def having(self, verdict: str) -> list[Slice]:
        """Return the slices with a verdict, the worst first."""
        return [part for part in self.tested if part.verdict == verdict]


def judge(
    wrong: Bools, positive: Bools, groups: Ints, labels: tuple[str, str], properties: Sequence[Property], seed: int = 42
) -> list[Slice]:
    """Cut both classes into slices by every property and compare each with the rest of its class, worst first."""
    slices, members = [], []
    for label, side in zip(labels, (~positive, positive), strict=True):
        for attribute in properties:
            for level, inside in cut(attribute, side):
                slices.append(_slice(label, attribute.name, level, inside, side, wrong, groups))
                members.append(inside)
    tested = [number for number, part in enumerate(slices) if part.verdict != FEW]
    if tested:
        sides = [positive if slices[number].label == labels[1] else ~positive for number in tested]
        corrected, limits = corrections([members[n] for n in tested], sides, wrong, positive, groups, seed)
        for number, p, limit in zip(tested, corrected, limits, strict=True):
            slices[number] = replace(slices[number], p=p, shown_from=limit)
    return sorted(slices, key=lambda part: (part.verdict == FEW, -part.rate.value, part.p))


def cut(attribute: Property, side: Bools) -> list[tuple[str, Bools]]:
    """Cut the pictures of a class (n bools) by a property: parts of a number, or its names; [] when all are alike."""
    if isinstance(attribute.values, np.ndarray):
        return _parts(attribute, attribute.values, side)
    names = np.array(attribute.values)
    levels = sorted({str(name) for name in names[side] if name})
    return [(level, side & (names == level)) for level in levels] if len(levels) > 1 else []


def corrections(
    members: Sequence[Bools], sides: Sequence[Bools], wrong: Bools, positive: Bools, groups: Ints, seed: int
) -> tuple[list[float], list[int]]:
    """Return for each slice its corrected p, and from how many mistakes on it would have been shown to be higher.

    The smallest p of all slices under permuted mistakes says what chance alone reaches (Westfall and Young 1993, single
    step): exact for few mistakes and for slices that overlap, where Holm's correction would find less. Mistakes are
    permuted within a class, and whole groups change places with groups of as many pictures of that class.
    """
    tables = [_fisher_table(int(inside.sum()), int(side.sum()), int(wrong[side].sum()))
              for inside, side in zip(members, sides, strict=True)]  # fmt: skip
    matrix = np.stack(members).astype(np.float32)
    padded = np.ones((len(tables), max(map(len, tables))))
    for row, table in enumerate(tables):
        padded[row, : len(table)] = table
    places = np.arange(len(tables))
    buckets = _buckets(positive, groups)
    rng = np.random.default_rng(seed)
    smallest = np.empty(PERMUTATIONS)
    for number in range(PERMUTATIONS):
        hits = np.rint(matrix @ _permuted(wrong, buckets, rng).astype(np.float32)).astype(np.intp)
        smallest[number] = padded[places, hits].min()
    smallest.sort()
    observed = np.rint(matrix @ wrong.astype(np.float32)).astype(np.intp)
    corrected = [
        float(1 + np.searchsorted(smallest, padded[row, hits] * (1 + 1e-9), side="right")) / (PERMUTATIONS + 1)
        for row, hits in enumerate(observed)
    ]
    limit = smallest[math.ceil(SURE * (PERMUTATIONS + 1)) - 2]
    shown = [
        _shown_from(table, int(wrong[side].sum()), float(wrong[side].mean()), limit)
        for table, side in zip(tables, sides, strict=True)
    ]
    return corrected, shown


def _shown_from(table: Floats, mistakes: int, rate: float, limit: float) -> int:
    size = len(table) - 1
    return next((n for n in range(min(size, mistakes) + 1) if n > rate * size and table[n] < limit), 0)


def _slice(label: str, name: str, level: str, inside: Bools, side: Bools, wrong: Bools, groups: Ints) -> Slice:
    rest = side & ~inside
    _, own = np.unique(groups[inside], return_inverse=True)
    return Slice(
        label=label, by=name, level=level, n=int(inside.sum()), wrong=int(wrong[inside].sum()),
        rest=int(rest.sum()), rest_wrong=int(wrong[rest].sum()),
        rate=share(wrong[inside][None, :].astype(np.float64), own), rows=tuple(np.flatnonzero(inside).tolist()),
    )  # fmt: skip


def _parts(attribute: Property, values: Floats, side: Bools) -> list[tuple[str, Bools]]:
    known = side & np.isfinite(values)
    count = int(known.sum())
    number = 3 if count >= THIRDS else 2 if count >= HALVES else 0
    if not number or np.ptp(values[known]) == 0:
        return []
    edges = np.unique(np.quantile(values[known], np.arange(1, number) / number, method="lower")).tolist()
    place = np.digitize(values, edges, right=True)
    words = attribute.words if len(edges) == 2 else (attribute.words[0], attribute.words[2])
    part = {3: "third", 2: "half"}[number] if len(edges) == number - 1 else "part"
    between = [f"{_short(low)} to {_short(high)}" for low, high in pairwise(edges)]
    ranges = [f"up to {_short(edges[0])}", *between, f"above {_short(edges[-1])}"]
    levels = [f"{word} {part}, {span}" for word, span in zip(words, ranges, strict=True)]
    cuts = [(level, known & (place == at)) for at, level in enumerate(levels)]
    return [(level, inside) for level, inside in cuts if 0 < inside.sum() < count]


def _fisher_table(size: int, total: int, mistakes: int) -> Floats:
    """Return the two-sided p of Fisher's exact test for every number of mistakes that a slice can have."""
    from scipy.stats import hypergeom

    chances = hypergeom(total, mistakes, size).pmf(np.arange(size + 1))
    order = np.argsort(chances, kind="stable")
    sums = np.cumsum(chances[order])
    last = np.searchsorted(chances[order], chances * (1 + 1e-7), side="right") - 1
    return np.minimum(1.0, sums[last])


def _buckets(positive: Bools, groups: Ints) -> list[NDArray[np.intp]]:
    """Return the rows whose mistakes may change places: groups x rows of a group, by class and number of rows."""
    buckets: dict[tuple[bool, int], list[Ints]] = {}
    for value in (False, True):
        rows = np.flatnonzero(positive == value)
        order = rows[np.argsort(groups[rows], kind="stable")]
        starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
        for part in np.split(order, starts[1:]) if len(order) else []:
            buckets.setdefault((value, len(part)), []).append(part)
    return [np.stack(parts) for parts in buckets.values()]


def _permuted(wrong: Bools, buckets: Sequence[Ints], rng: np.random.Generator) -> Bools:
    moved = wrong.copy()
    for rows in buckets:
        moved[rows] = wrong[rows[rng.permutation(len(rows))]]
    return moved


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
