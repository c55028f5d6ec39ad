"""Choose equally many pictures of two classes whose nuisance features agree, and pair them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from curate.manifest.matching import pairs
from curate.manifest.matching.chance import at_chance, separation
from curate.manifest.matching.pairs import Pairs
from curate.manifest.matching.scale import distances, likeness, normal_scores, spread_within
from curate.manifest.matching.scores import crossfitted
from curate.manifest.matching.swaps import Ground, bring_together
from imageledger.types import Floats

POOL = 800
"""Largest number of pictures of a class that are compared with one another: bounds time and memory."""

STRATA = 20

HOPELESS = 0.97
"""A family in which a probe of all candidates has a higher AUC than this is left out of the matching: hardly a picture
has a partner in it, and the hunt for one would set the other families apart."""

PART = 400
"""More pairs than this are chosen in parts of equal make-up, one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What may be chosen: one row a picture, in an order that content decides and no file name.

    `values` holds a table of numbers a family, rows x features, NaN where a number does not apply; `positive` the
    labels; `plain` marks the plain balanced choice; `groups` numbers of what belongs together; `sources` numbers of
    (label, source), and `quotas` how many pictures each of these should give.
    """

    columns: Mapping[str, Sequence[str]]
    values: Mapping[str, Floats]
    positive: NDArray[np.bool_]
    plain: NDArray[np.bool_]
    groups: NDArray[np.int64]
    sources: NDArray[np.int64]
    quotas: Floats

    def take(self, rows: NDArray[np.intp]) -> "Candidates":
        """Return some of the candidates."""
        return Candidates(
            columns=self.columns, values={name: table[rows] for name, table in self.values.items()},
            positive=self.positive[rows], plain=self.plain[rows], groups=self.groups[rows],
            sources=self.sources[rows], quotas=self.quotas,
        )  # fmt: skip

    def only(self, families: Sequence[str]) -> "Candidates":
        """Return the candidates with the numbers of some families."""
        columns = {name: self.columns[name] for name in families}
        return replace(self, columns=columns, values={name: self.values[name] for name in families})


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The pictures chosen, as pairs of rows (negative, positive), and which pairs lie outside the caliper."""

    pairs: Pairs
    outside: Pairs

    @property
    def rows(self) -> list[int]:
        """The rows chosen, ascending."""
        return sorted(row for pair in self.pairs for row in pair)


def choose(given: Candidates, count: int) -> Matched:
    """Choose `count` pictures of each class that agree, and pair them off.

    Probes that have not seen a picture score it; swaps bring the mean scores of the classes together, and a little
    beyond, because scores are noisy; what is then chosen is paired by an optimal assignment (Rosenbaum and Rubin, 1985;
    Rubin and Thomas, 2000; Stuart, 2010). Expects at least `count` of each class.
    """
    if count > PART:
        return _in_parts(given, count)
    scores = crossfitted(given.values, given.positive, given.groups)
    logits = scores.mean(axis=1)
    pool = _pool(logits, given.positive, max(POOL, 2 * count))
    near, logits = given.take(pool), logits[pool]
    scaled = normal_scores(near.columns, near.values)
    if near.plain.sum() == 2 * count and at_chance(scaled, near.plain, near.positive, near.groups):
        chosen = near.plain  # as alike as chance has them already
    else:
        ground = Ground(scores=scores[pool], positive=near.positive, sources=near.sources, quotas=near.quotas)
        chosen = bring_together(ground, _start(near, logits, count))
    made = _pair_off(near, logits, chosen, count)
    width = pairs.caliper(logits, near.positive)
    outside = [(row, column) for row, column in made if abs(logits[row] - logits[column]) > width]
    return Matched(pairs=_named(made, pool), outside=_named(outside, pool))


def _in_parts(given: Candidates, count: int) -> Matched:
    """Deal the candidates out to parts, class by class, and choose in each its share."""
    parts = -(-count // PART)
    place = np.zeros(len(given.positive), dtype=np.int64)
    for side in (given.positive, ~given.positive):
        place[side] = np.arange(side.sum()) % parts
    made: Pairs = []
    outside: Pairs = []
    for part in range(parts):
        rows = np.flatnonzero(place == part)
        own = choose(replace(given.take(rows), quotas=given.quotas / parts), count // parts + (part < count % parts))
        made += _named(own.pairs, rows)
        outside += _named(own.outside, rows)
    return Matched(pairs=made, outside=outside)


def hopeless(given: Candidates) -> list[str]:
    """Return the families in which no choice among these candidates could bring the classes together."""
    scaled = normal_scores(given.columns, given.values)
    return [
        name
        for name in dict.fromkeys(scaled.families)
        if separation(scaled.of(name), given.positive, given.groups) > HOPELESS
    ]


def varies(given: Candidates) -> bool:
    """Tell whether any number differs between candidates, so that there is something to match on."""
    return any(_differs(given.values[name]) for name in given.columns)


def _differs(table: Floats) -> bool:
    """Tell whether any column holds two different numbers, or a number for some rows alone."""
    there = np.isfinite(table)
    lowest, highest = (np.where(there, table, end).T for end in (np.inf, -np.inf))
    several = (
        [high > low for low, high in zip(lowest.min(axis=1), highest.max(axis=1), strict=True)] if len(table) else []
    )
    return any(several) or bool((there.any(axis=0) & ~there.all(axis=0)).any())


def _start(given: Candidates, logits: Floats, count: int) -> NDArray[np.bool_]:
    """Return the plain choice to swap from, or the best pairs where the pool does not hold it whole."""
    if given.plain.sum() == 2 * count:
        return given.plain
    chosen = np.zeros(len(logits), dtype=bool)
    chosen[[row for pair in _pair_off(given, logits, ~chosen, count) for row in pair]] = True
    return chosen


def _pair_off(given: Candidates, logits: Floats, among: NDArray[np.bool_], count: int) -> Pairs:
    """Return the `count` best pairs (negative, positive) among some rows."""
    matrix = normal_scores(given.columns, given.values).matrix
    apart = distances(likeness(matrix, spread_within(matrix, (given.positive, ~given.positive))))
    negatives, positives = np.flatnonzero(among & ~given.positive), np.flatnonzero(among & given.positive)
    cost = pairs.costs(apart, logits, given.positive)[np.ix_(among[~given.positive], among[given.positive])]
    return [(int(negatives[row]), int(positives[column])) for row, column in pairs.assign(cost, count)]


def _pool(logits: Floats, positive: NDArray[np.bool_], most: int) -> NDArray[np.intp]:
    """Return at most `most` rows a class, first those to whose propensity the other class has the most pictures.

    So thousands of candidates are narrowed to those that can have a partner, and their spread is kept.
    """
    edges = np.quantile(logits, np.linspace(0, 1, STRATA + 1)[1:-1])
    stratum = np.searchsorted(edges, logits)
    kept = []
    for side in (~positive, positive):
        rows = np.flatnonzero(side)
        others = np.bincount(stratum[~side], minlength=STRATA)[stratum[rows]]
        turn = [np.sum(stratum[rows[:place]] == stratum[row]) for place, row in enumerate(rows)]
        kept.append(rows[np.argsort(np.array(turn) / np.maximum(others, 0.5), kind="stable")[:most]])
    return np.sort(np.concatenate(kept))


def _named(matches: Pairs, pool: NDArray[np.intp]) -> Pairs:
    return [(int(pool[row]), int(pool[column])) for row, column in matches]
