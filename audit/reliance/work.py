"""Bring the answers of a run together with probes of its pictures, and ask its models about swapped deliveries."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audit.findings import Report
from audit.reliance import judge, noise, report
from audit.reliance.judge import RunReliance
from audit.reliance.swaps import Ask, Swap, can_be_made, swap
from curate.evidence.measure import measure
from curate.evidence.probe import FEWEST, probe
from curate.evidence.verdict import Probe
from curate.nuisance import FAMILIES, apart
from curate.pictures.pixels import CannotDecode
from imageledger.config import Project
from imageledger.engines.local import cores
from imageledger.errors import LedgerError, RunError
from imageledger.record import Record, groups_of
from imageledger.types import Track, untracked
from train.answers import Answers
from train.runs import SPLIT

PERMUTATIONS = 100
"""Few: only the scores of the probes are used here; their verdicts are those of audit shortcuts."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelianceSettings:
    """`beside` names another run on the same pictures to compare with."""

    beside: str | None = None


def reliance(
    project: Project,
    run: str | Path | None = None,
    *,
    settings: RelianceSettings = RelianceSettings(),
    track: Track = untracked,
) -> Report:
    """Report whether a run relies on what the file gives away, rather than on the face.

    Probes all pictures of the run and compares its answers on the validation pictures (on all, where there is no
    other split). Raises RunError for a run on a folder, for pictures that are gone, for too few of them, and for a
    run to compare with that has not judged the same pictures.
    """
    answers = _answers(project, run)
    rows = np.flatnonzero(answers.held) if answers.held.any() else np.arange(len(answers.predictions))
    judged = answers.pick(rows.tolist())
    other = _other(project, settings.beside, judged) if settings.beside else None
    records = answers.known()
    probes = _probes(project, records, answers, track)
    compared = judge.judge(judged.shares, answers.positive, probes, rows, judged.groups)
    swaps, skipped = _swaps(project, judged)
    result = RunReliance(
        run=answers.run.name,
        labels=answers.labels,
        pictures=judged.in_words,
        split=_split(judged, answers),
        keys=judged.keys,
        reliance=replace(compared, swaps=swaps),
        skipped=skipped,
        warnings=answers.warnings,
        drawn=answers.drawn,
        beside=judge.beside(compared, other.shares, other.run.name, _reliability(judged, other)) if other else None,
    )
    return report.report(result, answers.folder / "audit")


def _answers(project: Project, run: str | Path | None) -> Answers:
    """Read the answers of a run to the pictures that are still what its models saw."""
    answers = Answers.of(project, run)
    if answers.run.folder:
        raise RunError(
            f"{answers.run.name} was trained on the folder {answers.run.folder}, and how its pictures came is unknown",
            "train run MANIFEST trains on a manifest, which records it",
        )
    if not any(answers.records):
        raise RunError(
            f"none of the pictures of run {answers.run.name} is in {answers.run.manifest}",
            "; ".join(answers.warnings) or "train it again",
        )
    unchanged = answers.unchanged(project.store)
    counts = {label: sum(record.label == label for record in unchanged.known()) for label in unchanged.labels}
    if min(counts.values()) < FEWEST:
        held = ", ".join(f"{count} {label}" for label, count in counts.items())
        raise RunError(f"too few pictures to probe ({held})", f"at least {FEWEST} of each class are needed")
    return unchanged


def _split(judged: Answers, answers: Answers) -> str:
    """Name the pictures that the run is judged by: the split, or "out of fold" with the number of models."""
    if judged.run.kind == SPLIT:
        return "valid" if answers.held.any() else "all"
    return "out of fold" + (f", {judged.repeats} models together" if judged.repeats > 1 else "")


def _other(project: Project, run: str, judged: Answers) -> Answers:
    """Return the answers of another run to the same pictures, in the same order."""
    other = Answers.of(project, run)
    if judged.held.any():
        other = other.held_out()
    places, files = other.rows_by_key(), other.files
    pairs = zip(judged.keys, judged.files, strict=True)
    lost = sum(key not in places or files[places[key]] != file for key, file in pairs)
    if lost or other.labels != judged.labels:
        what = (
            f"{lost} of {len(judged.keys)} pictures that run {judged.run.name} has judged" if lost else "these labels"
        )
        raise RunError(
            f"run {other.run.name} has not judged {what}: the two runs cannot be compared",
            "train cross-validate judges all pictures of a manifest; use it with both recipes on the same manifest",
        )
    return other.pick(places[key] for key in judged.keys)


def _reliability(judged: Answers, other: Answers) -> tuple[float, float] | None:
    """Return the reliability of the answers of two runs; None when either was trained only once."""
    if min(judged.repeats, other.repeats) < 2:
        return None
    mine, theirs = (noise.reliability(answers.rounds().shares, judged.positive) for answers in (judged, other))
    return mine, theirs


def _probes(project: Project, records: Sequence[Record], answers: Answers, track: Track) -> Sequence[Probe]:
    table = measure(project, records, list(FAMILIES), track=track)
    log.info("probing %d pictures", len(records))
    return probe(
        table.columns, table.values, answers.positive, groups_of(records), seed=answers.run.seed,
        permutations=PERMUTATIONS, workers=cores(), apart=apart(),
    )  # fmt: skip


def _swaps(project: Project, judged: Answers) -> tuple[tuple[Swap, ...], str]:
    """Swap the deliveries of both classes; without originals or torch there are none, and the reason is returned."""
    pairs = zip(judged.known(), judged.shares.tolist(), strict=True)
    makeable = [(record, share) for record, share in pairs if can_be_made(record, project.store)]
    if not makeable:
        return (), "the originals are gone"
    try:
        ask = _ask(judged)
        log.info("delivering %d pictures as the other class was", len(makeable))
        records, shares = zip(*makeable, strict=True)
        return swap(records, shares, judged.labels, project.store, ask), ""
    except (LedgerError, CannotDecode) as error:
        return (), str(error)


def _ask(judged: Answers) -> Ask:
    """Load the models that had not seen each picture; whatever keeps torch from loading becomes one LedgerError."""
    try:
        from train.models import held_out

        return held_out.ask_held_out(judged)
    except (ImportError, OSError, RuntimeError) as error:
        raise LedgerError(f"torch cannot be used: {error}") from error
