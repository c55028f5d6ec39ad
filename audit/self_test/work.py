"""Is the audit of shortcuts right? Plant nuisances and see them named; plant none and see none.

Every sitter is delivered untouched, and with each plant that its half of a set calls for, and measured straight
away. A planted set gives the plant to one class chosen by chance; a null set only has the classes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.findings import Finding, Report, Severity, csv_bytes, notes
from audit.self_test import doses, figure, nulls, page
from audit.self_test.doses import Measured, Spread
from audit.self_test.halves import deliver
from audit.self_test.judge import PlantProbes, SelfTest, for_people
from audit.self_test.nulls import Alarms
from audit.self_test.plants import AS_IT_IS, PLANTS, UNTOUCHED, WHITE, Plant
from audit.self_test.portraits import Sitters, sitters
from curate.evidence.probe import probe
from curate.nuisance import FAMILIES, family
from curate.nuisance.seen import Values
from imageledger.config import Project
from imageledger.counted import of_each
from imageledger.engines.local import cores, ordered_map
from imageledger.types import Bools, Track, untracked

Columns = Mapping[str, Sequence[str]]
Tables = Mapping[str, NDArray[np.float64]]
PER_CLASS, NULL_SETS = 100, 200
QUICK_PER_CLASS, QUICK_NULL_SETS = 60, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestSettings:
    """`quick` tries fewer pictures, plants and null sets; `seed` fixes pictures, plants and permutations.

    `thorough` also plants in parts of a class and at half strength, and tries other null sets: half an hour on 2 cores.
    """

    quick: bool = False
    thorough: bool = False
    seed: int = 42
    workers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One planted set: its numbers, and which pictures have the plant."""

    plant: Plant
    columns: Columns
    values: Tables
    positive: Bools


def self_test(
    project: Project | None = None, *, settings: SelfTestSettings = SelfTestSettings(), track: Track = untracked
) -> Report:
    """Report whether the audit of shortcuts names what is planted, and stays silent where nothing is.

    The plants go into the project's own pictures, or into drawn ones where there is no project or too few pictures.
    """
    test = run(project, settings=settings, track=track)
    rows, dosed = test.rows(), doses.csv_rows(test.doses)
    missed = [Finding(severity=Severity.PROBLEM, sentence=line) for line in test.sentences[:2]]
    tables = {"plants": list(map(for_people, rows)), "Found, by the share of one class that has the plant":
              doses.rows(test.doses)}  # fmt: skip
    contents = {
        "doses.csv": lambda: csv_bytes(tuple(dosed[0]), dosed),
        "doses.png": lambda: figure.png(test.doses, test.sentences[0]),
    }  # fmt: skip
    return Report(
        audit="self-test", subject=project.dataset if project else "drawn portraits",
        verdict="PASSED" if test.passed else "FAILED",
        findings=notes(*test.sentences) if test.passed else [*missed, *notes(*test.sentences[2:])],
        tables=tables, rows=rows, contents=contents if test.doses else {},
        variant=("quick" if settings.quick else "",),
        folder=project.root / "data" / "audit" / "self-test" if project else Path("self-test"),
        data={"plants": rows, "doses": dosed, "sentences": test.sentences, "passed": test.passed},
        refusal=None if test.passed else ("the audit of shortcuts failed its own test", "the lines above say where"),
        drawings=lambda: page.drawings(test), page="self-test-thorough.html" if settings.thorough else "",
    )  # fmt: skip


