"""What changed pictures do to a model, written for people: sentences, a table, CSV, a figure, and JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.robustness import figure as robustness_figure
from audit.robustness.work import SURE, Audit, Cell
from audit.words import DRAWN_NOTE
from imageledger.intervals import holm
from imageledger.spreadsheet import as_csv
from imageledger.store import write_whole
from train.evaluation.statistics import Estimate

CSV_FIELDS = (
    "change", "quality", "scale", "pictures", "right", "accuracy", "accuracy_low", "accuracy_high", "flipped", "flips",
    "flips_low", "flips_high", "flipped_to_negative", "flipped_to_positive", "wrong_negatives", "wrong_positives", "p",
    "drift_p",
)  # fmt: skip


def write(audit: Audit, folder: Path) -> dict[str, Path]:
    """Write robustness.csv and robustness.png into a folder and return their paths by kind."""
    files = {kind: folder / f"robustness.{kind}" for kind in ("csv", "png")}
    write_whole(files["csv"], as_csv(CSV_FIELDS, map(_row, (audit.clean, *audit.cells))).encode())
    write_whole(files["png"], robustness_figure.png(audit, headline(audit)))
    return files


def sentences(audit: Audit) -> list[str]:
    """Say what costs the model most, what costs it for certain, and which way its answers go."""
    drawn = [DRAWN_NOTE] if audit.judged.drawn else []
    return [*drawn, headline(audit), _costs(audit), _direction(audit), *_drifts(audit), _what(audit)]


def headline(audit: Audit) -> str:
    """Name the worst change with its accuracy, beside that of the unchanged pictures."""
    worst = audit.cells[0]
    return f"Worst: {worst.name}, accuracy {_short(worst.accuracy)}, against {_short(audit.clean.accuracy)} unchanged."


def table(audit: Audit) -> list[dict[str, Any]]:
    """Return one row a change, the worst first, and the unchanged pictures last."""
    negative, positive = audit.judged.run.labels
    return [
        {
            "change": one.name,
            "right": f"{one.right}/{one.n}",
            "accuracy": _in_words(one.accuracy),
            "flipped": f"{one.flipped}",
            "flip rate": _in_words(one.flips),
            f"to {negative} / {positive}": f"{one.towards[0]} / {one.towards[1]}",
            f"wrong {negative} / {positive}": f"{one.wrong[0]} / {one.wrong[1]}",
            "p / drift": "" if one is audit.clean else f"{one.p:.2g} / {one.drift:.2g}",
        }
        for one in (*audit.cells, audit.clean)
    ]


def plain(audit: Audit, files: dict[str, Path]) -> dict[str, Any]:
    """Return the whole audit as one object for --json."""
    return {
        "run": audit.judged.run.name,
        "labels": list(audit.judged.run.labels),
        "pictures": audit.clean.n,
        "models": audit.models,
        "sentences": sentences(audit),
        "warnings": list(audit.warnings),
        "unchanged": asdict(audit.clean),
        "changes": [asdict(one) for one in audit.cells],
        "files": {kind: str(path) for kind, path in files.items()},
    }


def _costs(audit: Audit) -> str:
    n = len(audit.cells)
    costly = [one for one in audit.cells if one.p < SURE and one.accuracy.value < audit.clean.accuracy.value]
    if costly:
        named = ", ".join(one.name for one in costly)
        return f"{len(costly)} of {n} changes cost accuracy for certain (McNemar's test, corrected for {n}): {named}."
    return (
        f"No change costs accuracy for certain (McNemar's test, corrected for {n}); with {audit.clean.n} pictures one "
        f"would have to turn {_least(n)} right answers wrong and none the other way."
    )


def _direction(audit: Audit) -> str:
    most = max(audit.cells, key=lambda one: (one.flips.value, one.flipped))
    negative, positive = audit.judged.run.labels
    if not most.flipped:
        return "No answer flips under any change."
    return (
        f"Most answers flip under {most.name}: {most.flipped} of {most.n} = {_in_words(most.flips)}, "
        f"{most.towards[0]} of them to {negative} and {most.towards[1]} to {positive}."
    )


def _drifts(audit: Audit) -> list[str]:
    told = []
    for place, label in enumerate(audit.judged.run.labels):
        names = [one.name for one in audit.cells if one.drift < SURE and one.towards[place] > one.towards[1 - place]]
        if names:
            told.append(
                f"Answers move towards {label} for certain, whatever the pictures show, under {', '.join(names)}."
            )
    return told


def _what(audit: Audit) -> str:
    asked = "asked was the model"
    if audit.models > 1:
        asked = f"asked were {audit.models} models, each about the pictures it had not seen"
    return (
        "Changed is the picture that the model sees, after normalize and whiten, background included, and brought back "
        f"to its size; {asked}. A change before normalize may do less, or more."
    )


def _least(tests: int) -> int:
    """How many pictures must be lost, and none won, for the smallest of so many corrected p-values to be below SURE."""
    return next(n for n in range(1, 100) if holm([2 * 0.5**n, *([1.0] * (tests - 1))])[0] < SURE)


def _row(one: Cell) -> dict[str, Any]:
    return {
        "change": one.name, "quality": one.quality or "", "scale": one.scale or "", "pictures": one.n,
        "right": one.right, "accuracy": one.accuracy.value, "accuracy_low": one.accuracy.low,
        "accuracy_high": one.accuracy.high, "flipped": one.flipped, "flips": one.flips.value,
        "flips_low": one.flips.low, "flips_high": one.flips.high, "flipped_to_negative": one.towards[0],
        "flipped_to_positive": one.towards[1], "wrong_negatives": one.wrong[0], "wrong_positives": one.wrong[1],
        "p": one.p, "drift_p": one.drift,
    }  # fmt: skip


def _in_words(one: Estimate) -> str:
    return f"{100 * one.value:.0f} % ({100 * one.low:.0f}-{100 * one.high:.0f})"


def _short(one: Estimate) -> str:
    return f"{one.value:.2f} [{one.low:.2f}-{one.high:.2f}]"
