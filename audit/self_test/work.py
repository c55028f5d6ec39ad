"""Is the audit of shortcuts right? Plant nuisances and see them named; plant none and see none.

Every sitter is delivered untouched, and with each plant that its half of a set calls for, and measured straight
away. A planted set gives the plant to one class chosen by chance; a null set only has the classes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.findings import Finding, Report, Severity, notes
from audit.self_test.plants import PLANTS, UNTOUCHED, WHITE, Plant, deliver
from audit.self_test.portraits import Sitters, sitters
from audit.words import family_in_words
from curate.evidence.permuted import Quick, folds_of
from curate.evidence.probe import PERMUTATIONS, probe
from curate.evidence.verdict import ALL, SHORTCUT, SURE, Probe, judged
from curate.nuisance import FAMILIES, family
from curate.nuisance.seen import Values
from imageledger.config import Project
from imageledger.counted import of_each
from imageledger.engines.local import cores, ordered_map
from imageledger.intervals import holm, with_interval
from imageledger.types import Bools, Row, Track, untracked

Columns = Mapping[str, Sequence[str]]
Tables = Mapping[str, NDArray[np.float64]]
Measured = Mapping[str, Mapping[str, Values]]
"""What one sitter gave: delivery -> family -> feature -> number."""

PER_CLASS, NULL_SETS = 100, 200
QUICK_PER_CLASS, QUICK_NULL_SETS = 60, 40

MOST_FALSE_ALARMS = 0.05
AMONG_THE_STRONGEST = 0.05
"""A family that names a plant is at most this much AUC below the family that separates best."""

BATCH = 10
"""Null sets tested by one worker before it reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestSettings:
    """`quick` tries fewer pictures, plants and null sets; `seed` fixes pictures, plants and permutations."""

    quick: bool = False
    seed: int = 42
    workers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One planted set: its numbers, and which pictures have the plant."""

    plant: Plant
    columns: Columns
    values: Tables
    positive: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Nulls:
    """Pictures without any nuisance, and the seeds by which chance calls `positives` of them one class."""

    values: Tables
    positives: int
    seeds: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantProbes:
    """The probes of one planted set, the strongest family first."""

    plant: Plant
    probes: Sequence[Probe]

    @property
    def named(self) -> Probe:
        """The strongest of the families that may rightly name the plant."""
        return next(probe for probe in self.probes if probe.family in self.plant.families)

    @property
    def right(self) -> bool:
        """Whether a right family calls it a shortcut and is among the strongest."""
        return self.named.verdict == SHORTCUT and self.named.auc >= self.probes[0].auc - AMONG_THE_STRONGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """The probes of every planted set; `alarms` holds, for every null set, the families that gave a false alarm."""

    planted: Sequence[PlantProbes]
    alarms: Sequence[Sequence[str]]
    sitters: Sitters

    @property
    def false_alarms(self) -> int:
        """In how many null sets at least one family, or all together, were called a shortcut."""
        return sum(bool(families) for families in self.alarms)

    @property
    def passed(self) -> bool:
        """Whether every plant was rightly named, and false alarms are no more than allowed."""
        return all(plant.right for plant in self.planted) and self.false_alarms <= MOST_FALSE_ALARMS * len(self.alarms)

    def rows(self) -> list[Row]:
        """Return one row per plant: what was planted, which families may name it, and what the probes named."""
        return [_row(plant) for plant in self.planted]

    @property
    def sentences(self) -> list[str]:
        """Say in words how many plants were named, and how many alarms were false."""
        right, each = sum(plant.right for plant in self.planted), len(self.sitters.groups) // 2
        of = "of this project" if self.sitters.own else "drawn for this test"
        lines = [
            f"The right family named {right} of {len(self.planted)} planted nuisances, with {each} portraits {of} in "
            "each class.",
            f"False alarms: {of_each(map(bool, self.alarms))} of the sets in which nothing was "
            f"planted; at most {100 * MOST_FALSE_ALARMS:.0f} % are allowed.",
        ]
        if not self.sitters.with_mattes:
            lines.append("Nothing was planted in cut-outs: these portraits have no mattes, which curate whiten makes.")
        return lines


def self_test(
    project: Project | None = None, *, settings: SelfTestSettings = SelfTestSettings(), track: Track = untracked
) -> Report:
    """Report whether the audit of shortcuts names what is planted, and stays silent where nothing is.

    The plants go into the project's own pictures, or into drawn ones where there is no project or too few pictures.
    """
    test = run(project, settings=settings, track=track)
    rows = test.rows()
    missed = [Finding(severity=Severity.PROBLEM, sentence=line) for line in test.sentences[:2]]
    return Report(
        audit="self-test", subject=project.dataset if project else "drawn portraits",
        verdict="PASSED" if test.passed else "FAILED",
        findings=notes(*test.sentences) if test.passed else [*missed, *notes(*test.sentences[2:])],
        tables={"plants": list(map(_for_people, rows))}, rows=rows,
        data={"plants": rows, "sentences": test.sentences, "passed": test.passed},
        refusal=None if test.passed else ("the audit of shortcuts failed its own test", "the lines above say where"),
    )  # fmt: skip


def run(project: Project | None, *, settings: SelfTestSettings, track: Track = untracked) -> SelfTest:
    """Plant every nuisance, and none, and probe each set.

    `track` shows the progress of three loops: the pictures that are measured, the planted sets, and batches of null
    sets.
    """
    quick, seed, workers = settings.quick, settings.seed, settings.workers or cores()
    each, null_sets = (QUICK_PER_CLASS, QUICK_NULL_SETS) if quick else (PER_CLASS, NULL_SETS)
    people = sitters(project, 2 * each, seed)
    plants = [plant for plant in PLANTS if (plant.small or not quick) and (people.with_mattes or plant.plain != WHITE)]
    untouched = [name for name in UNTOUCHED if people.with_mattes or name != WHITE]
    labels = [labelled(2 * each, each, [seed, number]) for number in range(len(plants))]
    wanted = [_deliveries(number, plants, labels, untouched) for number in range(2 * each)]

    def spread(work: Callable[[Any], Any], jobs: Iterable[Any], total: int) -> list[Any]:
        return list(track(ordered_map(work, ((job, None) for job in jobs), workers=workers), total, "self-test"))

    seen = spread(partial(measured, people=people, seed=seed), enumerate(wanted), len(wanted))
    sets = (planted(plant, seen, positive) for plant, positive in zip(plants, labels, strict=True))
    probed = spread(partial(probe_plant, groups=people.groups, seed=seed), sets, len(plants))
    batches = list(_batches(untouched, seen, seed, null_sets))
    alarms = spread(partial(false_alarms, groups=people.groups), batches, len(batches))
    return SelfTest(planted=probed, alarms=[families for batch in alarms for families in batch], sitters=people)


def labelled(count: int, positives: int, seed: int | Sequence[int]) -> Bools:
    """Call some of `count` pictures positive, by chance."""
    return np.random.default_rng(seed).permutation(np.arange(count) < positives)


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


def false_alarms(job: Nulls, *, groups: Sequence[str]) -> list[list[str]]:
    """Return, for each seed, the families (or ALL) that call a division by chance a shortcut.

    The verdicts are those of `probe`, but whatever cannot become a shortcut any more is left out on the way.
    """
    from threadpoolctl import threadpool_limits

    values = {name: numbers for name, numbers in job.values.items() if np.isfinite(numbers).any()}
    values[ALL] = np.concatenate(list(values.values()), axis=1)
    quicks = {name: Quick(numbers) for name, numbers in values.items()}
    with threadpool_limits(1):  # many small products: threads would only wait for each other
        labels = ((seed, labelled(len(groups), job.positives, seed)) for seed in job.seeds)
        return [_alarms(values, quicks, positive, groups, seed) for seed, positive in labels]


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


def _deliveries(
    number: int, plants: Sequence[Plant], labels: Sequence[Bools], untouched: Sequence[str]
) -> tuple[str, ...]:
    """Return in which ways one sitter is needed: untouched for the null sets, and on its side of each planted set."""
    sides = (plant.touched if own[number] else plant.plain for plant, own in zip(plants, labels, strict=True))
    return tuple(dict.fromkeys((*untouched, *sides)))


def _batches(untouched: Sequence[str], seen: Sequence[Measured], seed: int, null_sets: int) -> Iterator[Nulls]:
    """Divide the null sets among the untouched deliveries, and those of each into batches."""
    rng = np.random.default_rng([seed, null_sets])
    seeds = rng.integers(1 << 31, size=null_sets).tolist()
    for place, name in enumerate(untouched):
        values, own = table([picture[name] for picture in seen]), seeds[place :: len(untouched)]
        for begun in range(0, len(own), BATCH):
            yield Nulls(values=values, positives=len(seen) // 2, seeds=own[begun : begun + BATCH])


def _row(probed: PlantProbes) -> Row:
    named = probed.named
    strongest = [rival for rival in probed.probes if rival.verdict == SHORTCUT and rival.auc > named.auc][:2]
    return {
        "plant": probed.plant.name,
        "may be named": ", ".join(family_in_words(name) for name in probed.plant.families),
        "named": family_in_words(named.family) if named.verdict == SHORTCUT else "",
        "AUC": round(named.auc, 3),
        "interval": f"{named.low:.2f}–{named.high:.2f}",
        "p": round(named.p, 4),
        "verdict": named.verdict,
        "stronger still": ", ".join(f"{family_in_words(rival.family)} {rival.auc:.2f}" for rival in strongest),
        "right": "yes" if probed.right else "NO",
    }


def _for_people(row: Row) -> Row:
    low, high = map(float, row["interval"].split("–"))
    words = {"AUC": with_interval(row["AUC"], low, high), "p": f"{row['p']:.4f}"}
    return {name: words.get(name, value) for name, value in row.items() if name != "interval"}
