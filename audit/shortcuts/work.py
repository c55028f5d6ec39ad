"""Measure the pictures of a dataset at its stages, and probe the numbers: manifests in, a report out."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audit.findings import Report
from audit.shortcuts import report
from audit.shortcuts.judge import MADE_BY, DatasetProbes, StageProbes
from audit.shortcuts.unseen import unseen_sources
from audit.shortcuts.way_out import CROSSED, RELIED
from curate.evidence import measure as measuring
from curate.evidence.looks import FIRST, Look, look
from curate.evidence.measure import FETCHED, FINAL, MODEL_INPUT, NORMALIZED, STAGES, WHITENED, Table
from curate.evidence.probe import ENOUGH, FEWEST, PERMUTATIONS, enough, probe
from curate.evidence.verdict import SURE
from curate.history import done_to
from curate.manifest.chosen import Chosen, chosen_by_numbers, judged_elsewhere, matched_on
from curate.nuisance import FAMILIES, apart, known
from curate.nuisance.spelling import spelled
from imageledger import manifest as manifests
from imageledger.config import MANIFEST_OF, Project
from imageledger.engines.local import cores
from imageledger.errors import ConfigError, LedgerError, ManifestError
from imageledger.record import OK, Record, groups_of
from imageledger.types import Key, Track, untracked
from train.runs import cross_validated

EVERY = "all"
"""The choice of every stage that there is."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortcutsSettings:
    """What to probe: at which stage, which families, from which seed, against how many permutations of the labels.

    Left open: the final pictures (or the furthest made), all families, the seed of the project. At most `most`
    pictures of each label are measured, by `workers` processes (None takes all cores).
    """

    stage: str | None = None
    family: str | Sequence[str] = ()
    seed: int | None = None
    permutations: int = PERMUTATIONS
    most: int = ENOUGH
    workers: int | None = None


def shortcuts(
    project: Project,
    manifest: str | Path | None = None,
    *,
    settings: ShortcutsSettings = ShortcutsSettings(),
    track: Track = untracked,
) -> Report:
    """Report whether the classes can be told apart without looking at a face, and by which families of numbers.

    `manifest` names a manifest file to use instead of those of the project. Raises LedgerError for an unknown family,
    for a stage that is not there, for too few pictures, and when there is no manifest.
    """
    probes = probe_stages(project, manifest, settings=settings, track=track)
    own = Path(manifest or "").name.removesuffix(".gz").removesuffix(".jsonl")
    stage = "" if settings.stage == EVERY else probes.last.stage
    variant = (own, stage, *variant_of(settings))
    return report.report(project, probes, project.root / "data" / "audit" / "shortcuts", variant)


def variant_of(settings: ShortcutsSettings) -> tuple[str, ...]:
    """Say in what a look is not a whole one: it measures some families alone, or fewer pictures than are enough."""
    families = [spelled(name) for name in families_of(settings.family)] if settings.family else []
    return (*families, *([f"most-{settings.most}"] if settings.most < ENOUGH else []))


def probe_stages(
    project: Project,
    manifest: str | Path | None = None,
    *,
    settings: ShortcutsSettings = ShortcutsSettings(),
    track: Track = untracked,
) -> DatasetProbes:
    """Measure and probe one stage, or "all" of them; earlier stages are found through the steps of the records."""
    families = families_of(settings.family)
    refuse_few_permutations(families, settings.permutations)
    seed = project.declared.seed if settings.seed is None else settings.seed
    source = None if manifest is None else Path(manifest)
    made = {FINAL: source} if source else manifests_made(project)
    furthest = list(manifests.read(list(made.values())[-1]))
    there = _stages_in(furthest) if source else (*made, *([MODEL_INPUT] if FINAL in made else []))
    groups = {record.key: record for record in furthest}
    stages, digests = [], {}
    for name in _chosen(settings.stage, there, source):
        rows = furthest if source else manifests.read(made[FINAL if name == MODEL_INPUT else name])
        records = list(rows_at(rows, name))
        labels, there_are = two_classes(records, project.declared.labels, name), len(records)
        records = enough(records, settings.most)
        chosen = chosen_by_numbers(made[FINAL], furthest) if name in (FINAL, MODEL_INPUT) else None
        others = enough(chosen.others, settings.most) if chosen else []
        table = measuring.measure(
            project, [*records, *others], families, stage=name, workers=settings.workers, track=track
        )
        permutations = settings.permutations
        log.info("probing %s: %d pictures, %d permutations of their labels", name, len(records), permutations)
        own, this = replace(settings, family=families, seed=seed), look(project, name, records, seed)
        stage = probe_stage(name, table.take(range(len(records))), labels, groups, own, this, track)
        if chosen:
            stage = judge_elsewhere(stage, table, chosen, labels, groups, own, track)
        stages.append(replace(stage, there=there_are))
        digests[name] = manifests.digest(source or made[FINAL if name == MODEL_INPUT else name])
    return DatasetProbes(
        dataset=project.dataset, labels=_pair(project.declared.labels), stages=tuple(stages), families=families,
        seed=seed, permutations=settings.permutations, most=settings.most,
        absent=tuple(name for name in STAGES if name not in there) if settings.stage == EVERY else (),
        done=_done(furthest, made.get(FINAL), project), manifests=digests,
    )  # fmt: skip


