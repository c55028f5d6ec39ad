"""Bring a run together with probes of the pictures it was trained on, and ask its model about swapped deliveries."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from audit.pictures import records_of
from audit.reliance import noise
from audit.reliance.judge import Beside, Reliance, beside, judge
from audit.reliance.swaps import Ask, Swap, can_be_made, swap
from audit.words import DRAWN
from curate.evidence.measure import measure
from curate.evidence.probe import FEWEST, probe
from curate.nuisance import APART, FAMILIES
from curate.pictures.pixels import CannotDecode
from imageledger.config import Project
from imageledger.engines.local import cores
from imageledger.errors import LedgerError, RunError
from imageledger.record import Record, groups_of
from imageledger.store import Store
from imageledger.types import Floats
from train.runs import SPLIT, Prediction, Run, read_predictions

PERMUTATIONS = 100
"""Few: only the scores of the probes are used here; their verdicts are those of audit shortcuts."""

VALID = "valid"
Track = Callable[[Iterable[Any], int], Iterable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One audit of one run: which pictures it looked at, what came out, and what a person should be warned of.

    `skipped` says why no deliveries were swapped; "" when they were. `beside` compares it with another run.
    """

    run: Run
    split: str
    reliance: Reliance
    skipped: str = ""
    warnings: tuple[str, ...] = ()
    drawn: bool = False
    beside: Beside | None = None


def look(
    project: Project, folder: Path, other: Path | None = None, *, track: Callable[[str], Track],
    say: Callable[[str], None],
) -> Audit:  # fmt: skip
    """Probe the pictures of a run and compare its answers on the validation ones (all, where there is no other split).

    `other` is a run to set beside it. Raises RunError for a run on a folder, for pictures that are gone, for too few
    of them, and for another run that has not judged the same ones.
    """
    run = Run.load(folder)
    if run.folder:
        raise RunError(
            f"{run.name} was trained on the folder {run.folder}, and nothing is known of how its pictures came",
            "train run MANIFEST trains on a manifest, which knows",
        )
    predictions, records, warnings = _joined(project, run, list(read_predictions(folder)))
    _refuse_few(records, run)
    split = VALID if any(one.split == VALID for one in predictions) else "all"
    rows = [n for n, one in enumerate(predictions) if split == "all" or one.split == VALID]
    theirs = None if other is None else _theirs(other, run, [predictions[n] for n in rows])
    again = None if other is None else _reliability(folder, other, [predictions[n] for n in rows], run.labels[1])
    table = measure(project, records, list(FAMILIES), track=track("measuring"))
    say(f"probing {len(records)} pictures")
    positive = np.array([record.label == run.labels[1] for record in records])
    probes = probe(
        table.columns, table.values, positive, groups_of(records), seed=run.seed, permutations=PERMUTATIONS,
        workers=cores(), apart=APART,
    )  # fmt: skip
    repeats = run.settings.get("repeats", 1)
    judged = split if run.kind == SPLIT else "out of fold" + (f", {repeats} models together" if repeats > 1 else "")
    reliance = judge(np.array([predictions[n].probability for n in rows]), positive, probes, rows)
    swaps, skipped = _swaps(project.store, folder, run, [(records[n], predictions[n]) for n in rows], say)
    return Audit(
        run=run, split=judged, reliance=replace(reliance, swaps=swaps), skipped=skipped, warnings=tuple(warnings),
        drawn=any(record.source.startswith(DRAWN) for record in records),
        beside=beside(reliance, *theirs, again) if theirs else None,
    )  # fmt: skip


def _theirs(folder: Path, run: Run, wanted: Sequence[Prediction]) -> tuple[Floats, str]:
    """Return P(positive) by another run of the pictures that this one judged, in the same order, and its name."""
    other = Run.load(folder)
    known = {(one.key, one.file): one for one in read_predictions(folder) if one.split == wanted[0].split}
    lost = sum((one.key, one.file) not in known for one in wanted)
    if lost or other.labels != run.labels:
        what = f"{lost} of {len(wanted)} pictures that run {run.name} has judged" if lost else "the same labels"
        raise RunError(
            f"run {other.name} has not judged {what}: the two cannot be set side by side",
            "train cross-validate judges all pictures of a manifest; do it with both recipes on the same one",
        )
    return np.array([known[one.key, one.file].probability for one in wanted]), other.name


def _reliability(
    folder: Path, other: Path, judged: Sequence[Prediction], positive: str
) -> tuple[float, float] | None:  # fmt: skip
    """Return the reliability of the answers of two runs; None when one of them was trained once only."""
    keys, sides = [one.key for one in judged], np.array([one.label == positive for one in judged])
    mine, theirs = (noise.repeats(place, Run.load(place), keys) for place in (folder, other))
    if mine is None or theirs is None:
        return None
    return noise.reliability(mine, sides), noise.reliability(theirs, sides)


def _joined(
    project: Project, run: Run, predictions: Sequence[Prediction]
) -> tuple[list[Prediction], list[Record], list[str]]:
    """Pair predictions with records that still hold the picture the model saw."""
    found = records_of(project, run, predictions)
    if not found.records:
        raise RunError(
            f"none of the pictures of run {run.name} is in {run.manifest}",
            "; ".join(found.warnings) or "train it again",
        )
    kept = [
        one for one in predictions
        if (record := found.records.get(one.key)) and record.file == one.file and project.store.has(record.file)
    ]  # fmt: skip
    warnings = list(found.warnings)
    if lost := len(predictions) - len(kept):
        warnings.append(f"{lost} of {len(predictions)} pictures are gone or have changed since, and are left out")
    return kept, [found.records[one.key] for one in kept], warnings


def _refuse_few(records: Sequence[Record], run: Run) -> None:
    counts = {label: sum(record.label == label for record in records) for label in run.labels}
    if min(counts.values()) < FEWEST:
        held = ", ".join(f"{count} {label}" for label, count in counts.items())
        raise RunError(f"too few pictures to probe ({held})", f"at least {FEWEST} of each class are needed")


def _swaps(
    store: Store, folder: Path, run: Run, rows: Sequence[tuple[Record, Prediction]], say: Callable[[str], None]
) -> tuple[tuple[Swap, ...], str]:
    makeable = [(record, one.probability) for record, one in rows if can_be_made(record, store)]
    if not makeable:
        return (), "the originals are gone"
    try:
        ask = _asked(folder)
        say(f"delivering {len(makeable)} pictures as the other class was")
        return swap([record for record, _ in makeable], [p for _, p in makeable], run.labels, store, ask), ""
    except (LedgerError, CannotDecode) as error:
        return (), str(error)


def _asked(folder: Path) -> Ask:
    """Load the model, or those of the folds; whatever keeps torch from being imported becomes one LedgerError."""
    try:
        from train.models import held_out

        return held_out.asker(folder)
    except (ImportError, OSError, RuntimeError) as error:
        raise LedgerError(f"torch cannot be used: {error}") from error
