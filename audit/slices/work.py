"""Bring the mistakes of a run together with what its pictures are like, and slice them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audit.judged import CROSS_VALIDATE, Judged, judged
from audit.slices.judge import FEW, HALVES, Property, Slice, judge
from curate.evidence.measure import Table, measure
from curate.history import normalized, whitened
from imageledger.config import Project
from imageledger.errors import RunError
from imageledger.record import Record

Track = Callable[[Iterable[Any], int], Iterable[Any]]

MEASURED = {
    "brightness": ("tone", "brightness", ("darkest", "middle", "brightest")),
    "skin tone": ("skin", "ita", ("darkest", "middle", "lightest")),
    "retouching": ("skin", "smoothness", ("most detailed", "middle", "smoothest")),
}
"""Name of a property -> family of `curate.nuisance`, its number, and what its parts are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One audit of one run: its slices, worst first, and the properties by which nothing could be cut, with why."""

    judged: Judged
    slices: tuple[Slice, ...]
    uncut: tuple[str, ...]
    pictures: int
    warnings: tuple[str, ...] = ()

    @property
    def tested(self) -> list[Slice]:
        """The slices that are large enough to be judged."""
        return [one for one in self.slices if one.verdict != FEW]


def look(project: Project, folder: Path, *, track: Track) -> Audit:
    """Slice the judged pictures of a run; raises RunError for a run on a folder and for too few pictures."""
    seen = judged(project, folder)
    if seen.run.folder:
        raise RunError(
            f"{seen.run.name} was trained on the folder {seen.run.folder}, and nothing is known of its pictures",
            "train run MANIFEST trains on a manifest, which knows",
        )
    if seen.fewest < HALVES:
        raise RunError(
            f"the smaller class of {seen.in_words} has {seen.fewest}: too few to be sliced",
            f"at least {HALVES} of each class are needed; {CROSS_VALIDATE}",
        )
    rows = _unchanged(project, seen)
    if not rows:
        raise RunError(f"none of the pictures of run {seen.run.name} is left", "; ".join(seen.warnings))
    records = [seen.records[seen.predictions[row].key] for row in rows]
    families = list(dict.fromkeys(family for family, _, _ in MEASURED.values()))
    properties = properties_of(records, measure(project, records, families, track=track))
    positive, groups = seen.positive[rows], np.unique(seen.group_numbers[rows], return_inverse=True)[1]
    wrong = (seen.shares[rows] >= 0.5) != positive
    found = judge(wrong, positive, groups, seen.run.labels, properties, seen.run.seed)
    uncut = tuple(one.name for one in properties if not any(each.by == one.name for each in found))
    lost = len(seen.predictions) - len(rows)
    trouble = (f"{lost} pictures are gone or have changed since, and are left out",) if lost else ()
    return Audit(judged=seen, slices=tuple(found), uncut=uncut, pictures=len(rows), warnings=(*seen.warnings, *trouble))


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


def _unchanged(project: Project, seen: Judged) -> list[int]:
    """Return the places of the pictures that are still what the model saw."""
    known = [(number, one, seen.records.get(one.key)) for number, one in enumerate(seen.predictions)]
    return [
        number for number, one, record in known if record and record.file == one.file and project.store.has(one.file)
    ]


def _softness(record: Record) -> float:
    """Return the share of soft edge in the matte; NaN where the picture was not cut out."""
    softness = whitened(record).softness
    return np.nan if softness is None else softness


def _native_side(record: Record) -> float:
    """Return the shorter side, in pixels, of the picture as it was fetched; NaN where that is not known."""
    size = normalized(record).size or (record.width, record.height)
    return float(min(size)) if all(size) else float("nan")
