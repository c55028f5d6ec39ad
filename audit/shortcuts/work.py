"""How well the file alone tells the classes apart, stage by stage: manifests in, probes of nuisance features out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from audit.shortcuts.unseen import Unseen, unseen_sources
from curate.evidence import measure as measuring
from curate.evidence.measure import FETCHED, FINAL, MODEL_INPUT, NORMALIZED, STAGES, WHITENED, Table
from curate.evidence.probe import ALL, ENOUGH, FEWEST, PERMUTATIONS, SHORTCUT, Probe, enough, probe
from curate.nuisance import APART, FAMILIES
from imageledger import manifest
from imageledger.config import MANIFEST_OF, Project
from imageledger.engines.local import cores
from imageledger.errors import GateFailed, LedgerError, ManifestError
from imageledger.record import OK, Record, groups_of

EVERY = "all"
"""The choice of every stage that there is."""

MADE_BY = {NORMALIZED: "normalize", WHITENED: "whiten", FINAL: "manifest", MODEL_INPUT: "manifest"}
"""The stage of `curate` that makes the pictures of a stage of the audit."""

Track = Callable[[Iterable[Any], int], Iterable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to probe: which families, from which seed, against how many permutations of the labels."""

    families: tuple[str, ...] = tuple(FAMILIES)
    seed: int = 42
    permutations: int = PERMUTATIONS
    most: int = ENOUGH
    workers: int | None = None

    @classmethod
    def of(
        cls, project: Project, families: Sequence[str], seed: int | None, permutations: int | None, most: int | None
    ) -> Self:
        """Fill in what was left open: every family, the project's seed, the usual permutations and pictures."""
        return cls(
            families=known_families(families) if families else tuple(FAMILIES),
            seed=project.declared.seed if seed is None else seed,
            permutations=PERMUTATIONS if permutations is None else permutations,
            most=ENOUGH if most is None else most,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One stage as the probes saw it; `positive` (bool) belongs to the rows of `table`, the last probe sees all.

    `there` is how many pictures the stage has, more than were looked at where those were enough.
    """

    stage: str
    table: Table
    positive: NDArray[np.bool_]
    probes: tuple[Probe, ...]
    unseen: Unseen | None = None
    there: int = 0

    @property
    def families(self) -> tuple[Probe, ...]:
        """The probes of single families, in the order of every table."""
        return tuple(one for one in self.probes if one.family != ALL)

    @property
    def together(self) -> Probe | None:
        """The probe that saw every family side by side; None where only one family was asked for."""
        return next((one for one in self.probes if one.family == ALL), None)

    @property
    def conclusive(self) -> Probe:
        """The probe that the conclusion speaks of: all together, or the one family that there is."""
        return self.together or self.probes[-1]

    def of(self, family: str) -> Probe | None:
        """Return the probe of a family, or None where it does not apply at this stage."""
        return next((one for one in self.probes if one.family == family), None)

    @property
    def shortcuts(self) -> tuple[Probe, ...]:
        """The families that are shortcuts, the clearest first."""
        return tuple(sorted((one for one in self.families if one.verdict == SHORTCUT), key=lambda one: -one.auc))

    @property
    def counts(self) -> tuple[int, int]:
        """How many pictures of the negative and of the positive class were judged."""
        return int((~self.positive).sum()), int(self.positive.sum())

    @property
    def one_sided(self) -> dict[str, list[str]]:
        """The sources that hold only one class, by that class, the negative one first; empty where there are none."""
        held: dict[str, set[str]] = {}
        for record in self.table.records:
            held.setdefault(record.source, set()).add(record.label)
        labels = dict.fromkeys(self.table.records[row].label for row in np.argsort(self.positive, kind="stable"))
        alone = {label: sorted(source for source, has in held.items() if has == {label}) for label in labels}
        return {label: sources for label, sources in alone.items() if sources}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One audit of one dataset: its stages in the order in which they are made, and those that are not there."""

    dataset: str
    labels: tuple[str, str]
    asked: Asked
    judged: tuple[Judged, ...]
    absent: tuple[str, ...] = ()

    @property
    def last(self) -> Judged:
        """The stage that counts: the final pictures where they were looked at, else the furthest ones."""
        return next((one for one in self.judged if one.stage == FINAL), self.judged[-1])

    def refuse_shortcuts(self) -> None:
        """Raise GateFailed when the pictures of the last stage, or what a model sees of them, hold a shortcut."""
        counted = [one for one in self.judged if one is self.last or one.stage == MODEL_INPUT]
        for one in counted:
            if names := [title_of(probe.family) for probe in one.probes if probe.verdict == SHORTCUT]:
                raise GateFailed(
                    f"{one.stage}: {len(names)} of {len(one.probes)} probes found a shortcut: {', '.join(names)}",
                    "shortcuts.html says what to do about each; without --fail-on this is no error",
                )


def look(
    project: Project,
    asked: Asked,
    *,
    source: Path | None = None,
    stage: str | None = None,
    track: Callable[[str], Track] = lambda _: lambda rows, _: rows,
    say: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Measure and probe one stage (default: the final pictures, or the furthest made), or "all" of them.

    `source` names a manifest file to look at instead of those of the project; its earlier stages are found through
    the steps of its records. Raises LedgerError for a stage that is not there, for too few pictures, and when there is
    no manifest.
    """
    made = {FINAL: source} if source else manifests_made(project)
    furthest = list(manifest.read(list(made.values())[-1]))
    there = _stages_in(furthest) if source else (*made, *([MODEL_INPUT] if FINAL in made else []))
    chosen = _chosen(stage, there, source)
    groups = {record.key: record for record in furthest}
    judged = []
    for name in chosen:
        rows = furthest if source else manifest.read(made[FINAL if name == MODEL_INPUT else name])
        records = list(rows_at(rows, name))
        labels, there_are = _two_classes(records, project.declared.labels, name), len(records)
        records = enough(records, asked.most)
        doing = f"measuring {name}"
        table = measuring.measure(
            project, records, asked.families, stage=name, workers=asked.workers, track=track(doing)
        )
        say(f"probing {name}: {len(records)} pictures, {asked.permutations} permutations of their labels")
        judged.append(replace(judge(name, table, labels, groups, asked), there=there_are))
    absent = tuple(name for name in STAGES if name not in there) if stage == EVERY else ()
    return Audit(
        dataset=project.dataset, labels=_pair(project.declared.labels), asked=asked, judged=tuple(judged),
        absent=absent,
    )  # fmt: skip


def judge(
    stage: str, table: Table, labels: tuple[str, str], known: Mapping[tuple[str, str], Record], asked: Asked
) -> Judged:
    """Probe measured pictures; `known` are the rows of the furthest manifest, which knows the near-duplicates."""
    positive = np.array([record.label == labels[1] for record in table.records])
    groups = groups_of([known.get(record.key, record) for record in table.records])
    probes = probe(
        table.columns, table.values, positive, groups, seed=asked.seed, permutations=asked.permutations,
        workers=asked.workers or cores(), joint=len(asked.families) > 1, apart=APART,
    )  # fmt: skip
    if not probes:
        raise LedgerError(
            f"none of the families asked for applies to {stage} pictures: {', '.join(table.columns) or 'none is left'}",
            "audit shortcuts without --family measures all of them",
        )
    unseen = unseen_sources(table, positive, groups, seed=asked.seed)
    return Judged(stage=stage, table=table, positive=positive, probes=tuple(probes), unseen=unseen)


def title_of(name: str) -> str:
    """Name a family, or all together, as people read it."""
    return "all together" if name == ALL else name.replace("_", " ")


def known_families(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of families as the code writes them, in the order of every table; LedgerError for unknown ones."""
    plain = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in names]
    if unknown := [name for name, code in zip(names, plain, strict=True) if code not in FAMILIES]:
        raise LedgerError(
            f"there is no family {unknown[0]!r}", f"one of {', '.join(name.replace('_', '-') for name in FAMILIES)}"
        )
    return tuple(name for name in FAMILIES if name in plain)


def manifests_made(project: Project) -> dict[str, Path]:
    """Return the manifests of the project that hold pictures of a stage; ManifestError when there is none."""
    paths = {MANIFEST_OF[stage]: project.manifest(stage) for stage in project.declared.order if stage != "dedupe"}
    made = {name: path for name, path in paths.items() if path.is_file()}
    if not made:
        raise ManifestError(
            f"dataset {project.dataset} has no manifest in {project.folder}", "curate fetch SOURCE makes the first one"
        )
    return made


def rows_at(records: Iterable[Record], stage: str) -> Iterator[Record]:
    """Yield the pictures in use, as they were at a stage: of a final manifest those with a split, else all `ok`.

    Near-duplicates were pictures like any other before they were found, so early stages keep them.
    """
    for record in records:
        chosen = record.status == OK and (record.split or stage not in (FINAL, MODEL_INPUT))
        if chosen and (then := as_it_was(record, stage)):
            yield then


def as_it_was(record: Record, stage: str) -> Record | None:
    """Return a record as it left a stage, with the file and the matte of then; None when it has not been there."""
    if stage not in (NORMALIZED, WHITENED):
        return record
    names = [step.did.partition("@")[0] for step in record.steps]
    if MADE_BY[stage] not in names:
        return None
    after = len(names) - names[::-1].index(MADE_BY[stage])
    file = record.steps[after].on if after < len(record.steps) else record.file
    matte = record.matte if "whiten" in names[:after] else ""
    return replace(record, file=file, matte=matte, steps=record.steps[:after])


def _stages_in(records: Sequence[Record]) -> tuple[str, ...]:
    """Name the stages that the records of one manifest have been through."""
    through = {step.did.partition("@")[0] for record in records if record.status == OK for step in record.steps}
    split = any(record.split for record in records)
    there = {NORMALIZED: "normalize" in through, WHITENED: "whiten" in through, FINAL: split, MODEL_INPUT: split}
    return (FETCHED, *(name for name, is_there in there.items() if is_there))


def _chosen(stage: str | None, there: Sequence[str], source: Path | None) -> tuple[str, ...]:
    if stage == EVERY:
        return tuple(there)
    if stage is None:
        return (FINAL if FINAL in there else there[-1],)
    if stage not in there:
        where = f"in {source}" if source else "yet"
        raise ManifestError(
            f"there are no {stage} pictures {where}", f"curate {MADE_BY.get(stage, 'fetch')} makes them; "
            f"those that can be looked at: {', '.join(there)}",
        )  # fmt: skip
    return (stage,)


def _two_classes(records: Sequence[Record], declared: tuple[str, ...], stage: str) -> tuple[str, str]:
    labels = _pair(declared)
    counts = Counter(record.label for record in records)
    if strange := sorted(set(counts) - set(labels)):
        raise ManifestError(
            f"{stage}: {counts[strange[0]]} pictures are labelled {strange[0]!r}",
            f"the labels of this project are {', '.join(labels)}",
        )
    held = ", ".join(f"{counts[label]} {label}" for label in labels)
    if lacking := [label for label in labels if not counts[label]]:
        raise ManifestError(
            f"{stage}: there is no {lacking[0]} picture ({held}): with one class there is nothing to tell apart",
            f"fetch pictures labelled {lacking[0]}",
        )
    if min(counts[label] for label in labels) < FEWEST:
        raise ManifestError(
            f"{stage}: too few pictures to judge ({held})",
            f"at least {FEWEST} of each class are needed, and 100 to see more than the largest differences",
        )
    return labels


def _pair(labels: tuple[str, ...]) -> tuple[str, str]:
    first, last = labels
    return first, last
