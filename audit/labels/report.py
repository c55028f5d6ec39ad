"""Suspected labels, written for people: sentences, a table, CSV and a page."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit import page
from audit.findings import Finding, Report, Severity, csv_bytes
from audit.labels.judge import RunLabels, Suspect
from audit.pictures import Entry
from audit.words import DRAWN_NOTE
from imageledger.intervals import with_interval
from imageledger.letters import visible
from imageledger.types import Row

SHOWN = 100
"""How many suspects the page shows at most; the CSV file has all."""

COLUMNS = (
    "rank", "label", "suggested", "quality", "probability", "by_file", "flagged", "source", "member", "file", "fold",
)  # fmt: skip


def report(result: RunLabels, entries: Sequence[Entry], k: int, folder: Path) -> Report:
    """Write the audit of a run as a report, whose files go into `folder`; `entries` are the pictures of the page."""
    run, rows = result.answers.run, [_row(suspect) for suspect in result.suspects]
    shown = table(result, k)

    def html() -> bytes:
        text = page.render(
            "labels/page.html", result=result, run=run, heading=headline(result), lines=advice(result),
            cards=list(zip(result.suspects, entries, strict=False)), positive=run.labels[1],
        )  # fmt: skip
        return text.encode("utf-8", errors="backslashreplace")

    return Report(
        audit="labels",
        subject=run.name,
        findings=findings(result),
        tables={f"the {len(shown)} most suspicious of {len(rows)}": shown},
        rows=rows,
        data=data(result),
        contents={
            "labels.csv": lambda: csv_bytes(COLUMNS, rows),
            "labels.html": html,
        },
        folder=folder,
        warnings=result.answers.warnings,
    )


def findings(result: RunLabels) -> list[Finding]:
    """Say how many labels are suspected, what that means, and how a person decides."""
    first = Finding(
        severity=Severity.UNDECIDED if result.suspects else Severity.NOTE,
        sentence=headline(result),
        records=[suspect.prediction.key for suspect in result.suspects],
    )
    return [first, *(Finding(severity=Severity.NOTE, sentence=line) for line in advice(result))]


def headline(result: RunLabels) -> str:
    """Say in one sentence how many labels confident learning suspects."""
    n = len(result.answers.predictions)
    if not result.suspects:
        who = "model and files agree" if result.heard else "the model agrees"
        but = " but those that a person has decided on" if result.decided else ""
        return f"No label is suspected: {who} with all {n} labels{but}."
    noun = "label" if result.flagged == 1 else "labels"
    who = ", by model or file" if result.heard else ""
    suspects = "1 label is suspected" if len(result.suspects) == 1 else f"{len(result.suspects)} labels are suspected"
    return f"Confident learning counts {result.flagged} {noun} of {n} as wrong{who}; {suspects}."


def advice(result: RunLabels) -> list[str]:
    """Say what a person must know before deciding, and how to decide."""
    drawn = [DRAWN_NOTE] if result.answers.drawn else []
    more = "1 more picture, which is" if result.decided == 1 else f"{result.decided} more pictures, which are"
    before = [f"A person has decided on {more} left out."] if result.decided else []
    if not result.suspects:
        return [*drawn, *_files(result), *before]
    return [
        *drawn,
        f"Model and label differ for {result.mistaken} of the pictures. A picture that the model finds hard looks like "
        "a wrong label.",
        *_if_clean(result),
        *_files(result),
        *before,
        f"Nothing has been changed. audit review {visible(result.answers.run.name)} --queue labels shows the suspects "
        "one by one: give the other label where you see that it is right, leave the picture out where you cannot tell, "
        "keep it where the label is right. A wrong label costs more than a picture. curate run then applies what you "
        "decided.",
    ]


def _if_clean(result: RunLabels) -> list[str]:
    """Say how many suspects there would be if every label were right, and whether there are more."""
    if result.clean is None:
        return []
    (least, most), (fewest, highest), (suspects, flagged) = (
        result.clean.suspects,
        result.clean.flagged,
        result.clean.seen,
    )
    what = (
        "That is more: some of these labels are wrong"
        if result.clean.more
        else "That is no more: whether any label is wrong is not shown, and a few wrong ones would hide among these"
    )
    return [
        f"If every label were right, such a model would still suspect {least} to {most} labels, and {fewest} to "
        f"{highest} would count as wrong, in 19 of 20 sets drawn from its calibrated probabilities. Here it suspects "
        f"{suspects}, and {flagged} count as wrong. {what}."
    ]


def _files(result: RunLabels) -> list[str]:
    """Say what the files as fetched add, or why they were not heard."""
    witness = result.witness
    if witness is None:
        return []
    auc = with_interval(witness.auc, witness.low, witness.high)
    if not witness.tells:
        return [
            f"The files as fetched do not tell the classes apart here (AUC {auc}), so they are no witness and were not "
            "used."
        ]
    return [
        f"The files as fetched are a second witness (AUC {auc} on these labels); each quality is the lower of the two. "
        "A file shows where a picture came from: it reveals pictures filed under the wrong label, but not pictures of "
        "the other class within a source."
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


def data(result: RunLabels) -> dict[str, Any]:
    """Return the whole audit as one object for scripts."""
    return {
        "run": result.answers.run.name,
        "labels": list(result.answers.labels),
        "pictures": len(result.answers.predictions),
        "flagged": result.flagged,
        "decided": result.decided,
        "file_auc": result.witness.auc if result.witness else None,
        "file_heard": result.heard is not None,
        "clean": asdict(result.clean) if result.clean else None,
        "sentences": [finding.sentence for finding in findings(result)],
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
