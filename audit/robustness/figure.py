"""The figure of an audit of robustness: a heat map of JPEG by scale, and a bar for every other change."""

from typing import Any

from audit.robustness.changes import QUALITIES, SCALES
from audit.robustness.judge import SURE, Cell, RunRobustness
from imageledger.figure import FAINT, INK, MOUNT, PROBLEM, SHADES, USUAL, drawn, styled, whisker
from imageledger.letters import visible

SIZE = (10.4, 3.9)


def png(result: RunRobustness, heading: str) -> bytes:
    """Draw the audit and return a PNG; equal results give equal bytes."""
    note = f"Run {result.answers.run.name}: {result.answers.in_words}; accuracy, and answers that flip."
    foot = (
        f"Bold and red: costs accuracy for certain (McNemar, corrected for {len(result.cells)} changes). Grey line and "
        "band: unchanged pictures. Arrow: answers drift that way for certain."
    )

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        _heat(left, result)
        _bars(right, result)

    return drawn(SIZE, draw, title=heading, note=note, foot=foot)


def _heat(axes: Any, result: RunRobustness) -> None:
    cells = {(cell.quality, cell.scale): cell for cell in result.cells if cell.quality}
    values = [[cells[quality, scale].accuracy.value for scale in SCALES] for quality in QUALITIES]
    axes.imshow(values, cmap=SHADES, vmin=0.4, vmax=1.0, aspect="auto", alpha=0.55)
    for row, quality in enumerate(QUALITIES):
        for column, scale in enumerate(SCALES):
            cell = cells[quality, scale]
            colour, weight = (PROBLEM, "bold") if _costly(cell, result) else (INK, "normal")
            axes.text(column, row - 0.2, f"{cell.accuracy.value:.2f}", ha="center", va="center", fontsize=12,
                      color=colour, fontweight=weight)  # fmt: skip
            words = f"[{cell.accuracy.low:.2f}–{cell.accuracy.high:.2f}]\n{_flips(cell, result)}"
            axes.text(column, row + 0.2, words, ha="center", va="center", fontsize=7.5, color=INK)
    axes.set_xticks(range(len(SCALES)), [f"{scale:g}" for scale in SCALES])
    axes.set_yticks(range(len(QUALITIES)), [f"{quality}" for quality in QUALITIES])
    styled(axes, x="share of its size at which the picture was saved", y="JPEG quality")


def _bars(axes: Any, result: RunRobustness) -> None:
    others = [cell for cell in result.cells if not cell.quality]
    axes.axvspan(result.clean.accuracy.low, result.clean.accuracy.high, color=MOUNT, lw=0, zorder=0)
    axes.axvline(result.clean.accuracy.value, color=FAINT, lw=1.2, zorder=2)
    for row, cell in enumerate(others):
        colour, marker = (PROBLEM, "D") if _costly(cell, result) else (USUAL, "o")
        accuracy = cell.accuracy
        axes.barh(row, accuracy.value, height=0.58, color=colour, alpha=0.3, zorder=1)
        whisker(axes, row, accuracy.value, (accuracy.low, accuracy.high), colour, marker)
        axes.text(0.02, row, _flips(cell, result), va="center", color=INK, fontsize=8, zorder=6)
    axes.set_yticks(range(len(others)), [cell.name for cell in others])
    axes.set_ylim(len(others) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    styled(axes, x="accuracy, with its 95 % interval", grid="x")


def _flips(cell: Cell, result: RunRobustness) -> str:
    """Say how many answers flip, and to which label where they drift one way for certain."""
    towards = result.answers.labels[int(cell.towards[1] > cell.towards[0])]
    return f"{100 * cell.flips.value:.0f} % flip" + (f" → {visible(towards)}" if cell.drift < SURE else "")


def _costly(cell: Cell, result: RunRobustness) -> bool:
    return cell.p < SURE and cell.accuracy.value < result.clean.accuracy.value
