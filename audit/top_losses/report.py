"""What a run got most wrong, written for people: findings, a table, a CSV file, a contact sheet and a page."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit import page
from audit.findings import Finding, Report, Severity, csv_bytes, notes, stem
from audit.pictures import Entry, Shown, unshown
from audit.top_losses.judge import CHANCE, SHOWN, RankedRun, verdict
from audit.words import DRAWN, DRAWN_NOTE
from imageledger.letters import visible
from imageledger.record import Record
from imageledger.sheet import Cell, Frame, sheet
from imageledger.types import Row
from train.runs import SPLIT, Prediction

COLUMNS = 4
CSV_FIELDS = (
    "rank", "probability", "loss", "actual", "predicted", "split", "fold", "source", "member", "file", "origin",
    "licence", "generator", "group", "status", "page", "note",
)  # fmt: skip


def report(ranked: RankedRun, entries: Sequence[Entry], folder: Path, variant: Sequence[str] = ()) -> Report:
    """Write the audit of a run as a report, whose files go into `folder`."""
    page_name = f"{stem('top-losses', *variant)}.html"
    rows = [_row(ranked, rank, prediction, page_name) for rank, prediction in enumerate(ranked.ranking.worst, 1)]
    return Report(
        audit="top-losses",
        subject=ranked.run.name,
        findings=findings(ranked),
        tables={ranked.cut: table(ranked)},
        rows=rows,
        data=data(ranked, rows),
        contents={
            "top-losses.csv": lambda: csv_bytes(CSV_FIELDS, rows),
            "top-losses.png": lambda: _png(ranked, entries),
            "top-losses.html": lambda: html_text(ranked, entries).encode("utf-8", errors="backslashreplace"),
        },
        folder=folder,
        variant=variant,
        warnings=[*ranked.warnings, *(f"{count} × {reason}" for reason, count in unshown(entries).items())],
    )


def findings(ranked: RankedRun) -> list[Finding]:
    """Say how often each class was mistaken, and whether the difference is more than chance; name the worst."""
    p = ranked.ranking.confusion.p_value()
    first, *rest = verdict(ranked.ranking.confusion, ranked.wanted.split, ranked.run.kind)
    other, compared, *more = rest
    severity = Severity.UNDECIDED if p is None or p >= CHANCE else Severity.PROBLEM
    mistaken = [prediction.key for prediction in ranked.ranking.worst if prediction.label != prediction.predicted]
    nothing = "" if ranked.ranking.matched else f"No picture matches: there are {ranked.title} here."
    return [
        *notes(DRAWN_NOTE if ranked.ranking.drawn else ""),
        Finding(severity=Severity.NOTE, sentence=first, records=mistaken),
        *notes(other),
        Finding(severity=severity, sentence=compared),
        *notes(*more, nothing),
    ]


def table(ranked: RankedRun) -> list[Row]:
    """Return the ranked predictions as rows for the terminal, without what the title says; names are safe to print."""
    rows = []
    for rank, prediction in enumerate(ranked.ranking.worst, 1):
        row: Row = {
            "rank": rank,
            f"P({ranked.run.labels[-1]})": f"{prediction.probability:.2f}",
            "loss": f"{prediction.loss:.2f}",
        }
        if not ranked.wanted.one_cell:
            row |= {"actual": prediction.label, "called": prediction.predicted}
        if ranked.wanted.split == "all" and ranked.run.kind == SPLIT:
            row["split"] = prediction.split
        rows.append(row | {"source": visible(prediction.source), "member": visible(prediction.member)})
    return _without_a_single_source(rows)


def _without_a_single_source(rows: list[Row]) -> list[Row]:
    """Leave the source out where it is the same in every row."""
    if len(rows) < 2 or len({row["source"] for row in rows}) > 1:
        return rows
    return [{name: value for name, value in row.items() if name != "source"} for row in rows]


def data(ranked: RankedRun, rows: Sequence[Row]) -> Row:
    """Return the whole audit as one object for --json; a number that is none becomes null."""
    return {
        "run": ranked.run.name,
        "labels": list(ranked.run.labels),
        "asked": {"actual": ranked.wanted.actual, "predicted": ranked.wanted.predicted, "split": ranked.wanted.split},
        "matched": ranked.ranking.matched,
        "counts": ranked.ranking.confusion.rows(),
        "fisher_p": ranked.ranking.confusion.p_value(),
        "sentences": ranked.sentences,
        "warnings": list(ranked.warnings),
        "pictures": [{name: _finite(value) for name, value in row.items()} for row in rows],
    }


def contact_sheet(ranked: RankedRun, entries: Sequence[Entry]) -> list[Cell]:
    """Return one cell per picture: what the model saw, the original beside it, and the numbers below."""
    slots = 1 if ranked.run.folder else 2
    return [_cell(ranked, entry, slots) for entry in entries]


def html_text(ranked: RankedRun, entries: Sequence[Entry]) -> str:
    """Fill the page; it needs nothing but itself."""
    return page.render(
        "top_losses/page.html", run=ranked.run, entries=entries, positive=ranked.run.labels[-1],
        counts=ranked.ranking.confusion.rows(), heading=_heading(ranked), lines=_lines(ranked, len(entries)),
        drawn=DRAWN_NOTE if ranked.ranking.drawn else "", warnings=ranked.warnings,
        sentences=verdict(ranked.ranking.confusion, ranked.wanted.split, ranked.run.kind),
    )  # fmt: skip


def _png(ranked: RankedRun, entries: Sequence[Entry]) -> bytes:
    lines = [*_lines(ranked, len(entries)), *ranked.sentences, *ranked.warnings]
    target = io.BytesIO()
    cells = contact_sheet(ranked, entries)
    sheet(cells, columns=COLUMNS, heading=_heading(ranked), lines=lines).save(target, "PNG")
    return target.getvalue()


def _heading(ranked: RankedRun) -> str:
    return ranked.cut[:1].upper() + ranked.cut[1:]


def _lines(ranked: RankedRun, shown: int) -> list[str]:
    where = "train and valid splits" if ranked.wanted.split == "all" else f"{ranked.wanted.split} split"
    if ranked.run.kind != SPLIT:
        where = f"all {ranked.ranking.confusion.everything} pictures, each held out once"
    run = f"Run {ranked.run.name}, {where}."
    if not ranked.ranking.matched:
        return [f"{run} No picture matches, so there is nothing to look at."]
    first = f" The first {shown} are shown; the CSV file has all." if shown < len(ranked.ranking.worst) else ""
    return [f"{run} Highest loss first.{first}"]


def _cell(ranked: RankedRun, entry: Entry, slots: int) -> Cell:
    prediction, positive = entry.prediction, ranked.run.labels[-1]
    frames = [_frame(entry.seen, "seen by the model" if slots > 1 else "")]
    if slots > 1:
        absent = Shown(
            missing="nothing was changed: the model saw the original" if entry.record else "original unknown"
        )
        frames.append(_frame(entry.original or absent, "original"))
    title = f"{entry.rank}.  P({positive}) {prediction.probability:.2f}   loss {prediction.loss:.2f}"
    if not ranked.wanted.one_cell:
        title = f"{title}   {prediction.label} called {prediction.predicted}"
    return Cell(frames=tuple(frames), title=title, lines=(prediction.source, prediction.member))


def _frame(shown: Shown, caption: str) -> Frame:
    return Frame(picture=shown.image, caption=caption, missing=shown.missing)


def _row(ranked: RankedRun, rank: int, prediction: Prediction, page_name: str) -> Row:
    record: Record | None = ranked.records.get(prediction.key)
    return {
        "rank": rank, "probability": prediction.probability, "loss": prediction.loss, "actual": prediction.label,
        "predicted": prediction.predicted, "split": prediction.split, "fold": prediction.fold,
        "source": prediction.source, "member": prediction.member, "file": prediction.file,
        "origin": record.origin if record else "", "licence": record.licence if record else "",
        "generator": record.generator if record else "", "group": record.group if record else "",
        "status": record.status if record else "", "page": f"{page_name}#p{rank}" if rank <= SHOWN else "",
        "note": "drawn picture" if prediction.source.startswith(DRAWN) else "",
    }  # fmt: skip


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
