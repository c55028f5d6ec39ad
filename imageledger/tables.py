"""Rows as a table that fits: with rich where there is room, else each row as lines of its own."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from imageledger.letters import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

LONGEST = 12
"""A word is folded inside a column, so that no column needs more cells than this, or the width of its heading."""

BORDER = 3
"""Cells between two columns, their line included."""


def drawn(rows: Sequence[Mapping[str, Any]], title: str, width: int) -> "RenderableType":
    """Return rows with the same keys as a table no wider than `width` cells; names of strangers are only letters."""
    cells = [{name: _cell(value) for name, value in row.items()} for row in rows]
    least = sum(max(_least(name), *(_least(row[name]) for row in cells)) + BORDER for name in cells[0]) + 1
    return _lines(cells, title) if least > width else _table(rows, cells, title)


def _table(rows: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, str]], title: str) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    heading = Text(visible(title)) if title else None
    shown = Table(title=heading, title_justify="left", title_style="bold", header_style="bold")
    for name in cells[0]:
        numeric = any(isinstance(row[name], int | float) for row in rows)
        shown.add_column(Text(visible(name)), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        shown.add_row(*(Text(value, overflow="fold") for value in row.values()))
    return shown


def _lines(cells: Sequence[Mapping[str, str]], title: str) -> "RenderableType":
    """Write each row as a heading, its first cell, and below it the others by name; what is empty is left out."""
    from rich.console import Group, RenderableType
    from rich.padding import Padding
    from rich.text import Text

    shown: list[RenderableType] = [Text(visible(title), style="bold")] if title else []
    for row in cells:
        (_, head), *rest = row.items()
        shown.append(Text(head or "–", style="bold", overflow="fold"))
        told = ", ".join(f"{visible(name)}: {value}" for name, value in rest if value)
        shown.append(Padding(Text(told, overflow="fold"), (0, 0, 0, 2)))
    return Group(*shown)


def _least(text: str) -> int:
    """Return how many cells of a terminal a column needs at least for a text."""
    from rich.cells import cell_len

    return max((min(cell_len(word), LONGEST) for word in visible(text).split()), default=1)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return "" if value is None else visible(str(value))
