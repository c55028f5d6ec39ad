"""The page of an audit of robustness: JPEG by scale as a heat map, and every other change with its interval."""

from audit.audit_page import Drawing
from audit.charts.matrix import Cell as Shaded
from audit.charts.matrix import MatrixRow, matrix
from audit.charts.rows import Bar, rows
from audit.robustness.changes import QUALITIES, SCALES
from audit.robustness.judge import SURE, Cell, RunRobustness
from imageledger.intervals import with_interval

LEAST_SHADE = 0.4
"""Accuracy that has no shade at all."""


def drawings(result: RunRobustness) -> list[Drawing]:
    """Draw the accuracy under JPEG at several sizes, and under everything else."""
    clean, others = result.clean.accuracy, [cell for cell in result.cells if not cell.quality]
    certain = f"Diamond: costs accuracy for certain (McNemar's test, corrected for {len(result.cells)} changes)."
    heat = Drawing(
        title="Saved as JPEG at a share of its size", drawn=matrix(
            [_row(result, quality) for quality in QUALITIES], [f"{scale:g}" for scale in SCALES], corner="quality",
            label="Accuracy by JPEG quality and scale",
        ), note=f"Accuracy, {clean.value:.2f} unchanged; columns: the share of its size at which a picture was saved.",
    )  # fmt: skip
    least = min([0.5, *(cell.accuracy.low for cell in others), clean.low])
    bars = Drawing(
        title="Other changes", drawn=rows(
            [_bar(cell, result) for cell in others], x="accuracy, with its 95 % interval", middle=clean.value,
            ends=(least, 1.0), words=92, label=f"Accuracy under each change; {clean.value:.2f} unchanged",
        ), note=f"Line: unchanged pictures. At the right: answers that flip. {certain}",
    )  # fmt: skip
    return [heat, bars] if others else [heat]


def _row(result: RunRobustness, quality: int) -> MatrixRow:
    cells = {cell.scale: cell for cell in result.cells if cell.quality == quality}
    return MatrixRow(name=f"{quality}", cells=[_shaded(cells[scale], result) for scale in SCALES if scale in cells])


def _shaded(cell: Cell, result: RunRobustness) -> Shaded:
    accuracy = cell.accuracy
    return Shaded(
        words=f"{accuracy.value:.2f}{' ◆' if _costly(cell, result) else ''}",
        shade=max(0.0, (accuracy.value - LEAST_SHADE) / (1 - LEAST_SHADE)),
        colour="problem" if _costly(cell, result) else "usual",
        title=f"{with_interval(accuracy.value, accuracy.low, accuracy.high)}; {_flips(cell, result)}",
    )


def _bar(cell: Cell, result: RunRobustness) -> Bar:
    colour, shape = ("problem", "D") if _costly(cell, result) else ("usual", "o")
    accuracy = cell.accuracy
    return Bar(name=cell.name, value=accuracy.value, low=accuracy.low, high=accuracy.high, colour=colour, shape=shape,
               words=_flips(cell, result))  # fmt: skip


def _flips(cell: Cell, result: RunRobustness) -> str:
    towards = result.answers.labels[int(cell.towards[1] > cell.towards[0])]
    return f"{100 * cell.flips.value:.0f} % flip" + (f" → {towards}" if cell.drift < SURE else "")


def _costly(cell: Cell, result: RunRobustness) -> bool:
    return cell.p < SURE and cell.accuracy.value < result.clean.accuracy.value
