"""Choose and split the final dataset so that its classes agree in nuisance features, and no group is torn apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import DisjointSet
from threadpoolctl import threadpool_limits

from curate.evidence.measure import Table
from curate.manifest.balance import VALID, Choice, Key, NoSplit, Wanted, divide, evenly, lot, quotas
from curate.manifest.matching.choose import Candidates, choose, hopeless, varies
from curate.manifest.matching.discrepancies import discrepancies, levels
from curate.manifest.matching.scale import normal_scores
from curate.manifest.parts import division, group_name
from imageledger.record import Record
from imageledger.types import Track, untracked

DRAWS = 64
"""Splits that are drawn, of which the one whose two sides are balanced best is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The chosen pictures by key with their side of the split, as pairs (negative, positive), and the loose pairs.

    Loose pairs lie outside the caliper. `hopeless` are the families that were left out, because hardly a candidate
    has a partner in them. `parts` says in which part every candidate was when its part chose alone; it is empty where
    the candidates could not be divided.
    """

    split: Mapping[Key, str]
    pairs: Sequence[tuple[Key, Key]]
    loose: Sequence[tuple[Key, Key]]
    hopeless: Sequence[str]
    parts: Mapping[Key, int]


@threadpool_limits.wrap(limits=1)  # sums in another order must not choose other pictures on another machine
def select(table: Table, positive: str, wanted: Wanted, track: Track = untracked) -> Selection | None:
    """Choose `per_class` pictures of each label whose measured numbers agree, and split them.

    The candidates are divided into parts first, and each part chooses alone (`curate.manifest.parts`). Decided by
    content, seed and numbers: the order of the rows is irrelevant. Sources give as evenly as the matching allows. None
    when no number varies, so that nothing can be matched. Raises NoSplit when the groups allow no split.
    """
    rows = [row for row, _ in sorted(enumerate(table.records), key=lambda pair: _turn(pair[1], wanted.seed))]
    table = table.take(rows)
    choices = [choice_of(record) for record in table.records]
    whole = _candidates(table, choices, positive, wanted)
    if not varies(whole):
        return None
    parts, jobs = _jobs(choices, wanted)
    chosen = np.zeros(len(choices), dtype=bool)
    pairs: list[tuple[int, int]] = []
    loose: list[tuple[int, int]] = []
    without: list[str] = []
    for own, count in track(jobs, len(jobs), "choosing pictures that agree"):
        given = _candidates(table.take(own), [choices[row] for row in own], positive, replace(wanted, per_class=count))
        left_out = hopeless(given)
        without += [name for name in left_out if name not in without]
        matched = choose(_usable(given, left_out), count)
        chosen[[own[row] for row in matched.rows]] = True
        pairs += [(own[one], own[other]) for one, other in matched.pairs]
        loose += [(own[one], own[other]) for one, other in matched.outside]
    split = _split(_usable(whole, without), choices, chosen, pairs, wanted)
    named = [[(choices[one].key, choices[other].key) for one, other in some] for some in (pairs, loose)]
    return Selection(split=split, pairs=sorted(named[0]), loose=sorted(named[1]), hopeless=without, parts=parts)


def _jobs(choices: Sequence[Choice], wanted: Wanted) -> tuple[dict[Key, int], list[tuple[list[int], int]]]:
    """Return the parts, and for each its rows and how many pictures of a label it chooses; one job without parts."""
    divided = division(choices, wanted.per_class, wanted.seed)
    if divided is None:
        return {}, [(list(range(len(choices))), wanted.per_class)]
    parts, counts = divided
    rows = [[row for row, choice in enumerate(choices) if parts[choice.key] == part] for part in range(len(counts))]
    return parts, list(zip(rows, counts, strict=True))


def _usable(given: Candidates, without: Sequence[str]) -> Candidates:
    """Leave out families in which no choice could bring the classes together, unless nothing else varies."""
    if usable := [name for name in given.columns if name not in without]:
        within = given.only(usable)
        return within if varies(within) else given
    return given


def choice_of(record: Record) -> Choice:
    """Return what choosing needs of a record."""
    return Choice(
        key=record.key, label=record.label, source=record.source, origin=record.origin, group=record.group
    )  # fmt: skip


def _turn(record: Record, seed: int) -> tuple[str, Key]:
    return lot(seed, record.origin), record.key


def _candidates(table: Table, choices: Sequence[Choice], positive: str, wanted: Wanted) -> Candidates:
    plain = evenly(choices, wanted)
    due = quotas(choices, wanted)
    cells = sorted({(choice.label, choice.source) for choice in choices})
    groups = {name: number for number, name in enumerate(dict.fromkeys(map(group_name, choices)))}
    return Candidates(
        columns=table.columns,
        values=table.values,
        positive=np.array([choice.label == positive for choice in choices]),
        plain=np.array([choice.key in plain for choice in choices]),
        groups=np.array([groups[group_name(choice)] for choice in choices]),
        sources=np.array([cells.index((choice.label, choice.source)) for choice in choices]),
        quotas=np.array([due[cell] for cell in cells], dtype=np.float64),
    )


def _split(
    given: Candidates,
    choices: Sequence[Choice],
    chosen: NDArray[np.bool_],
    pairs: Sequence[tuple[int, int]],
    wanted: Wanted,
) -> dict[Key, str]:
    """Split what is chosen: pairs whole where the groups allow it, else groups alone, else the plain choice."""
    rows = [int(row) for row in np.flatnonzero(chosen)]
    imbalance = _imbalance(given.take(np.array(rows)), [choices[row].key for row in rows])
    for together in (_blocks(choices, rows, pairs), {row: group_name(choices[row]) for row in rows}):
        own = [replace(choices[row], group=together[row]) for row in rows]
        if drawn := _drawn(own, wanted):
            return min(drawn, key=imbalance)
    return divide(choices, wanted)


def _blocks(choices: Sequence[Choice], rows: Sequence[int], pairs: Sequence[tuple[int, int]]) -> dict[int, str]:
    """Name for each row the block that pairs and groups together make."""
    blocks = DisjointSet(rows)
    first: dict[str, int] = {}
    for row in rows:
        blocks.merge(row, first.setdefault(group_name(choices[row]), row))
    for pair in pairs:
        blocks.merge(*pair)
    return {row: f"block {choices[min(block)].origin}" for block in blocks.subsets() for row in block}


def _drawn(choices: Sequence[Choice], wanted: Wanted) -> list[dict[Key, str]]:
    """Draw splits of the same pictures with different lots; none when the blocks do not add up."""
    try:
        return [divide(choices, replace(wanted, seed=wanted.seed + draw)) for draw in range(DRAWS)]
    except NoSplit:
        return []


def _imbalance(given: Candidates, keys: Sequence[Key]) -> Callable[[Mapping[Key, str]], float]:
    """Return what sums up, for both sides of a split of these pictures, how far the classes differ beyond chance."""
    whole = np.ones(len(keys), dtype=bool)
    kernels = discrepancies(normal_scores(given.columns, given.values), whole, given.positive)

    def differ(side: NDArray[np.bool_]) -> float:
        return float(np.maximum(levels(kernels, side, given.positive) * side.mean(), 1).sum())

    def both(split: Mapping[Key, str]) -> float:
        valid = np.array([split[key] == VALID for key in keys])
        return round(differ(valid) + differ(~valid), 9)

    return both
