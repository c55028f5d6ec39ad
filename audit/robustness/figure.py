"""The figure of an audit of robustness: a heat map of JPEG by scale, and a bar for every other change."""

from typing import Any

from audit.robustness.changes import QUALITIES, SCALES
from audit.robustness.work import SURE, Audit, Cell
from imageledger.figure import drawn
from imageledger.sheet import FAINT, INK, LINE, MOUNT, visible

COSTLY, PLAIN = "#b3261e", "#2f6db5"
SIZE = (10.4, 4.9)


def png(audit: Audit, heading: str) -> bytes:
    """Draw the audit and return a PNG; equal audits give equal bytes."""

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(5, 5))
        figure.subplots_adjust(left=0.085, right=0.975, top=0.76, bottom=0.17, wspace=0.3)
        _heat(left, audit)
        _bars(right, audit)
        figure.text(0.025, 0.925, visible(heading), fontsize=11, fontweight="bold", color=INK)
        said = f"Run {audit.judged.run.name}: {audit.judged.in_words}; accuracy, and answers that flip."
        figure.text(0.025, 0.87, visible(said), fontsize=9, color=FAINT)
        told = f"Bold and red: costs accuracy for certain (McNemar, corrected for {len(audit.cells)})."
        figure.text(
            0.025,
            0.035,
            f"{told} Grey line and band: unchanged pictures. Arrow: answers drift that way for certain.",
            fontsize=8.5,
            color=FAINT,
        )

    return drawn(SIZE, draw, fitted=False)


def _heat(axes: Any, audit: Audit) -> None:
    cells = {(one.quality, one.scale): one for one in audit.cells if one.quality}
    values = [[cells[quality, scale].accuracy.value for scale in SCALES] for quality in QUALITIES]
    axes.imshow(values, cmap="RdYlGn", vmin=0.4, vmax=1.0, aspect="auto", alpha=0.55)
    for row, quality in enumerate(QUALITIES):
        for column, scale in enumerate(SCALES):
            one = cells[quality, scale]
            axes.text(column, row - 0.2, f"{one.accuracy.value:.2f}", ha="center", va="center", fontsize=12,
                      color=COSTLY if _costly(one, audit) else INK,
                      fontweight="bold" if _costly(one, audit) else "normal")  # fmt: skip
            told = f"{one.accuracy.low:.2f}-{one.accuracy.high:.2f}\n{_flips(one, audit)}"
            axes.text(column, row + 0.2, told, ha="center", va="center", fontsize=7.5, color=INK)
    axes.set_xticks(range(len(SCALES)), [f"{scale:g}" for scale in SCALES])
    axes.set_yticks(range(len(QUALITIES)), [f"{quality}" for quality in QUALITIES])
    axes.set_xlabel("saved at this share of its size", color=INK)
    axes.set_ylabel("JPEG quality", color=INK)
    _plainly(axes)


def _bars(axes: Any, audit: Audit) -> None:
    others = [one for one in audit.cells if not one.quality]
    axes.axvspan(audit.clean.accuracy.low, audit.clean.accuracy.high, color=MOUNT, lw=0, zorder=0)
    axes.axvline(audit.clean.accuracy.value, color=FAINT, lw=1.2, zorder=2)
    for row, one in enumerate(others):
        colour = COSTLY if _costly(one, audit) else PLAIN
        axes.barh(row, one.accuracy.value, height=0.58, color=colour, alpha=0.45, zorder=1)
        axes.plot([one.accuracy.low, one.accuracy.high], [row, row], color=colour, lw=2, zorder=3)
        axes.plot([one.accuracy.value], [row], "o", color=colour, ms=5, zorder=4)
        axes.text(0.02, row, _flips(one, audit), va="center", color=INK, fontsize=8, zorder=5)
    axes.set_yticks(range(len(others)), [one.name for one in others])
    axes.set_ylim(len(others) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xlabel("accuracy, with its 95 % interval", color=INK)
    axes.grid(axis="x", color=LINE, lw=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    _plainly(axes)


def _flips(one: Cell, audit: Audit) -> str:
    """Say how many answers flip, and to which label where they drift one way for certain."""
    towards = audit.judged.run.labels[int(one.towards[1] > one.towards[0])]
    return f"{100 * one.flips.value:.0f} % flip" + (f" → {visible(towards)}" if one.drift < SURE else "")


def _costly(one: Cell, audit: Audit) -> bool:
    return one.p < SURE and one.accuracy.value < audit.clean.accuracy.value


def _plainly(axes: Any) -> None:
    axes.tick_params(length=0, colors=INK)
    for side in axes.spines.values():
        side.set_visible(False)
