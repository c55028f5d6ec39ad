"""The figure of dose and response: where the audit sees a plant, and where it goes blind."""

from collections.abc import Sequence
from typing import Any

from audit.self_test.doses import DRAWS, Dose
from imageledger.figure import FAINT, FINE, INK, drawn, styled

WIDTH, ROW, REST = 8.6, 0.3, 1.5


def png(given: Sequence[Dose], pictures: str) -> bytes:
    """Draw one cell per plant and dose and return a PNG; equal doses give equal bytes."""
    names = list(dict.fromkeys(dose.plant.name for dose in given))
    columns = list(dict.fromkeys(dose.column for dose in given))

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for dose in given:
            row, column = names.index(dose.plant.name), columns.index(dose.column)
            axes.add_patch(_cell(column, row, dose.found.share))
            axes.text(column, row, f"{dose.found.hits}", ha="center", va="center", fontsize=8,
                      color="white" if dose.found.share > 0.6 else INK)  # fmt: skip
        for row, name in enumerate(names):
            for column, heading in enumerate(columns):
                if not any(one.plant.name == name and one.column == heading for one in given):
                    axes.text(column, row, "–", ha="center", va="center", color=FAINT)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(len(names) - 0.5, -0.5)
        styled(axes, x="share of one class that has the plant; half strength in all of it")

    return drawn(
        (WIDTH, ROW * len(names) + REST), draw, title=f"In how many of {DRAWS} sets does the audit find the plant?",
        note=pictures, foot="A white cell is where the audit is blind: its silence there shows nothing.",
    )  # fmt: skip


def _cell(column: int, row: int, share: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, facecolor=FINE, alpha=share, lw=0)
