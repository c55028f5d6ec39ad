"""The figure of a hold-out: what becomes of each generator, or source, that the model has never met. No torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imageledger.figure import drawn
from imageledger.sheet import FAINT, INK, LINE, visible
from imageledger.store import write_whole
from train.runs import Run

UNSEEN, SEEN = "#b3261e", "#1f5f99"
WIDE = 36
"""Letters of a name in one line."""


def write(folder: Path, run: Run) -> None:
    """Write hold_out.png: a dot with its 95 % interval for each part, unseen and once it is known."""
    parts = run.evaluation["parts"]
    write_whole(folder / "hold_out.png", drawn((8.2, 1.9 + 0.62 * len(parts)), lambda figure: _draw(figure, run)))


def _draw(figure: Any, run: Run) -> None:
    axes = figure.subplots()
    parts = run.evaluation["parts"]
    for row, part in enumerate(parts):
        _whisker(axes, row - 0.11, part["unseen"], UNSEEN, "D")
        _whisker(axes, row + 0.11, part["seen"], SEEN, "o")
    names = [f"{_wrapped(visible(part['name']))}\n{part['pictures']} {visible(part['label'])}" for part in parts]
    axes.set_yticks(range(len(parts)), names)
    axes.set_ylim(len(parts) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.axvline(0.5, color=FAINT, lw=1, ls=":", zorder=1)
    axes.grid(axis="x", color=LINE, lw=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=INK)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_xlabel("share of the pictures that are recognised, with its 95 % interval", color=FAINT)
    for colour, marker, words in ((UNSEEN, "D", "never met in training"), (SEEN, "o", "known, but not this picture")):
        axes.plot([], [], marker, color=colour, label=words)
    figure.legend(loc="outside lower left", ncols=2, frameon=False, labelcolor=FAINT)
    figure.suptitle(f"Leaving out one {run.evaluation['by']} at a time", x=0.01, ha="left", fontsize=12,
                    fontweight="bold", color=INK)  # fmt: skip


def _wrapped(name: str) -> str:
    return "\n".join(name[begun : begun + WIDE] for begun in range(0, len(name), WIDE))


def _whisker(axes: Any, row: float, figure: Mapping[str, Any], colour: str, marker: str) -> None:
    if "value" not in figure:
        return
    axes.plot([figure["low"], figure["high"]], [row, row], color=colour, lw=2.2, alpha=0.45, solid_capstyle="round")
    axes.plot([figure["value"]], [row], marker, color=colour, ms=6, markeredgecolor="white", markeredgewidth=0.6)