def run(project: Project | None, *, settings: SelfTestSettings, track: Track = untracked) -> SelfTest:
    """Plant every nuisance, and none, and probe each set.

    `track` shows the progress of every phase: pictures that are measured, planted sets, batches of null sets, doses.
    """
    quick, seed, workers = settings.quick, settings.seed, settings.workers or cores()
    each, null_sets = (QUICK_PER_CLASS, QUICK_NULL_SETS) if quick else (PER_CLASS, NULL_SETS)
    people = sitters(project, 2 * each, seed)
    plants = [plant for plant in PLANTS if (plant.small or not quick) and (people.with_mattes or plant.plain != WHITE)]
    untouched = [name for name in UNTOUCHED if people.with_mattes or name != WHITE]
    labels = [nulls.labelled(2 * each, each, [seed, number]) for number in range(len(plants))]
    every = [tuple(doses.wanted(plants, untouched))] * (2 * each)
    wanted = every if settings.thorough else [_deliveries(n, plants, labels, untouched) for n in range(2 * each)]

    def spread(work: Callable[[Any], Any], jobs: Iterable[Any], total: int, phase: str) -> list[Any]:
        return list(track(ordered_map(work, ((job, None) for job in jobs), workers=workers), total, phase))

    seen = spread(partial(measured, people=people, seed=seed), enumerate(wanted), len(wanted), "measuring pictures")
    sets = (planted(plant, seen, positive) for plant, positive in zip(plants, labels, strict=True))
    probed = spread(partial(probe_plant, groups=people.groups, seed=seed), sets, len(plants), "probing planted sets")
    tables = {name: table([picture[name] for picture in seen]) for name in untouched}
    batches = list(nulls.batches(tables, each, seed, null_sets))
    alarms = spread(
        partial(nulls.false_alarms, groups=people.groups), batches, len(batches), "probing sets without a plant"
    )
    test = SelfTest(planted=probed, alarms=[families for batch in alarms for families in batch], sitters=people)
    if not settings.thorough:
        return test
    given = doses.doses(plants, seen, people.groups, seed=seed, spread=spread, table=table)
    return replace(test, doses=given, others=_others(tables[AS_IT_IS], seed, spread))


def _others(values: Tables, seed: int, spread: Spread) -> list[Alarms]:
    """Try null sets of fresh pictures, which are always drawn, and of clusters and twins, declared or not."""
    count = nulls.SETS * nulls.FRESH
    people = Sitters(groups=[str(number) for number in range(count)], seed=seed + 1)
    fresh = spread(
        partial(measured, people=people, seed=seed),
        ((n, (AS_IT_IS,)) for n in range(count)),
        count,
        "measuring fresh pictures",
    )
    whole = table([picture[AS_IT_IS] for picture in fresh])
    sets = [("Fresh pictures in every set", nulls.apart(whole), True)]
    for number, (kind, make, counts) in enumerate(nulls.KINDS):
        made = [make(values, np.random.default_rng([seed, number, n])) for n in range(nulls.SETS)]
        sets.append((kind, made, counts))
    return [
        Alarms(
            kind=kind, counts=counts, found=of_each(spread(nulls.alarm, given, len(given), f"probing: {kind.lower()}"))
        )
        for kind, given, counts in sets
    ]


def measured(job: tuple[int, Sequence[str]], *, people: Sitters, seed: int) -> Measured:
    """Deliver one sitter in several ways and measure every family on each."""
    number, deliveries = job
    sitter, numbers = people.sitter(number), {}
    for name in deliveries:
        seen = deliver(name, sitter, seed).seen()
        numbers[name] = {each: dict(family(each).measure(seen)) for each in FAMILIES}
    return numbers


def planted(plant: Plant, seen: Sequence[Measured], positive: Bools) -> Planted:
    """Put a planted set together from what its pictures gave."""
    rows = [picture[plant.touched if touched else plant.plain] for picture, touched in zip(seen, positive, strict=True)]
    columns = {name: sorted(rows[0][name]) for name in rows[0]}
    return Planted(plant=plant, columns=columns, values=table(rows), positive=positive)


def table(rows: Sequence[Mapping[str, Values]]) -> Tables:
    """Gather numbers of many pictures into one array a family: pictures x features, these by name."""
    return {
        name: np.array([[row[name][key] for key in sorted(rows[0][name])] for row in rows], dtype=np.float64)
        for name in rows[0]
    }


def probe_plant(job: Planted, *, groups: Sequence[str], seed: int) -> PlantProbes:
    """Probe one planted set, family by family."""
    probes = probe(job.columns, job.values, job.positive, groups, seed=seed, joint=False)
    return PlantProbes(plant=job.plant, probes=sorted(probes, key=lambda result: -result.auc))


def _deliveries(
    number: int, plants: Sequence[Plant], labels: Sequence[Bools], untouched: Sequence[str]
) -> tuple[str, ...]:
    """Return in which ways one sitter is needed: untouched for the null sets, and on its side of each planted set."""
    sides = (plant.touched if own[number] else plant.plain for plant, own in zip(plants, labels, strict=True))
    return tuple(dict.fromkeys((*untouched, *sides)))
