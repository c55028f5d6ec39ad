"""The page that all audits share: verdict, findings, drawings, tables, pictures. Pure: a report in, HTML out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from audit import page
from imageledger.letters import visible
from imageledger.sheet import Cell
from imageledger.types import Row

if TYPE_CHECKING:
    from audit.findings import Report

SHOWN = 48
"""So many cells of a gallery stand on a page; the others are counted."""

ROWS = 200
"""So many rows of a table stand on a page; the CSV file has all."""

SIDE = 200
"""Longer side, in pixels, of the pictures of a gallery."""

MARKS = {"problem": "◆", "undecided": "■", "note": "●"}
"""Findings are told apart by their mark and word too, not by colour alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure of a page: a title, the drawing (SVG or a table, from audit/charts), and how it is read."""

    title: str
    drawn: Markup
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """Pictures of a page, in the cells of a contact sheet, under a title; `of` is how many there are in all."""

    title: str
    cells: Sequence[Cell]
    note: str = ""
    of: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of a page: its rows in words, and which columns hold numbers."""

    title: str
    names: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[bool]
    left_out: int


def html(report: "Report") -> str:
    """Return the page of a report; it needs nothing but itself, and every word from elsewhere is escaped."""
    return page.render(
        "audit_page.html", heading=_capital(report.audit), audit=report.audit,
        subject=report.subject, verdict=report.verdict, next_step=report.next_step,
        findings=[(MARKS[each.severity.value], each.severity.value, each.sentence) for each in report.findings],
        warnings=report.warnings,
        drawings=report.drawings(), galleries=report.galleries(), shown=SHOWN, side=SIDE,
        tables=[table_of(title, rows) for title, rows in report.tables.items() if rows],
        files=[report.name_of(name) for name in report.contents],
    )  # fmt: skip


def table_of(title: str, rows: Sequence[Row]) -> Table:
    """Return rows with the same keys as the words of a table; columns of numbers stand on the right."""
    names = list(rows[0])
    return Table(
        title=_capital(title), names=names, rows=[[_word(row.get(name)) for name in names] for row in rows[:ROWS]],
        numeric=[any(_is_number(row.get(name)) for row in rows) for name in names],
        left_out=max(0, len(rows) - ROWS),
    )  # fmt: skip


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return "" if value is None else visible(str(value))
