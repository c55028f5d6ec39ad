"""Slices of a run, written for people: sentences, a table, CSV, a figure, and one object for scripts."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.findings import Finding, Report, Severity, csv_bytes, notes
from audit.slices import figure, page
from audit.slices.judge import HIGHER, LEAST, LOWER, RunSlices, Slice
from audit.words import DRAWN_NOTE
from imageledger.intervals import with_interval
from imageledger.letters import visible
from imageledger.store import Store
from imageledger.types import Row
from train.answers import CROSS_VALIDATE

SHOWN = 20
"""So many slices stand in the table of a terminal; the CSV file has all."""
SMALL = 100

COLUMNS = (
    "label", "property", "slice", "pictures", "wrong", "error_rate", "low", "high", "rest", "rest_wrong",
    "rest_error_rate", "p", "verdict", "shown_from",
)  # fmt: skip

ESTIMATES = (
    "Skin tone (ITA, in degrees) and retouching (smoothness of the skin) are estimates from pixels. They also measure "
    "light, white balance, focus and compression: they say how a face was pictured, and nothing about a person."
)


def report(result: RunSlices, folder: Path, store: Store) -> Report:
    """Write the audit of a run as a report, whose files go into `folder`; its page shows pictures of the store."""
    rows = [_row(part) for part in result.slices]
    return Report(
        audit="slices",
        subject=result.answers.run.name,
        findings=findings(result),
        tables={_title(result): table(result)},
        rows=rows,
        data=data(result),
        contents={
            "slices.csv": lambda: csv_bytes(COLUMNS, rows),
            "slices.png": lambda: figure.png(result, headline(result)),
        },
        folder=folder,
        warnings=result.answers.warnings,
        drawings=lambda: page.drawings(result),
        galleries=lambda: page.galleries(result, store),
    )


def findings(result: RunSlices) -> list[Finding]:
    """Say which slices differ, which is the worst, and what the audit could not have seen."""
    return [
        *notes(DRAWN_NOTE if result.answers.drawn else "", headline(result)),
        *_worst(result),
        *notes(_seen_from(result), ESTIMATES, _uncut(result)),
    ]


def headline(result: RunSlices) -> str:
    """Say in one sentence on how many slices the model is wrong more often than on the rest of their class."""
    n, higher, lower = len(result.tested), len(result.having(HIGHER)), len(result.having(LOWER))
    if not n:
        return f"No slice has {LEAST} pictures or more: nothing can be compared."
    if not higher and not lower:
        return f"No slice is shown to differ from the rest of its class ({n} compared)."
    parts = [f"{how} often on {count}" for count, how in ((higher, "more"), (lower, "less")) if count]
    return f"Of {n} slices, the model is wrong {' and '.join(parts)} than on the rest of their class."


def table(result: RunSlices) -> list[Row]:
    """Return the worst slices as rows for the terminal; names are safe to print."""
    return [
        {
            "pictures": part.label,
            "slice": visible(f"{part.by}: {part.level}"),
            "wrong": f"{part.wrong}/{part.n}",
            "error rate": _rate(part),
            "rest": f"{part.rest_wrong}/{part.rest}",
            "p": f"{part.p:.2g}",
            "verdict": part.verdict,
            "shown from": f"{part.shown_from}" if part.shown_from else "–",
        }
        for part in result.slices[:SHOWN]
    ]


def data(result: RunSlices) -> dict[str, Any]:
    """Return the whole audit as one object for scripts."""
    return {
        "run": result.answers.run.name,
        "labels": list(result.answers.labels),
        "pictures": len(result.answers.predictions),
        "compared": len(result.tested),
        "smallest": min((part.n for part in result.tested), default=0),
        "sentences": [finding.sentence for finding in findings(result)],
        "warnings": list(result.answers.warnings),
        "slices": [_slice_data(part) for part in result.slices],
    }


def _title(result: RunSlices) -> str:
    shown, n = min(SHOWN, len(result.slices)), len(result.slices)
    return f"{n} slices, the worst first" if shown == n else f"the {shown} worst of {n} slices"


def _worst(result: RunSlices) -> list[Finding]:
    shown = result.having(HIGHER)
    parts = shown or result.tested[:1]
    keys, severity = result.answers.keys, Severity.PROBLEM if shown else Severity.UNDECIDED
    return [
        Finding(
            severity=severity,
            sentence=("" if number else "Highest error rate: ") + _compared(part, bool(shown)),
            records=[keys[row] for row in part.rows],
        )
        for number, part in enumerate(parts)
    ]


def _compared(part: Slice, shown: bool) -> str:
    chance = "" if shown else "no more than chance, "
    return (
        f"{part.label}, {part.by}: {part.level}: wrong on {part.wrong}/{part.n} = {_rate(part)}; on the rest of "
        f"{part.label}, wrong on {part.rest_wrong}/{part.rest} = {100 * part.rest_wrong / max(part.rest, 1):.0f} % "
        f"({chance}corrected p = {part.p:.2g})."
    )


def _seen_from(result: RunSlices) -> str:
    if not result.tested:
        return ""
    smallest = min(result.tested, key=lambda part: part.n)
    limit = (
        f"the audit would have shown a higher rate in it from {smallest.shown_from} mistakes on"
        if smallest.shown_from
        else "no number of mistakes in it could have been shown to be more than chance"
    )
    few = f" {CROSS_VALIDATE}." if not result.answers.out_of_fold and len(result.answers.predictions) < SMALL else ""
    return (
        f"p is Fisher's exact test against the rest of the class, corrected for all {len(result.tested)} slices by "
        f"permutation. The smallest slice has {smallest.n} pictures; {limit}. Not shown does not mean equal.{few}"
    )


def _uncut(result: RunSlices) -> str:
    names: Sequence[str] = result.uncut
    return f"Not compared by {', '.join(names)}: the same for a whole class, or unknown." if names else ""


def _rate(part: Slice) -> str:
    return with_interval(part.rate.value, part.rate.low, part.rate.high, percent=True)


def _slice_data(part: Slice) -> dict[str, Any]:
    values = {name: value for name, value in asdict(part).items() if name != "rows"}
    return {**values, "verdict": part.verdict}


def _row(part: Slice) -> dict[str, Any]:
    return {
        "label": part.label, "property": part.by, "slice": part.level, "pictures": part.n, "wrong": part.wrong,
        "error_rate": part.rate.value, "low": part.rate.low, "high": part.rate.high, "rest": part.rest,
        "rest_wrong": part.rest_wrong, "rest_error_rate": part.rest_wrong / part.rest if part.rest else "", "p": part.p,
        "verdict": part.verdict, "shown_from": part.shown_from or "",
    }  # fmt: skip
