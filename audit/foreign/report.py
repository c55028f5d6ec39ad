"""What a model makes of pictures from elsewhere, written for people: sentences, a table, CSV, JSON and a figure."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audit.findings import Finding, Report, Severity, csv_bytes, notes
from audit.foreign import figure, page
from audit.words import other_label
from imageledger import seal
from imageledger.letters import visible
from imageledger.types import Row
from train.answers import Answers
from train.evaluation.foreign import ALIKE, APART, Judged, in_words

if TYPE_CHECKING:
    from audit.foreign.work import Picture

COLUMNS = ("member", "status", "reason", "probability")
SEVERITY = {APART: Severity.PROBLEM, ALIKE: Severity.NOTE}


def report(
    answers: Answers, source: str, label: str, judged: Judged, pictures: Sequence["Picture"], folder: Path
) -> Report:
    """Write the audit as a report, whose files go into `folder`."""
    rows: list[Row] = [
        {"member": picture.member, "status": picture.status, "reason": picture.reason, "probability": picture.share}
        for picture in pictures
    ]
    data = as_data(answers, source, label, judged, pictures)
    sentence, name = conclusion(answers, label, judged), f"foreign-{label}-{_place(source)}"
    return Report(
        audit="foreign",
        subject=answers.run.name,
        verdict=judged.verdict,
        findings=[
            Finding(severity=SEVERITY.get(judged.verdict, Severity.UNDECIDED), sentence=sentence),
            *notes(_wrong(answers, label, judged), *_lost(pictures)),
        ],
        tables={f"{label} pictures, as run {answers.run.name} sees them": table(answers, source, label, judged)},
        rows=rows,
        data=data,
        contents={
            f"{name}.csv": lambda: csv_bytes(COLUMNS, rows),
            f"{name}.json": lambda: (json.dumps(seal.sealed(data), ensure_ascii=False, indent=2) + "\n").encode(),
            f"{name}.png": partial(figure.png, answers, label, pictures, sentence),
        },
        folder=folder,
        warnings=answers.warnings,
        drawings=partial(page.drawings, answers, label, pictures),
        galleries=partial(page.galleries, answers, label, pictures),
        page=f"{name}.html",
    )


def conclusion(answers: Answers, label: str, judged: Judged) -> str:
    """Say in one sentence whether the model tells foreign pictures from the set's own."""
    return in_words(judged, label, answers.labels, "from elsewhere")


def table(answers: Answers, source: str, label: str, judged: Judged) -> list[Row]:
    """Return one row for the set's own pictures and one for those from elsewhere."""
    called = f"called {other_label(answers.labels, label)}"
    return [
        {"pictures": "held out of this set", called: str(judged.own_wrong)},
        {"pictures": f"from {visible(source)}", called: str(judged.foreign_wrong)},
    ]


def as_data(
    answers: Answers, source: str, label: str, judged: Judged, pictures: Sequence["Picture"]
) -> Row:  # fmt: skip
    """Return the whole audit as one object for scripts."""
    return {
        "run": answers.run.name,
        "source": source,
        "label": label,
        "verdict": judged.verdict,
        "auc": {"value": judged.auc.value, "low": judged.auc.low, "high": judged.auc.high},
        "own_wrong": judged.own_wrong.as_json(),
        "foreign_wrong": judged.foreign_wrong.as_json(),
        "p": judged.p,
        "sentence": conclusion(answers, label, judged),
        "pictures": len(pictures),
        "left_out": dict(Counter(picture.reason for picture in pictures if picture.share is None)),
    }


def _place(source: str) -> str:
    """Name a source in a file name: its last part, and a few digits that keep two of that name apart."""
    last = re.sub(r"[^A-Za-z0-9]+", "-", source.rstrip("/").rpartition("/")[2].rpartition(":")[2]).strip("-")[:40]
    return f"{last or 'source'}-{hashlib.sha256(source.encode()).hexdigest()[:6]}"


def _wrong(answers: Answers, label: str, judged: Judged) -> str:
    other, models = other_label(answers.labels, label), len(answers.by_model())
    each = f", each asked of {models} models" if models > 1 else ""
    return (
        f"Called {other}: {judged.foreign_wrong} of the answers about pictures from elsewhere{each}, against "
        f"{judged.own_wrong} about the set's own (Fisher's exact test over pictures, p = {judged.p:.2g})."
    )


def _lost(pictures: Sequence["Picture"]) -> list[str]:
    lost = Counter(picture.reason for picture in pictures if picture.share is None)
    if not lost:
        return []
    reasons = "; ".join(f"{count} × {reason}" for reason, count in lost.most_common(3))
    return [f"{lost.total()} of {len(pictures)} pictures were left out: {reasons}."]
