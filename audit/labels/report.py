"""Suspected labels, written for people: sentences, a table, CSV, a page, and decisions that wait for a person."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit import page
from audit.findings import Finding, Report, Severity, csv_bytes
from audit.labels.judge import RunLabels, Suspect, proposed
from audit.pictures import Entry
from audit.words import DRAWN_NOTE
from imageledger.letters import visible
from imageledger.types import Row

PROPOSED = "labels-proposed.jsonl"
SHOWN = 100
"""How many suspects the page shows at most; the CSV file and the proposals have all."""

COLUMNS = (
    "rank", "label", "suggested", "quality", "probability", "by_file", "flagged", "source", "member", "file", "fold",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the proposals and a person's decisions lie, as seen from the project folder, and who signs."""

    proposals: str
    decisions: str
    who: str = ""


def report(result: RunLabels, entries: Sequence[Entry], places: Places, k: int, folder: Path) -> Report:
    """Write the audit of a run as a report, whose files go into `folder`; `entries` are the pictures of the page."""
    run, rows = result.answers.run, [_row(suspect) for suspect in result.suspects]
    lines = [json.dumps(line, ensure_ascii=False) for line in proposed(result.suspects, run.name, places.who)]
    shown = table(result, k)

    def html() -> bytes:
        text = page.render(
            "labels/page.html", result=result, run=run, heading=headline(result), lines=advice(result, places),
            cards=list(zip(result.suspects, entries, lines, strict=False)), positive=run.labels[1],
        )  # fmt: skip
        return text.encode("utf-8", errors="backslashreplace")

    return Report(
        audit="labels",
        subject=run.name,
        findings=findings(result, places),
        tables={f"the {len(shown)} most suspicious of {len(rows)}": shown},
        rows=rows,
        data=data(result, places),
        contents={
            "labels.csv": lambda: csv_bytes(COLUMNS, rows),
            "labels.html": html,
            PROPOSED: lambda: "".join(f"{line}\n" for line in lines).encode("utf-8", errors="backslashreplace"),
        },
        folder=folder,
        warnings=result.answers.warnings,
    )


def findings(result: RunLabels, places: Places) -> list[Finding]:
    """Say how many labels are suspected, what that means, and how a person decides."""
    first = Finding(
        severity=Severity.UNDECIDED if result.suspects else Severity.NOTE,
        sentence=headline(result),
        records=[suspect.prediction.key for suspect in result.suspects],
    )
    return [first, *(Finding(severity=Severity.NOTE, sentence=line) for line in advice(result, places))]


def headline(result: RunLabels) -> str:
    """Say in one sentence how many labels confident learning suspects."""
    n = len(result.answers.predictions)
    if not result.suspects:
        who = "model and files agree" if result.witness else "the model agrees"
        but = " but those that a person has decided on" if result.decided else ""
        return f"No label is suspected: {who} with all {n} labels{but}."
    noun = "label" if result.flagged == 1 else "labels"
    who = ", by model or file" if result.witness else ""
    suspects = "1 label is suspected" if len(result.suspects) == 1 else f"{len(result.suspects)} labels are suspected"
    return f"Confident learning counts {result.flagged} {noun} of {n} as wrong{who}; {suspects}."


def advice(result: RunLabels, places: Places) -> list[str]:
    """Say what a person must know before deciding, and how to decide."""
    drawn = [DRAWN_NOTE] if result.answers.drawn else []
    more = "1 more picture, which is" if result.decided == 1 else f"{result.decided} more pictures, which are"
    before = [f"A person has decided on {more} left out."] if result.decided else []
    if not result.suspects:
        return [*drawn, *before]
    asked = [
        f"The files as fetched are a second witness (AUC {result.witness.auc:.2f} on these labels); each quality is "
        "the lower of the two. A file shows where a picture came from: it reveals pictures "
        "filed under the wrong label, but not pictures of the other class within a source."
    ] if result.witness else []  # fmt: skip
    return [
        *drawn,
        f"Model and label differ for {result.mistaken} of the pictures. A picture that the model finds hard looks like "
        "a wrong label, so look at each suspect before you decide.",
        *asked,
        *before,
        "Nothing has been changed. To accept suspects 1 and 3, run in the project folder: "
        f"sed -n '1p;3p' {places.proposals} >> {places.decisions}",
        'Put your name into "who" there (or let --who NAME write it), then run curate manifest; a line without a name '
        'is refused. To keep a label, change the decision "label" to "keep" and delete the new label: the picture '
        "is then no longer suspected.",
    ]


def table(result: RunLabels, k: int) -> list[Row]:
    """Return the first suspects as rows for the terminal; names are safe to print."""
    return [
        {
            "rank": str(suspect.rank),
            "label": suspect.prediction.label,
            "suggested": suspect.suggested,
            "quality": f"{suspect.quality:.2f}",
            **({} if suspect.by_file is None else {"by its file": f"{suspect.by_file:.2f}"}),
            "flagged": "yes" if suspect.flagged else "",
            "source": visible(suspect.prediction.source),
            "member": visible(suspect.prediction.member),
        }
        for suspect in result.suspects[:k]
    ]


def data(result: RunLabels, places: Places) -> dict[str, Any]:
    """Return the whole audit as one object for scripts."""
    return {
        "run": result.answers.run.name,
        "labels": list(result.answers.labels),
        "pictures": len(result.answers.predictions),
        "flagged": result.flagged,
        "decided": result.decided,
        "file_auc": result.witness.auc if result.witness else None,
        "sentences": [finding.sentence for finding in findings(result, places)],
        "warnings": list(result.answers.warnings),
        "suspects": [_row(suspect) for suspect in result.suspects],
    }


def _row(suspect: Suspect) -> Row:
    prediction = suspect.prediction
    return {
        "rank": suspect.rank, "label": prediction.label, "suggested": suspect.suggested, "quality": suspect.quality,
        "probability": prediction.probability, "by_file": suspect.by_file, "flagged": suspect.flagged,
        "source": prediction.source, "member": prediction.member, "file": prediction.file, "fold": prediction.fold,
    }  # fmt: skip
