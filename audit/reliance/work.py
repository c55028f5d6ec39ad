"""Bring the answers of a run together with probes of its pictures, and ask its models about swapped deliveries."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audit.findings import Report
from audit.kept import digests_of
from audit.reliance import judge, noise, report
from audit.reliance.explained import explained
from audit.reliance.judge import RunReliance
from audit.reliance.swaps import Ask, Swap, can_be_made, swap
from curate.evidence.measure import Table, measure
from curate.evidence.probe import FEWEST, enough, probe
from curate.evidence.verdict import Probe
from curate.manifest.chosen import Chosen, chosen_by_numbers, judged_elsewhere
from curate.nuisance import FAMILIES, apart
from curate.pictures.pixels import CannotDecode
from imageledger import manifest
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
    chosen = _chosen(project, answers)
    others = enough(chosen.others) if chosen else []
    table = measure(project, [*records, *others], list(FAMILIES), track=track)
    probes = _probes(table, answers, chosen, track)
    compared = judge.judge(judged.shares, answers.positive, probes, rows, judged.groups)
    own = table.take(rows.tolist())
    told = explained(judged.shares, judged.positive, own.values, own.columns, judged.groups, seed=answers.run.seed)
    swaps, skipped = _swaps(project, judged, [*records, *others], track)
    result = RunReliance(
        run=answers.run.name,
        labels=answers.labels,
        pictures=judged.in_words,
        split=_split(judged, answers),
        keys=judged.keys,
        reliance=replace(compared, explained=tuple(told), swaps=swaps),
        skipped=skipped,
        warnings=answers.warnings,
        drawn=answers.drawn,
        chosen=chosen is not None,
        beside=judge.beside(compared, other.shares, other.run.name, _reliability(judged, other)) if other else None,
    )
    found = report.report(result, answers.folder / "audit")
    beside = f"beside-{other.run.name}" if other else ""
    return replace(found, about=digests_of(answers.folder), variant=(beside,))


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


def _chosen(project: Project, answers: Answers) -> Chosen | None:
    """Tell how numbers chose the pictures of a run; None where none did."""
    path = project.root / answers.run.manifest
    return chosen_by_numbers(path, list(manifest.read(path))) if path.is_file() else None


def _probes(table: Table, answers: Answers, chosen: Chosen | None, track: Track) -> Sequence[Probe]:
    """Probe the pictures of a run, the first rows of a table; by probes outside of them where numbers chose them."""
    count, seed = len(answers.predictions), answers.run.seed
    own, groups = table.take(range(count)), groups_of(table.records)
    log.info("probing %d pictures", count)
    probes = probe(
        own.columns, own.values, answers.positive, groups[:count], seed=seed, permutations=PERMUTATIONS,
        workers=cores(), apart=apart(), track=track,
    )  # fmt: skip
    if chosen is None:
        return probes
    positive = np.array([record.label == answers.labels[1] for record in table.records])
    return judged_elsewhere(
        probes, table, chosen, count, positive, groups, seed=seed, permutations=PERMUTATIONS, workers=cores(),
        apart=apart(), track=track,
    )  # fmt: skip


def _swaps(project: Project, judged: Answers, outside: Sequence[Record], track: Track) -> tuple[tuple[Swap, ...], str]:
    """Swap the deliveries of both classes; without originals or torch there are none, and the reason is returned.

    How the classes came is measured on all candidates, chosen or not.
    """
    pairs = zip(judged.known(), judged.shares.tolist(), strict=True)
    makeable = [(record, share) for record, share in pairs if can_be_made(record, project.store)]
    if not makeable:
        return (), "the originals are gone"
    there = [record for record in outside if can_be_made(record, project.store)]
    try:
        ask = _ask(judged)
        log.info("delivering %d pictures as the pictures of either class came", len(makeable))
        records, shares = zip(*makeable, strict=True)
        swaps = swap(records, shares, judged.labels, there, project.store, ask, workers=cores(), track=track)
    except (LedgerError, CannotDecode) as error:
        return (), str(error)
    return swaps, "" if swaps else "the pictures of both classes came alike in size, quality, brightness and colour"


def _ask(judged: Answers) -> Ask:
    """Load the models that had not seen each picture; whatever keeps torch from loading becomes one LedgerError."""
    try:
        from train.models import held_out

        return held_out.ask_held_out(judged)
    except (ImportError, OSError, RuntimeError) as error:
        raise LedgerError(f"torch cannot be used: {error}") from error
