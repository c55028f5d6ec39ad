"""Sets in which nothing is planted: what the audit calls a shortcut there is a false alarm, or the limit of the method.

Three kinds beside the division of the same pictures by chance: pictures that are fresh in every set; clusters of
near-duplicates that nobody has declared, each of one class; and pictures with their twins of the other class.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from curate.evidence.permuted import Quick, folds_of
from curate.evidence.probe import PERMUTATIONS, probe
from curate.evidence.verdict import ALL, SHORTCUT, SURE, judged
from imageledger.counted import Counted
from imageledger.intervals import holm
from imageledger.types import Bools, Floats, Ints

Tables = Mapping[str, Floats]

BATCH = 10
"""Null sets tested by one worker before it reports."""

SETS, FRESH = 40, 40
"""So many sets of each other kind; so many pictures in a set of fresh ones."""

COPIES = 4
"""Near-duplicates of a picture in a cluster."""
ALIKE = 0.1
"""How far near-duplicates lie apart, in standard deviations of each number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullSet:
    """The numbers of one set, its labels, and the groups that are declared."""

    values: Tables
    positive: Bools
    groups: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """How many sets of one kind raised an alarm, and whether more than MOST_FALSE_ALARMS count against the audit."""

    kind: str
    found: Counted
    counts: bool


Make = Callable[[Tables, np.random.Generator], NullSet]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nulls:
    """Pictures without any nuisance, and the seeds by which chance calls `positives` of them one class."""

    values: Tables
    positives: int
    seeds: Sequence[int]


def batches(tables: Mapping[str, Tables], positives: int, seed: int, null_sets: int) -> Iterator[Nulls]:
    """Divide the null sets among the untouched deliveries, and those of each into batches."""
    rng = np.random.default_rng([seed, null_sets])
    seeds = rng.integers(1 << 31, size=null_sets).tolist()
    for place, values in enumerate(tables.values()):
        own = seeds[place :: len(tables)]
        for begun in range(0, len(own), BATCH):
            yield Nulls(values=values, positives=positives, seeds=own[begun : begun + BATCH])


def labelled(count: int, positives: int, seed: int | Sequence[int]) -> Bools:
    """Call some of `count` pictures positive, by chance."""
    return np.random.default_rng(seed).permutation(np.arange(count) < positives)


def false_alarms(job: Nulls, *, groups: Sequence[str]) -> list[list[str]]:
    """Return, for each seed, the families (or ALL) that call a division by chance a shortcut.

    The verdicts are those of `probe`, but whatever cannot become a shortcut any more is left out on the way.
    """
    from threadpoolctl import threadpool_limits

    values = _with_all(job.values)
    quicks = {name: Quick(numbers) for name, numbers in values.items()}
    with threadpool_limits(1):  # many small products: threads would only wait for each other
        labels = ((seed, labelled(len(groups), job.positives, seed)) for seed in job.seeds)
        return [_alarms(values, quicks, positive, groups, seed) for seed, positive in labels]


def _with_all(tables: Tables) -> dict[str, Floats]:
    """Return the tables that apply, and all of them side by side."""
    values = {name: numbers for name, numbers in tables.items() if np.isfinite(numbers).any()}
    return {**values, ALL: np.concatenate(list(values.values()), axis=1)}


def _alarms(
    values: Tables, quicks: Mapping[str, Quick], positive: Bools, groups: Sequence[str], seed: int
) -> list[str]:
    folds = folds_of(positive, groups, seed)
    limit = SURE / max(1, len(quicks) - 1)
    final = {name: quick.tested(positive, groups, folds, seed=seed, permutations=PERMUTATIONS, limit=limit).p
             for name, quick in quicks.items()}  # fmt: skip
    families = [name for name in final if name != ALL]
    corrected = dict(zip(families, holm([final[name] for name in families]), strict=True)) | {ALL: final[ALL]}
    return [name for name, p in corrected.items() if p < SURE and _confirmed(name, values, positive, groups, seed, p)]


def _confirmed(name: str, values: Tables, positive: Bools, groups: Sequence[str], seed: int, p: float) -> bool:
    columns = {"suspect": [str(number) for number in range(values[name].shape[1])]}
    (result,) = probe(columns, {"suspect": values[name]}, positive, groups, seed=seed, joint=False)
    return judged(replace(result, p=p), positive).verdict == SHORTCUT


def clusters(values: Tables, rng: np.random.Generator, *, declared: bool) -> NullSet:
    """Let a quarter of the pictures stand in the set four times, each cluster of one class."""
    count = len(next(iter(values.values())))
    sitters = rng.permutation(count)[: count // COPIES]
    rows = np.repeat(sitters, COPIES)
    owner = np.repeat(np.arange(len(sitters)), COPIES)
    classes = rng.permutation(np.arange(len(sitters)) < len(sitters) // 2)
    names = [str(number) for number in (owner if declared else np.arange(len(rows)))]
    return NullSet(values=_near(values, rows, rng), positive=classes[owner], groups=names)


def twins(values: Tables, rng: np.random.Generator, *, declared: bool) -> NullSet:
    """Let half of the pictures stand in the set twice, once in each class."""
    count = len(next(iter(values.values())))
    sitters = rng.permutation(count)[: count // 2]
    rows = np.concatenate([sitters, sitters])
    owner = np.tile(np.arange(len(sitters)), 2)
    names = [str(number) for number in (owner if declared else np.arange(len(rows)))]
    return NullSet(values=_near(values, rows, rng), positive=np.arange(len(rows)) >= len(sitters), groups=names)


def _near(values: Tables, rows: Ints, rng: np.random.Generator) -> Tables:
    """Repeat rows of tables, each a little different."""
    near = {}
    for name, table in values.items():
        spread = np.ma.masked_invalid(table).std(axis=0).filled(0)
        near[name] = table[rows] + ALIKE * spread * rng.normal(size=(len(rows), table.shape[1]))
    return near


def apart(values: Tables) -> list[NullSet]:
    """Divide pictures into sets of FRESH that share none, and each into two classes by chance."""
    names = [str(number) for number in range(FRESH)]
    return [
        NullSet(values={name: table[FRESH * n : FRESH * (n + 1)] for name, table in values.items()},
                positive=labelled(FRESH, FRESH // 2, n), groups=names)
        for n in range(SETS)
    ]  # fmt: skip


def alarm(given: NullSet) -> bool:
    """Tell whether any family, or all together, is called a shortcut."""
    from threadpoolctl import threadpool_limits

    values = _with_all(given.values)
    with threadpool_limits(1):
        quicks = {name: Quick(numbers) for name, numbers in values.items()}
        return bool(_alarms(values, quicks, given.positive, given.groups, seed=0))


KINDS: Sequence[tuple[str, Make, bool]] = (
    ("Near-duplicates of one class, declared", partial(clusters, declared=True), True),
    ("Near-duplicates of one class, not declared", partial(clusters, declared=False), False),
    ("Pictures and their twins of the other class, declared", partial(twins, declared=True), True),
    ("Pictures and their twins of the other class, not declared", partial(twins, declared=False), True),
)
"""The other null sets: what they are, what makes them, and whether their alarms count against the audit."""
