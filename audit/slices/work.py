"""Bring the mistakes of a run together with what its pictures are like, and slice them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from audit.findings import Report
from audit.kept import digests_of
from audit.slices import report
from audit.slices.judge import HALVES, Property, RunSlices, judge
from curate.evidence.measure import Table, measure
from curate.history import normalized, whitened
from imageledger.config import Project
from imageledger.errors import RunError
from imageledger.record import Record
from imageledger.types import Track, untracked
from train.answers import CROSS_VALIDATE, Answers

MEASURED = {
    "brightness": ("tone", "brightness", ("darkest", "middle", "brightest")),
    "skin tone": ("skin", "ita", ("darkest", "middle", "lightest")),
    "retouching": ("skin", "smoothness", ("most detailed", "middle", "smoothest")),
}
"""Name of a property -> family of `curate.nuisance`, its number, and what its parts are called."""


def slices(project: Project, run: str | Path | None = None, *, track: Track = untracked) -> Report:
    """Report on which kinds of pictures a run is wrong more often.

    Raises RunError for a run on a folder and for too few pictures of a class.
    """
    judged = Answers.of(project, run).held_out()
    if judged.run.folder:
        raise RunError(
            f"{judged.run.name} was trained on the folder {judged.run.folder}, and nothing is known of its pictures",
            "train run MANIFEST trains on a manifest, which records where they came from",
        )
    if judged.fewest < HALVES:
        raise RunError(
            f"the smaller class of {judged.in_words} has {judged.fewest}: too few to be sliced",
            f"at least {HALVES} of each class are needed; {CROSS_VALIDATE}",
        )
    answers = judged.unchanged(project.store)
    if not answers.predictions:
        raise RunError(f"none of the pictures of run {judged.run.name} is left", "; ".join(judged.warnings))
    records = answers.known()
    families = list(dict.fromkeys(family for family, _, _ in MEASURED.values()))
    properties = properties_of(records, measure(project, records, families, track=track))
    wrong = (answers.shares >= 0.5) != answers.positive
    parts = judge(wrong, answers.positive, answers.group_numbers, answers.labels, properties, answers.run.seed)
    cut_by = {part.by for part in parts}
    result = RunSlices(
        answers=answers,
        judged=judged.in_words,
        slices=tuple(parts),
        uncut=tuple(each.name for each in properties if each.name not in cut_by),
    )
    found = report.report(result, answers.folder / "audit", project.store)
    return replace(found, about=digests_of(answers.folder))


def properties_of(records: Sequence[Record], table: Table) -> list[Property]:
    """Return what pictures are sliced by: names from their records, sizes as they came, and measured numbers."""
    sides = np.array([_native_side(record) for record in records], dtype=np.float64)
    unsure = np.array([_softness(record) for record in records], dtype=np.float64)
    numbers = [Property(name="size", values=sides, words=("smallest", "middle", "largest"))]
    for name, (family, column, words) in MEASURED.items():
        columns = list(table.columns[family])
        values = table.values[family][:, columns.index(column)] if column in columns else np.full(len(records), np.nan)
        numbers.append(Property(name=name, values=values, words=words))
    numbers.append(Property(name="matte", values=unsure, words=("sharpest", "middle", "softest")))
    return [
        Property(name="source", values=[record.source for record in records]),
        Property(name="generator", values=[record.generator for record in records]),
        *numbers,
    ]


def _softness(record: Record) -> float:
    """Return the share of soft edge in the matte; NaN where the picture was not cut out."""
    softness = whitened(record).softness
    return np.nan if softness is None else softness


def _native_side(record: Record) -> float:
    """Return the shorter side, in pixels, of the picture as it was fetched; NaN where that is not known."""
    size = normalized(record).size or (record.width, record.height)
    return float(min(size)) if all(size) else float("nan")
