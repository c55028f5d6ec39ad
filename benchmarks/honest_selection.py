"""Claim: pictures chosen by scores of probes that have not seen them leave less to an adversary who has seen none.

    python benchmarks/honest_selection.py [--draws 4] PROJECT...

Each PROJECT is curated as far as whitening. Its candidates are divided at random into two halves, so often as --draws
says. One half chooses alone, at 1.2, 2 and 4 candidates a place; probes that learned from all candidates of the other
half then score what it chose, and the other way round. Printed is the AUC of the better of the two kinds of probe, of
the families that the choice went by and of those that it did not see ("held back": every second family), beside what a
cross-validation inside the choice says; and what is left of a signal that has nothing to do with the file, planted with
an AUC of 0.76 among all candidates. Means over draws and halves, with their standard errors. Every figure is measured
in this run.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from curate.evidence.measure import WHITENED, Table, measure
from curate.evidence.permuted import auc, folds_of, prepare
from curate.evidence.probe import crossvalidated
from curate.evidence.transfer import Pool, learned
from curate.manifest.matching.scores import crossfitted
from curate.manifest.matching.swaps import Ground, bring_together
from curate.nuisance import matched
from imageledger import manifest
from imageledger.config import open_project
from imageledger.record import OK, groups_of
from imageledger.types import Bools, Floats, Ints

RATIOS = (1.2, 2.0, 4.0)
SIGNAL = 1.0
"""Standard deviations by which a planted signal sets the classes apart."""

Select = Callable[["Half", int, np.random.Generator], Bools]


class Half:
    """The candidates of one half: the families that a choice may go by, labels, groups."""

    def __init__(self, table: Table, families: list[str]) -> None:
        self.table = table
        self.positive = np.array([record.label == "ai" for record in table.records])
        self.groups = np.unique(groups_of(table.records), return_inverse=True)[1]
        self.values = {name: table.values[name] for name in families}
        self.scores = crossfitted(self.values, self.positive, self.groups)


def at_random(half: Half, count: int, rng: np.random.Generator) -> Bools:
    """Choose without looking."""
    chosen = np.zeros(len(half.positive), dtype=bool)
    for side in (half.positive, ~half.positive):
        chosen[rng.permutation(np.flatnonzero(side))[:count]] = True
    return chosen


def by_scores(overshoot: float) -> Select:
    """Swap until the mean scores meet, or so far beyond."""

    def choose(half: Half, count: int, rng: np.random.Generator) -> Bools:
        ground = Ground(
            scores=half.scores, positive=half.positive, sources=half.positive * 1, quotas=np.full(2, float(count))
        )
        return bring_together(ground, at_random(half, count, rng), overshoot)

    return choose


def overlap(half: Half, count: int, rng: np.random.Generator) -> Bools:
    """Keep propensities of 0.1 to 0.9 (Crump et al. 2009), and choose among these at random; others only if need be."""
    inside = np.abs(half.scores[:, 0]) < np.log(9)
    chosen = np.zeros(len(half.positive), dtype=bool)
    for side in (half.positive, ~half.positive):
        turn = [*rng.permutation(np.flatnonzero(side & inside)), *rng.permutation(np.flatnonzero(side & ~inside))]
        chosen[turn[:count]] = True
    return chosen


def aflite(half: Half, count: int, rng: np.random.Generator) -> Bools:
    """Drop the pictures that probes of the others predict best, a sixth at a time (AFLite, Le Bras et al. 2020)."""
    alive = np.ones(len(half.positive), dtype=bool)
    step = {side: -(-(int((half.positive == side).sum()) - count) // 6) for side in (False, True)}
    while True:
        rows = np.flatnonzero(alive)
        over = {side: int((half.positive[rows] == side).sum()) - count for side in (False, True)}
        if max(over.values()) <= 0:
            return alive
        values = {name: table[rows] for name, table in half.values.items()}
        scores = crossfitted(values, half.positive[rows], half.groups[rows])
        sure = (scores / scores.std(axis=0)).mean(axis=1)
        for side, sign in ((False, -1.0), (True, 1.0)):
            own = np.flatnonzero(half.positive[rows] == side)
            alive[rows[own[np.argsort(-sign * sure[own], kind="stable")[: min(over[side], step[side])]]]] = False


def number_by_number(half: Half, count: int, rng: np.random.Generator) -> Bools:
    """Match pictures pair by pair on every number: Mahalanobis distance, an optimal assignment (Rosenbaum 1985)."""
    from curate.manifest.matching import pairs
    from curate.manifest.matching.scale import distances, likeness, normal_scores, spread_within

    columns = {name: half.table.columns[name] for name in half.values}
    matrix = normal_scores(columns, half.values).matrix
    apart = distances(likeness(matrix, spread_within(matrix, (half.positive, ~half.positive))))
    zeros, ones = np.flatnonzero(~half.positive), np.flatnonzero(half.positive)
    chosen = np.zeros(len(half.positive), dtype=bool)
    for row, column in pairs.assign(np.round(apart[np.ix_(zeros, ones)], 6), count):
        chosen[[zeros[row], ones[column]]] = True
    return chosen


SELECTIONS: dict[str, Select] = {
    "at random": at_random,
    "number by number": number_by_number,
    "overlap trimmed": overlap,
    "AFLite": aflite,
    "scores meet": by_scores(0.0),
    "scores, 0.5 beyond": by_scores(0.5),
    "scores, 1.0 beyond": by_scores(1.0),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", type=Path, nargs="+")
    parser.add_argument("--draws", type=int, default=4)
    options = parser.parse_args()
    for place in options.projects:
        table = candidates(place)
        counts = [sum(record.label == label for record in table.records) for label in ("real", "ai")]
        print(f"\n{place.name}: {counts[0]} real and {counts[1]} ai candidates, {options.draws} draws of two halves")
        for ratio in RATIOS:
            report(table, ratio, options.draws)


def candidates(place: Path) -> Table:
    """Measure the candidates of a project as they left whitening."""
    project = open_project(place)
    records = [record for record in manifest.read(project.manifest("whiten")) if record.status == OK]
    return measure(project, records, matched(), stage=WHITENED)


@threadpool_limits.wrap(limits=1)
def report(table: Table, ratio: float, draws: int) -> None:
    """Print the table of one ratio of candidates to places."""
    families = [name for name in table.values if np.isfinite(table.values[name]).any()]
    results: dict[str, list[list[float]]] = {name: [] for name in SELECTIONS}
    count = 0
    for draw in range(draws):
        for held in (families[::2], families[1::2], []):
            seen = [name for name in families if name not in held]
            for half, other in halves(table, draw, seen):
                count = int(min(half.positive.sum(), (~half.positive).sum()) / ratio)
                signal = np.random.default_rng(draw).normal(size=len(half.positive)) + SIGNAL * half.positive
                for name, select in SELECTIONS.items():
                    chosen = select(half, count, np.random.default_rng(draw))
                    results[name].append(judged(half, other, chosen, seen, held, signal))
    print(f"\n{ratio:g} candidates a place ({count} of each class)")
    print("| choice | adversary, all families | families seen by the choice | held back | inside | signal left |")
    print("|---|---|---|---|---|---|")
    for name, rows in results.items():
        cells = [cell([row[column] for row in rows]) for column in range(5)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def cell(values: list[float]) -> str:
    """Write a mean with its standard error over the draws."""
    known = np.array([value for value in values if np.isfinite(value)])
    return f"{known.mean():.2f} ± {known.std() / np.sqrt(len(known)):.2f}" if len(known) else "–"


def halves(table: Table, draw: int, families: list[str]) -> Iterator[tuple[Half, Table]]:
    """Divide the candidates at random, classes even, and yield either half with the other one."""
    rng = np.random.default_rng(draw)
    positive = np.array([record.label == "ai" for record in table.records])
    first = np.zeros(len(positive), dtype=bool)
    for side in (positive, ~positive):
        rows = rng.permutation(np.flatnonzero(side))
        first[rows[: len(rows) // 2]] = True
    tables = [table.take(np.flatnonzero(side).tolist()) for side in (first, ~first)]
    yield Half(tables[0], families), tables[1]
    yield Half(tables[1], families), tables[0]


def judged(
    half: Half, other: Table, chosen: Bools, seen: list[str], held: list[str], signal: Floats
) -> list[float]:  # fmt: skip
    """Return the AUCs of all families, of those seen and held back, inside the choice, and of the signal."""
    positive = np.concatenate([half.positive, [record.label == "ai" for record in other.records]])
    known = np.concatenate([chosen, np.zeros(len(other.records), dtype=bool)])
    part = np.repeat([0, 1], [len(chosen), len(other.records)])
    given = Pool(chosen=known, positive=positive, groups=[str(row) for row in range(len(known))], part=part)

    def adversary(families: list[str]) -> float:
        if not families:
            return float("nan")
        tables = [np.concatenate([half.table.values[name], other.values[name]]) for name in families]
        scores = learned(prepare(np.concatenate(tables, axis=1))[0], given, "candidates", 42)
        return max(area(kind[known], positive[known]) for kind in scores)

    everything = list(half.table.values) if not held else []
    inside = float("nan")
    if not held:
        matrix, _ = prepare(np.concatenate([half.table.values[name][chosen] for name in seen], axis=1))
        names = [str(group) for group in half.groups[chosen]]
        drawn = crossvalidated(matrix, half.positive[chosen], folds_of(half.positive[chosen], names, 1), 1)
        inside = max(area(scores, half.positive[chosen]) for scores in drawn.values())
    return [
        adversary(everything), adversary(seen) if held else float("nan"), adversary(held), inside,
        area(signal[chosen], half.positive[chosen]),
    ]  # fmt: skip


def area(scores: Floats, positive: Bools | Ints) -> float:
    """Return the AUC of scores."""
    return float(auc(scores[:, None], np.asarray(positive, dtype=bool)[:, None])[0])


if __name__ == "__main__":
    main()
