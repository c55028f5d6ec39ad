"""What a run got most wrong, written for people: a table, a CSV file, a contact sheet and a page."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit import page
from audit.pictures import Entry, Look
from audit.top_losses.judge import verdict
from audit.top_losses.work import SHOWN, Audit
from audit.words import DRAWN, DRAWN_NOTE
from imageledger.record import Record
from imageledger.sheet import Cell, Frame, sheet, visible
from imageledger.spreadsheet import as_csv
from imageledger.store import write_whole
from train.runs import SPLIT, Prediction

COLUMNS = 4
CSV_FIELDS = (
    "rank", "probability", "loss", "actual", "predicted", "split", "fold", "source", "member", "file", "origin",
    "licence", "generator", "group", "status", "page", "note",
)  # fmt: skip


def write(audit: Audit, entries: Sequence[Entry], folder: Path) -> dict[str, Path]:
    """Write top-losses.csv, .png and .html into a folder and return their paths by kind."""
    files = {kind: folder / f"top-losses.{kind}" for kind in ("csv", "png", "html")}
    write_whole(files["csv"], csv_text(audit).encode("utf-8", errors="backslashreplace"))
    write_whole(files["png"], _png(audit, entries))
    write_whole(files["html"], html_text(audit, entries).encode("utf-8", errors="backslashreplace"))
    return files


def table(audit: Audit) -> list[dict[str, Any]]:
    """Return the ranked predictions as rows for the terminal, without what the title says; names are safe to print."""
    rows = []
    for rank, one in enumerate(audit.ranking.worst, 1):
        row: dict[str, Any] = {"rank": rank, f"P({audit.run.labels[-1]})": one.probability, "loss": one.loss}
        if not (audit.wanted.actual and audit.wanted.predicted):
            row |= {"actual": one.label, "called": one.predicted}
        if audit.wanted.split == "all" and audit.run.kind == SPLIT:
            row["split"] = one.split
        rows.append(row | {"source": visible(one.source), "member": visible(one.member)})
    return rows


def plain(audit: Audit, files: dict[str, Path]) -> dict[str, Any]:
    """Return the whole audit as one object for --json; a number that is none becomes null."""
    rows = (_row(audit, rank, one) for rank, one in enumerate(audit.ranking.worst, 1))
    return {
        "run": audit.run.name,
        "labels": list(audit.run.labels),
        "asked": {"actual": audit.wanted.actual, "predicted": audit.wanted.predicted, "split": audit.wanted.split},
        "matched": audit.ranking.matched,
        "counts": audit.ranking.confusion.rows(),
        "fisher_p": audit.ranking.confusion.p_value(),
        "sentences": audit.sentences,
        "warnings": list(audit.found.warnings),
        "pictures": [{name: _finite(value) for name, value in row.items()} for row in rows],
        "files": {kind: str(path) for kind, path in files.items()},
    }


def csv_text(audit: Audit) -> str:
    """Write the rows as CSV; text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return as_csv(CSV_FIELDS, (_row(audit, rank, one) for rank, one in enumerate(audit.ranking.worst, 1)))


def contact_sheet(audit: Audit, entries: Sequence[Entry]) -> list[Cell]:
    """Return one cell a picture: what the model saw, the original beside it, and the figures below."""
    slots = 1 if audit.run.folder else 2
    return [_cell(audit, entry, slots) for entry in entries]


def html_text(audit: Audit, entries: Sequence[Entry]) -> str:
    """Fill the page; it needs nothing but itself."""
    return page.render(
        "top-losses.html", audit=audit, run=audit.run, entries=entries, positive=audit.run.labels[-1],
        counts=audit.ranking.confusion.rows(), heading=_heading(audit), lines=_lines(audit, len(entries)),
        drawn=DRAWN_NOTE if audit.ranking.drawn else "", 
        sentences=verdict(audit.ranking.confusion, audit.wanted.split, audit.run.kind),
    )  # fmt: skip


def _png(audit: Audit, entries: Sequence[Entry]) -> bytes:
    lines = [*_lines(audit, len(entries)), *audit.sentences, *audit.found.warnings]
    drawn = sheet(contact_sheet(audit, entries), columns=COLUMNS, heading=_heading(audit), lines=lines)
    target = io.BytesIO()
    drawn.save(target, "PNG")
    return target.getvalue()


def _heading(audit: Audit) -> str:
    return audit.cut[:1].upper() + audit.cut[1:]


def _lines(audit: Audit, shown: int) -> list[str]:
    where = "train and valid splits" if audit.wanted.split == "all" else f"{audit.wanted.split} split"
    if audit.run.kind != SPLIT:
        where = f"all {audit.ranking.confusion.everything} pictures that were held out in turn"
    said = f"Run {audit.run.name}, {where}."
    if not audit.ranking.matched:
        return [f"{said} No picture matches, so there is nothing to look at."]
    first = f" Shown are the first {shown}; top-losses.csv has them all." if shown < len(audit.ranking.worst) else ""
    return [f"{said} Highest loss first.{first}"]


def _cell(audit: Audit, entry: Entry, slots: int) -> Cell:
    one, positive = entry.prediction, audit.run.labels[-1]
    frames = [_frame(entry.seen, "seen by the model" if slots > 1 else "")]
    if slots > 1:
        absent = Look(missing="nothing was changed: the model saw the original" if entry.record else "original unknown")
        frames.append(_frame(entry.original or absent, "original"))
    title = f"{entry.rank}.  P({positive}) {one.probability:.3f}   loss {one.loss:.2f}"
    called = f"{one.label} called {one.predicted}"
    if not (audit.wanted.actual and audit.wanted.predicted):
        title = f"{title}   {called}"
    return Cell(frames=tuple(frames), title=title, lines=(one.source, one.member))


def _frame(look: Look, caption: str) -> Frame:
    return Frame(picture=look.image, caption=caption, missing=look.missing)


def _row(audit: Audit, rank: int, one: Prediction) -> dict[str, Any]:
    known: Record | None = audit.found.records.get(one.key)
    return {
        "rank": rank, "probability": one.probability, "loss": one.loss, "actual": one.label,
        "predicted": one.predicted, "split": one.split, "fold": one.fold,
        "source": one.source, "member": one.member, "file": one.file,
        "origin": known.origin if known else "", "licence": known.licence if known else "",
        "generator": known.generator if known else "", "group": known.group if known else "",
        "status": known.status if known else "", "page": f"top-losses.html#p{rank}" if rank <= SHOWN else "",
        "note": "drawn picture" if one.source.startswith(DRAWN) else "",
    }  # fmt: skip


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
