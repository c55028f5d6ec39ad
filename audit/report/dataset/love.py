"""Find how far the classes lie apart before and after choosing: as matching wrote it, or from the numbers kept."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from audit.report.dataset.apart import Apart
from audit.report.dataset.groups import Undone
from audit.report.subject import Subject
from curate.evidence.measure import WHITENED, measured_before
from curate.manifest.matching.balance_table import Difference, differences, from_csv
from curate.manifest.work import candidates
from curate.nuisance import FAMILIES, family
from imageledger.record import Record, groups_of

MOST = 3000
"""With more candidates than this the kept numbers are not read: `curate manifest --match all` writes what is needed."""

PLAIN, CANDIDATES, CHOSEN = "a balanced choice by lot", "all candidates", "the final set"


def apart_of(subject: Subject, settings: Mapping[str, Any]) -> Apart:
    """Compare the classes before and after choosing; `settings` are those on the card of the final manifest."""
    if "manifest" not in subject.stages:
        return _none("Nothing has been chosen yet.", "curate manifest")
    if settings.get("match") and (written := _written(subject)):
        return _apart(subject, written, PLAIN)
    rows = candidates(subject.rows)
    if any(not any(record.label == label for record in subject.chosen) for label in subject.labels):
        return _none("A class is empty, so there is nothing to compare.", "curate fetch SOURCE --label LABEL")
    if len(rows) > MOST:
        return _none(f"There are more than {MOST} candidates.", "curate manifest --match all")
    if not (found := _computed(subject, rows)):
        return _none("Nothing was measured of all candidates.", "audit shortcuts --stage all")
    return _apart(subject, found, CANDIDATES if len(rows) > len(subject.chosen) else "")


def _written(subject: Subject) -> list[Difference]:
    """Return what matching wrote of this choice; [] where it wrote nothing, wrote before, or the file is damaged."""
    path = subject.project.root / "data" / "matched" / subject.project.dataset / "balance.csv"
    try:
        if path.stat().st_mtime < subject.project.manifest("manifest").stat().st_mtime:
            return []
        return from_csv(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []


def _computed(subject: Subject, rows: Sequence[Record]) -> list[Difference]:
    """Return the differences in the families that were measured on every candidate."""
    names = [name for name in FAMILIES if family(name).of != "name"]
    table, there = measured_before(subject.project, rows, names, stage=WHITENED)
    whole = [name for name in names if there[name].all() and np.isfinite(table.values[name]).any()]
    if not whole:
        return []
    positive = np.array([record.label == subject.labels[1] for record in rows])
    chosen = {record.key for record in subject.chosen}
    after = np.array([record.key in chosen for record in rows])
    return differences(table.only(whole), np.ones(len(rows), dtype=bool), after, positive, whole)


def _apart(subject: Subject, found: Sequence[Difference], before: str) -> Apart:
    fewest = min(_groups(record for record in subject.chosen if record.label == label) for label in subject.labels)
    return Apart(differences=found, before=before, after=CHOSEN, each=fewest, undone=[])


def _groups(records: Iterable[Record]) -> int:
    return len(set(groups_of(records)))


def _none(sentence: str, command: str) -> Apart:
    said = f"How far the classes lie apart is not known. {sentence}"
    return Apart(differences=[], before="", after="", each=0, undone=[Undone(sentence=said, command=command)])
