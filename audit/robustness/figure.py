"""The figure of an audit of robustness: a heat map of JPEG by scale, and a bar for every other change."""

from typing import Any

from audit.robustness.changes import QUALITIES, SCALES
from audit.robustness.work import SURE, Audit, Cell
from imageledger.figure import FAINT, INK, MOUNT, PROBLEM, SHADES, USUAL, drawn, styled, whisker
from imageledger.letters import visible

SIZE = (10.4, 3.9)


def png(audit: Audit, heading: str) -> bytes:
    """Draw the audit and return a PNG; equal audits give equal bytes."""
    note = f"Run {audit.judged.run.name}: {audit.judged.in_words}; accuracy, and answers that flip."
    foot = (
        f"Bold and red: costs accuracy for certain (McNemar, corrected for {len(audit.cells)} changes). Grey line and "
        "band: unchanged pictures. Arrow: answers drift that way for certain."
    )

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        _heat(left, audit)
        _bars(right, audit)

    return drawn(SIZE, draw, title=heading, note=note, foot=foot)


def _heat(axes: Any, audit: Audit) -> None:
    cells = {(cell.quality, cell.scale): cell for cell in audit.cells if cell.quality}
    values = [[cells[quality, scale].accuracy.value for scale in SCALES] for quality in QUALITIES]
    axes.imshow(values, cmap=SHADES, vmin=0.4, vmax=1.0, aspect="auto", alpha=0.55)
    for row, quality in enumerate(QUALITIES):
        for column, scale in enumerate(SCALES):
            cell = cells[quality, scale]
            colour, weight = (PROBLEM, "bold") if _costly(cell, audit) else (INK, "normal")
            axes.text(column, row - 0.2, f"{cell.accuracy.value:.2f}", ha="center", va="center", fontsize=12,
                      color=colour, fontweight=weight)  # fmt: skip
            words = f"[{cell.accuracy.low:.2f}–{cell.accuracy.high:.2f}]\n{_flips(cell, audit)}"
            axes.text(column, row + 0.2, words, ha="center", va="center", fontsize=7.5, color=INK)
    axes.set_xticks(range(len(SCALES)), [f"{scale:g}" for scale in SCALES])
    axes.set_yticks(range(len(QUALITIES)), [f"{quality}" for quality in QUALITIES])
    styled(axes, x="share of its size at which the picture was saved", y="JPEG quality")


def _bars(axes: Any, audit: Audit) -> None:
    others = [cell for cell in audit.cells if not cell.quality]
    axes.axvspan(audit.clean.accuracy.low, audit.clean.accuracy.high, color=MOUNT, lw=0, zorder=0)
    axes.axvline(audit.clean.accuracy.value, color=FAINT, lw=1.2, zorder=2)
    for row, cell in enumerate(others):
        colour, marker = (PROBLEM, "D") if _costly(cell, audit) else (USUAL, "o")
        accuracy = cell.accuracy
        axes.barh(row, accuracy.value, height=0.58, color=colour, alpha=0.3, zorder=1)
        whisker(axes, row, accuracy.value, (accuracy.low, accuracy.high), colour, marker)
        axes.text(0.02, row, _flips(cell, audit), va="center", color=INK, fontsize=8, zorder=6)
    axes.set_yticks(range(len(others)), [cell.name for cell in others])
    axes.set_ylim(len(others) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    styled(axes, x="accuracy, with its 95 % interval", grid="x")


def _flips(cell: Cell, audit: Audit) -> str:
    """Say how many answers flip, and to which label where they drift one way for certain."""
    towards = audit.judged.run.labels[int(cell.towards[1] > cell.towards[0])]
    return f"{100 * cell.flips.value:.0f} % flip" + (f" → {visible(towards)}" if cell.drift < SURE else "")


def _costly(cell: Cell, audit: Audit) -> bool:
    return cell.p < SURE and cell.accuracy.value < audit.clean.accuracy.value
