"""The figure of an audit of slices: error rates with their intervals, one panel a class, property by property."""

from typing import Any

from audit.slices.judge import FEW, HIGHER, LOWER, Slice
from audit.slices.work import Audit
from imageledger.figure import drawn
from imageledger.sheet import FAINT, INK, LINE, visible

COLOURS = {HIGHER: "#b3261e", LOWER: "#1b6e3c"}
USUAL = "#2f6db5"
ORDER = ("source", "generator", "size", "brightness", "skin tone", "retouching", "matte")
WIDE, ROW, HEAD, FOOT = 12.4, 0.27, 1.05, 0.75
LONGEST = 46


def png(audit: Audit, heading: str) -> bytes:
    """Draw both classes and return a PNG; equal audits give equal bytes."""
    sides = [_ordered(audit, label) for label in audit.judged.run.labels]
    rows = max(1, *map(len, sides))
    tall = HEAD + ROW * rows + FOOT

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, 2)
        figure.subplots_adjust(left=0.245, right=0.985, top=1 - HEAD / tall, bottom=FOOT / tall, wspace=0.86)
        for axes, slices, label in zip(panels, sides, audit.judged.run.labels, strict=True):
            _panel(axes, slices, rows, label)
        figure.text(0.02, 1 - 0.36 / tall, visible(heading), fontsize=11, fontweight="bold", color=INK)
        said = f"Run {audit.judged.run.name}: {audit.judged.in_words}. Share that is wrong, with its 95 % interval."
        figure.text(0.02, 1 - 0.6 / tall, visible(said), fontsize=9, color=FAINT)
        told = (
            "Red: mistaken more often than the rest of the class for certain, green: less often. Grey line: the class."
        )
        figure.text(0.02, 0.14 / tall, told, fontsize=8.5, color=FAINT)

    return drawn((WIDE, tall), draw, fitted=False, letters=8.5)


def _ordered(audit: Audit, label: str) -> list[Slice]:
    """Return the slices of a class, property by property, in each from the lowest to the highest part."""
    own = [one for one in audit.slices if one.label == label and one.verdict != FEW]
    return sorted(own, key=lambda one: (ORDER.index(one.by), _place(one), one.level))


def _place(one: Slice) -> int:
    told = one.level.rpartition(", ")[2]
    return 0 if told.startswith("up to") else 2 if told.startswith("above") else 1


def _panel(axes: Any, slices: list[Slice], rows: int, label: str) -> None:
    axes.set_title(visible(label), fontsize=10, fontweight="bold", color=INK, loc="left")
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_xlim(0, 1)
    if slices:
        one = slices[0]
        axes.axvline((one.wrong + one.rest_wrong) / (one.n + one.rest), color=FAINT, lw=1.2, zorder=1)
    for row, one in enumerate(slices):
        colour = COLOURS.get(one.verdict, USUAL)
        axes.plot([one.rate.low, one.rate.high], [row, row], color=colour, lw=2.2, alpha=0.45, zorder=3,
                  solid_capstyle="round")  # fmt: skip
        axes.plot([one.rate.value], [row], "o", color=colour, ms=5.5, zorder=4, markeredgecolor="white",
                  markeredgewidth=0.6)  # fmt: skip
        axes.text(1.0, row, f"{one.wrong}/{one.n}", ha="right", va="center", color=INK, fontsize=8)
        if row and slices[row - 1].by != one.by:
            axes.axhline(row - 0.5, color=LINE, lw=0.8)
    axes.set_yticks(range(len(slices)), [_named(one) for one in slices])
    axes.tick_params(length=0, colors=INK)
    axes.grid(axis="x", color=LINE, lw=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _named(one: Slice) -> str:
    told = visible(f"{one.by}: {one.level}")
    kept = LONGEST // 2
    return told if len(told) <= LONGEST else f"{told[:kept]}…{told[-kept:]}"