def _done(furthest: Sequence[Record], final: Path | None, project: Project) -> frozenset[str]:
    """Say what has been done to the pictures by the furthest stage, whether they were chosen, and what was tested."""
    used = [record for record in furthest if record.status == OK]
    chosen = [record for record in used if record.split]
    done = done_to(chosen or used, matched_on(final) if final else ())
    if not chosen or final is None:
        return done
    crossed = {CROSSED} if cross_validated(project.runs, manifests.digest(final)) else set()
    relied = {RELIED} if any(project.runs.glob("*/audit/reliance*")) else set()
    return done | {FINAL} | crossed | relied


def probe_stage(
    stage: str, table: Table, labels: tuple[str, str], furthest: Mapping[Key, Record], settings: ShortcutsSettings,
    this: Look = FIRST, track: Track = untracked,
) -> StageProbes:  # fmt: skip
    """Probe measured pictures; `furthest` are the rows of the furthest manifest, which knows the near-duplicates."""
    seed = settings.seed or 0
    positive = np.array([record.label == labels[1] for record in table.records])
    groups = groups_of([furthest.get(record.key, record) for record in table.records])
    probes = probe(
        table.columns, table.values, positive, groups, seed=seed, permutations=settings.permutations,
        workers=settings.workers or cores(), joint=len(settings.family) > 1, apart=apart(), sure=this.sure,
        track=track,
    )  # fmt: skip
    if not probes:
        raise LedgerError(
            f"none of these families applies to {stage} pictures: {', '.join(table.columns) or 'none is left'}",
            "audit shortcuts without --family measures all of them",
        )
    unseen = unseen_sources(table, positive, groups, seed=seed)
    return StageProbes(stage=stage, table=table, positive=positive, probes=tuple(probes), unseen=unseen, look=this)


def judge_elsewhere(
    stage: StageProbes, table: Table, chosen: Chosen, labels: tuple[str, str], furthest: Mapping[Key, Record],
    settings: ShortcutsSettings, track: Track = untracked,
) -> StageProbes:  # fmt: skip
    """Judge a stage by probes that share no picture with it; `table` goes on with the candidates passed over.

    The probe of unseen sources is left out: it learns inside the chosen set.
    """
    positive = np.array([record.label == labels[1] for record in table.records])
    groups = groups_of([furthest.get(record.key, record) for record in table.records])
    probes = judged_elsewhere(
        stage.probes, table, chosen, len(stage.positive), positive, groups, seed=settings.seed or 0,
        permutations=settings.permutations, workers=settings.workers or cores(), apart=apart(),
        sure=stage.look.sure, track=track,
    )  # fmt: skip
    return replace(stage, probes=tuple(probes), chosen_on=chosen.families, passed_over=len(chosen.others),
                   unseen=None)  # fmt: skip


def refuse_few_permutations(families: Sequence[str], permutations: int) -> None:
    """Raise ConfigError where so few permutations could not show a shortcut among so many families."""
    if permutations < (needed := fewest_permutations(len(families))):
        raise ConfigError(
            f"{permutations} permutations cannot show a shortcut among {len(families)} families: the smallest "
            f"corrected p-value would be {len(families) / (permutations + 1):.3f}, and a shortcut needs less than "
            f"{SURE}",
            f"--permutations {needed}, or fewer families",
        )


def fewest_permutations(families: int) -> int:
    """Return how many permutations a p-value below SURE needs after the correction for so many families."""
    return round(families / SURE)


def families_of(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return families in the order of every table; all of them for no name. Raises ConfigError for an unknown name."""
    wanted = known([names] if isinstance(names, str) else names)
    return tuple(name for name in FAMILIES if name in wanted) if wanted else FAMILIES.names()


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
            f"there are no {stage} pictures {where}",
            f"curate {MADE_BY.get(stage, 'fetch')} makes them; the stages that there are: {', '.join(there)}",
        )  # fmt: skip
    return (stage,)


def two_classes(records: Sequence[Record], declared: tuple[str, ...], stage: str) -> tuple[str, str]:
    """Return both labels; raise ManifestError where records have others, or too few of one to be judged."""
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
