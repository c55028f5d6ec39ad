"""The page of recipes: what each leaves of the shortcuts, and what it keeps of the planted signals."""

from collections.abc import Sequence

from audit.audit_page import Drawing
from audit.charts.matrix import Cell, MatrixRow, matrix
from imageledger.types import Row

KEPT = ("trace", "network")
"""Columns in which much is good; in all others it is a shortcut that is left."""

WORDS = ("recipe", "size", "n")


def drawings(rows: Sequence[Row]) -> list[Drawing]:
    """Draw the AUCs of every recipe, shaded from chance (0.5) to everything (1.0)."""
    columns = [name for name in rows[0] if name not in WORDS] if rows else []
    table = [
        MatrixRow(name=" at ".join([row["recipe"], *([f"{row['size']} px"] if row["size"] else [])]),
                  cells=[_cell(name, row[name]) for name in columns])
        for row in rows
    ]  # fmt: skip
    return [
        Drawing(
            title="AUC left and kept",
            drawn=matrix(table, columns, corner="recipe", label="AUC of each recipe, 0.5 for nothing and 1.0 for all"),
            note="Strong colour is what still separates: a shortcut that is left, or, in the column trace, the signal "
            "that is kept. 0.5 is chance.",
        )
    ] if rows else []  # fmt: skip


def _cell(name: str, value: str | float) -> Cell:
    auc = float(value.partition(" ")[0]) if isinstance(value, str) else value
    return Cell(words=value if isinstance(value, str) else f"{value:.2f}", shade=2 * (auc - 0.5),
                colour="fine" if name in KEPT else "problem")  # fmt: skip
