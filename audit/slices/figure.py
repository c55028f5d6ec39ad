"""The figure of an audit of slices: error rates with their intervals, one panel per class, property by property."""

from typing import Any

from audit.slices.judge import FEW, HIGHER, LOWER, RunSlices, Slice
from imageledger.figure import FAINT, FINE, INK, LINE, PROBLEM, SMALL, USUAL, drawn, styled, whisker
from imageledger.letters import visible

MARKS = {HIGHER: (PROBLEM, "D"), LOWER: (FINE, "s")}
ORDER = ("source", "generator", "size", "brightness", "skin tone", "retouching", "matte")
WIDE, ROW, REST = 12.4, 0.27, 0.75
LONGEST = 46


def png(result: RunSlices, heading: str) -> bytes:
    """Draw both classes and return a PNG; equal results give equal bytes."""
    labels = result.answers.labels
    sides = [ordered(result, label) for label in labels]
    rows = max(1, *map(len, sides))

    def draw(figure: Any) -> None:
        for axes, slices, label in zip(figure.subplots(1, 2), sides, labels, strict=True):
            _panel(axes, slices, rows, label)

    return drawn(
        (WIDE, ROW * rows + REST), draw, title=heading,
        note=f"Run {result.answers.run.name}: {result.judged}.",
        foot="Red diamond: wrong more often than the rest of the class for certain. Blue-green square: less often. "
        "Grey line: the whole class. Numbers: wrong / pictures.",
    )  # fmt: skip


def ordered(result: RunSlices, label: str) -> list[Slice]:
    """Return the slices of a class, property by property, in each from the lowest to the highest part."""
    own = [part for part in result.slices if part.label == label and part.verdict != FEW]
    return sorted(own, key=lambda part: (ORDER.index(part.by), _place(part), part.level))


def _place(part: Slice) -> int:
    level = part.level.rpartition(", ")[2]
    return 0 if level.startswith("up to") else 2 if level.startswith("above") else 1


def _panel(axes: Any, slices: list[Slice], rows: int, label: str) -> None:
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_xlim(0, 1)
    if slices:
        first = slices[0]
        axes.axvline((first.wrong + first.rest_wrong) / (first.n + first.rest), color=FAINT, lw=1.2, zorder=1)
    for row, part in enumerate(slices):
        whisker(axes, row, part.rate.value, (part.rate.low, part.rate.high), *MARKS.get(part.verdict, (USUAL, "o")))
        axes.text(1.02, row, f"{part.wrong}/{part.n}", va="center", color=INK, fontsize=SMALL)
        if row and slices[row - 1].by != part.by:
            axes.axhline(row - 0.5, color=LINE, lw=0.8)
    axes.set_yticks(range(len(slices)), [_named(part) for part in slices], fontsize=SMALL)
    styled(axes, x="share that the model got wrong, with its 95 % interval", title=label, grid="x")


def _named(part: Slice) -> str:
    name = visible(f"{part.by}: {part.level}")
    kept = LONGEST // 2
    return name if len(name) <= LONGEST else f"{name[:kept]}…{name[-kept:]}"
