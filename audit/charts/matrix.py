"""A table of shaded cells: families by stages, a confusion matrix, changes by strengths."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from imageledger.letters import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell: words, a shade of 0..1 (None: no shade), a colour class, and a longer text for a pointer."""

    words: str
    shade: float | None = None
    colour: str = "usual"
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One row of cells under a name; `link` leads to a place on the page, "" to none."""

    name: str
    cells: Sequence[Cell]
    link: str = ""
    strong: bool = False


def matrix(rows: Sequence[MatrixRow], columns: Sequence[str], *, corner: str, label: str) -> Markup:
    """Draw a heat map as a table, so that it is read aloud, copied and printed as one; names lie down its left side.

    A row shorter than the columns is filled with "–".
    """
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(visible(name)) for name in columns)
    body = Markup("").join(_row(row, len(columns)) for row in rows)
    return Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{0}"><table class="matrix">'
        '<thead><tr><th scope="col">{1}</th>{2}</tr></thead><tbody>{3}</tbody></table></div>'
    ).format(visible(label), visible(corner), head, body)


def _row(row: MatrixRow, columns: int) -> Markup:
    cells = [*row.cells, *[Cell(words="–")] * (columns - len(row.cells))]
    name = Markup('<a href="#{}">{}</a>').format(row.link, visible(row.name)) if row.link else visible(row.name)
    return Markup('<tr{}><th scope="row">{}</th>{}</tr>').format(
        Markup(' class="together"') if row.strong else "", name, Markup("").join(map(_cell, cells))
    )


def _cell(cell: Cell) -> Markup:
    shade = (
        "" if cell.shade is None else Markup(' style="--shade:{:.0f}%"').format(100 * min(1.0, max(0.0, cell.shade)))
    )
    title = Markup(' title="{}"').format(visible(cell.title)) if cell.title else ""
    return Markup('<td class="{}"{}{}>{}</td>').format(cell.colour, shade, title, visible(cell.words))
