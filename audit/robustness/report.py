"""What changed pictures do to a model, written for people: sentences, a table, CSV, a figure, and JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.findings import Finding, Report, Severity, csv_bytes, notes
from audit.robustness import figure, page
from audit.robustness.judge import SURE, Cell, RunRobustness
from audit.words import DRAWN_NOTE
from imageledger.intervals import holm, with_interval
from imageledger.types import Row
from train.evaluation.statistics import Estimate

COLUMNS = (
    "change", "quality", "scale", "pictures", "right", "accuracy", "accuracy_low", "accuracy_high", "flipped", "flips",
    "flips_low", "flips_high", "flipped_to_negative", "flipped_to_positive", "wrong_negatives", "wrong_positives", "p",
    "drift_p",
)  # fmt: skip


def report(result: RunRobustness, folder: Path) -> Report:
    """Write the audit of a run as a report, whose files go into `folder`."""
    rows = [_row(cell) for cell in (result.clean, *result.cells)]
    return Report(
        audit="robustness",
        subject=result.answers.run.name,
        findings=findings(result),
        tables={f"{result.clean.n} pictures, the worst change first": table(result)},
        rows=rows,
        data=data(result),
        contents={
            "robustness.csv": lambda: csv_bytes(COLUMNS, rows),
            "robustness.png": lambda: figure.png(result, headline(result)),
        },
        folder=folder,
        warnings=result.warnings,
        drawings=lambda: page.drawings(result),
    )


def findings(result: RunRobustness) -> list[Finding]:
    """Say what costs the model most, what costs it for certain, and which way its answers go."""
    costs = Finding(severity=Severity.PROBLEM if costly(result) else Severity.UNDECIDED, sentence=_costs(result))
    drawn = DRAWN_NOTE if result.answers.drawn else ""
    return [
        *notes(drawn, headline(result)),
        costs,
        *notes(_direction(result), *_drifts(result), _method(result)),
    ]


def headline(result: RunRobustness) -> str:
    """Name the worst change with its accuracy, beside that of the unchanged pictures."""
    worst = result.cells[0]
    return f"Worst: {worst.name}, accuracy {_share(worst.accuracy)}, against {_share(result.clean.accuracy)} unchanged."


def costly(result: RunRobustness) -> list[Cell]:
    """Return the changes that cost accuracy for certain, the worst first."""
    return [cell for cell in result.cells if cell.p < SURE and cell.accuracy.value < result.clean.accuracy.value]


def table(result: RunRobustness) -> list[Row]:
    """Return one row per change, the worst first, and the unchanged pictures last."""
    negative, positive = result.answers.labels
    return [
        {
            "change": cell.name,
            "right": f"{cell.right}/{cell.n}",
            "accuracy": _percent(cell.accuracy),
            "flipped": f"{cell.flipped}",
            "flip rate": _percent(cell.flips),
            f"to {negative} / {positive}": f"{cell.towards[0]} / {cell.towards[1]}",
            f"wrong {negative} / {positive}": f"{cell.wrong[0]} / {cell.wrong[1]}",
            "p / drift": "" if cell is result.clean else f"{cell.p:.2g} / {cell.drift:.2g}",
        }
        for cell in (*result.cells, result.clean)
    ]


def data(result: RunRobustness) -> dict[str, Any]:
    """Return the whole audit as one object for scripts."""
    return {
        "run": result.answers.run.name,
        "labels": list(result.answers.labels),
        "pictures": result.clean.n,
        "models": result.models,
        "sentences": [finding.sentence for finding in findings(result)],
        "warnings": list(result.warnings),
        "unchanged": asdict(result.clean),
        "changes": [asdict(cell) for cell in result.cells],
    }


def _costs(result: RunRobustness) -> str:
    n, cells = len(result.cells), costly(result)
    if cells:
        names = ", ".join(cell.name for cell in cells)
        return f"{len(cells)} of {n} changes cost accuracy for certain (McNemar's test, corrected for {n}): {names}."
    return (
        f"No change costs accuracy for certain (McNemar's test, corrected for {n}). With {result.clean.n} pictures a "
        f"change would have to turn {_least(n)} right answers wrong, and none the other way."
    )


def _direction(result: RunRobustness) -> str:
    most = max(result.cells, key=lambda cell: (cell.flips.value, cell.flipped))
    negative, positive = result.answers.labels
    if not most.flipped:
        return "No answer flips under any change."
    return (
        f"Most answers flip under {most.name}: {most.flipped} of {most.n} = {_percent(most.flips)}, "
        f"{most.towards[0]} of them to {negative} and {most.towards[1]} to {positive}."
    )


def _drifts(result: RunRobustness) -> list[str]:
    sentences = []
    for place, label in enumerate(result.answers.labels):
        names = [
            cell.name for cell in result.cells
            if cell.drift < SURE and cell.towards[place] > cell.towards[1 - place]
        ]  # fmt: skip
        if names:
            sentences.append(f"Whatever the pictures show, answers move towards {label} under {', '.join(names)}.")
    return sentences


def _method(result: RunRobustness) -> str:
    asked = "The model answered"
    if result.models > 1:
        asked = f"{result.models} models answered, each for the pictures it had not seen"
    return (
        "The audit changed the picture that the model sees, after normalize and whiten, background included, and "
        f"brought it back to its size. {asked}. A change before normalize may do less, or more."
    )


def _least(tests: int) -> int:
    """How many pictures must be lost, and none won, for the smallest of so many corrected p-values to be below SURE."""
    return next(n for n in range(1, 100) if holm([2 * 0.5**n, *([1.0] * (tests - 1))])[0] < SURE)


def _row(cell: Cell) -> dict[str, Any]:
    return {
        "change": cell.name, "quality": cell.quality or "", "scale": cell.scale or "", "pictures": cell.n,
        "right": cell.right, "accuracy": cell.accuracy.value, "accuracy_low": cell.accuracy.low,
        "accuracy_high": cell.accuracy.high, "flipped": cell.flipped, "flips": cell.flips.value,
        "flips_low": cell.flips.low, "flips_high": cell.flips.high, "flipped_to_negative": cell.towards[0],
        "flipped_to_positive": cell.towards[1], "wrong_negatives": cell.wrong[0], "wrong_positives": cell.wrong[1],
        "p": cell.p, "drift_p": cell.drift,
    }  # fmt: skip


def _percent(estimate: Estimate) -> str:
    return with_interval(estimate.value, estimate.low, estimate.high, percent=True)


def _share(estimate: Estimate) -> str:
    return with_interval(estimate.value, estimate.low, estimate.high)
