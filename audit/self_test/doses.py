"""Dose and response: of each plant in a part of one class, and at half its strength, how many does the audit find?

A plant in a share s of a class is drawn DRAWS times: who is of which class, and who of them has it. It is found when a
family that may name it would be called a shortcut, with the p-value corrected over all families (Bonferroni).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from audit.self_test.halves import half_of
from audit.self_test.plants import Plant
from curate.evidence.permuted import Quick, folds_of
from curate.evidence.probe import PERMUTATIONS, probe
from curate.evidence.verdict import SHORTCUT, SURE, judged
from curate.nuisance.seen import Values
from imageledger.counted import Counted, of_each
from imageledger.types import Bools, Floats, Row

SHARES = (0.1, 0.2, 0.3, 0.5, 1.0)
"""The shares of one class that have a plant."""
DRAWS = 10

Measured = Mapping[str, Mapping[str, Values]]
"""What one sitter gave: delivery -> family -> feature -> number."""
Spread = Callable[[Callable[[Any], Any], Iterable[Any], int, str], list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """A plant in a share (0..1) of one class, at its whole strength or at half, and which draws it is found in."""

    plant: Plant
    share: float
    half: bool
    found: Counted

    @property
    def column(self) -> str:
        """Name the dose as the table and the figure do."""
        return "half strength" if self.half else f"{100 * self.share:.0f} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """The numbers of a plant's own families on the plain pictures and on the touched ones."""

    plain: Mapping[str, Floats]
    touched: Mapping[str, Floats]
    share: float
    seed: Sequence[int]


def wanted(plants: Sequence[Plant], untouched: Sequence[str]) -> list[str]:
    """Name all deliveries that doses need."""
    names = [name for plant in plants for name in (plant.plain, plant.touched, half_of(plant)) if name]
    return list(dict.fromkeys([*untouched, *names]))


def doses(
    plants: Sequence[Plant], seen: Sequence[Measured], groups: Sequence[str], *, seed: int, spread: Spread,
    table: Callable[[Sequence[Mapping[str, Values]]], Mapping[str, Floats]],
) -> list[Dose]:  # fmt: skip
    """Plant every dose DRAWS times and count what is found; `table` makes arrays of what pictures gave."""
    families = len(seen[0][plants[0].plain]) if plants else 1
    asked = list(_asked(plants))
    jobs: Iterator[_Job] = (
        _Job(
            plain=_own(plant, table([picture[plant.plain] for picture in seen])),
            touched=_own(plant, table([picture[half_of(plant) if half else plant.touched] for picture in seen])),
            share=share, seed=(seed, number),
        )
        for number, (plant, share, half) in enumerate(asked)
    )  # fmt: skip
    found = spread(
        partial(_found, groups=groups, limit=SURE / families), jobs, len(asked), "planting in parts of a class"
    )
    return [
        Dose(plant=plant, share=share, half=half, found=of_each(hits))
        for (plant, share, half), hits in zip(asked, found, strict=True)
    ]


def rows(given: Sequence[Dose]) -> list[Row]:
    """Return one row per plant, its doses side by side."""
    names = dict.fromkeys(dose.plant.name for dose in given)
    columns = list(dict.fromkeys(dose.column for dose in given))
    by_cell = {(dose.plant.name, dose.column): f"{dose.found.hits}/{dose.found.total}" for dose in given}
    return [{"plant": name, **{column: by_cell.get((name, column), "–") for column in columns}} for name in names]


def csv_rows(given: Sequence[Dose]) -> list[Row]:
    """Return one row per plant and dose."""
    return [
        {"plant": dose.plant.name, "share": dose.share, "strength": 0.5 if dose.half else 1.0,
         "found": dose.found.hits, "draws": dose.found.total}
        for dose in given
    ]  # fmt: skip


def _asked(plants: Sequence[Plant]) -> Iterator[tuple[Plant, float, bool]]:
    for plant in plants:
        yield from ((plant, share, False) for share in SHARES)
        if half_of(plant):
            yield plant, 1.0, True


def _own(plant: Plant, tables: Mapping[str, Floats]) -> Mapping[str, Floats]:
    return {name: tables[name] for name in plant.families}


def _found(job: _Job, *, groups: Sequence[str], limit: float) -> list[bool]:
    """Plant one dose again and again; return of each draw whether a family that may name it does."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return [_once(job, groups, limit, draw) for draw in range(DRAWS)]


def _once(job: _Job, groups: Sequence[str], limit: float, draw: int) -> bool:
    rng = np.random.default_rng([*job.seed, draw])
    count = len(groups)
    positive = rng.permutation(np.arange(count) < count // 2)
    planted = np.zeros(count, dtype=bool)
    planted[rng.permutation(np.flatnonzero(positive))[: round(job.share * positive.sum())]] = True
    return any(
        _named(np.where(planted[:, None], job.touched[name], job.plain[name]), positive, groups, limit, draw)
        for name in job.plain
    )


def _named(values: Floats, positive: Bools, groups: Sequence[str], limit: float, seed: int) -> bool:
    """Tell whether a family would be called a shortcut; the dear part only where the cheap one allows it."""
    folds = folds_of(positive, groups, seed)
    p = Quick(values).tested(positive, groups, folds, seed=seed, permutations=PERMUTATIONS, limit=limit).p
    if p >= limit:
        return False
    columns = {"suspect": [str(number) for number in range(values.shape[1])]}
    (result,) = probe(columns, {"suspect": values}, positive, groups, seed=seed, joint=False)
    return judged(replace(result, p=p * SURE / limit), positive).verdict == SHORTCUT
