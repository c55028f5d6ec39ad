"""Slices of a run, written for people: sentences, a table, CSV, a figure, and one object for scripts."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.judged import CROSS_VALIDATE
from audit.slices import figure as slices_figure
from audit.slices.judge import HIGHER, LEAST, LOWER, Slice
from audit.slices.work import Audit
from audit.words import DRAWN_NOTE
from imageledger.sheet import visible
from imageledger.spreadsheet import as_csv
from imageledger.store import write_whole

SHOWN = 20
"""So many slices stand in the table of a terminal; the CSV file has all."""
SMALL = 100

CSV_FIELDS = (
    "label", "property", "slice", "pictures", "wrong", "error_rate", "low", "high", "rest", "rest_wrong",
    "rest_error_rate", "p", "verdict", "shown_from",
)  # fmt: skip


def write(audit: Audit, folder: Path) -> dict[str, Path]:
    """Write slices.csv and slices.png into a folder and return their paths by kind."""
    files = {kind: folder / f"slices.{kind}" for kind in ("csv", "png")}
    write_whole(files["csv"], as_csv(CSV_FIELDS, map(_row, audit.slices)).encode("utf-8", errors="backslashreplace"))
    write_whole(files["png"], slices_figure.png(audit, headline(audit)))
    return files


def sentences(audit: Audit) -> list[str]:
    """Say which slices differ, which is the worst, and what could not have been seen."""
    drawn = [DRAWN_NOTE] if audit.judged.drawn else []
    return [*drawn, headline(audit), *_worst(audit), *_seen_from(audit), _estimates(audit), *_uncut(audit)]


def headline(audit: Audit) -> str:
    """Say in one sentence how many slices are mistaken more often than the rest of their class."""
    n = len(audit.tested)
    higher = [one for one in audit.tested if one.verdict == HIGHER]
    lower = [one for one in audit.tested if one.verdict == LOWER]
    if not n:
        return f"No slice has {LEAST} pictures or more: nothing can be compared."
    if not higher and not lower:
        return f"No slice is shown to differ from the rest of its class ({n} compared)."
    told = [f"{len(found)} mistaken {how} often" for found, how in ((higher, "more"), (lower, "less")) if found]
    return f"Of {n} slices, {' and '.join(told)} than the rest of their class."


def table(audit: Audit) -> list[dict[str, Any]]:
    """Return the worst slices as rows for the terminal; names are safe to print."""
    return [
        {
            "pictures": one.label,
            "slice": visible(f"{one.by}: {one.level}"),
            "wrong": f"{one.wrong}/{one.n}",
            "error rate": _rate(one),
            "rest": f"{one.rest_wrong}/{one.rest}",
            "p": f"{one.p:.2g}",
            "verdict": one.verdict,
            "shown from": f"{one.shown_from}" if one.shown_from else "–",
        }
        for one in audit.slices[:SHOWN]
    ]


def plain(audit: Audit, files: dict[str, Path]) -> dict[str, Any]:
    """Return the whole audit as one object for --json."""
    return {
        "run": audit.judged.run.name,
        "labels": list(audit.judged.run.labels),
        "pictures": audit.pictures,
        "compared": len(audit.tested),
        "smallest": min((one.n for one in audit.tested), default=0),
        "sentences": sentences(audit),
        "warnings": list(audit.warnings),
        "slices": [{**asdict(one), "verdict": one.verdict} for one in audit.slices],
        "files": {kind: str(path) for kind, path in files.items()},
    }


def _worst(audit: Audit) -> list[str]:
    named = [one for one in audit.tested if one.verdict == HIGHER] or audit.tested[:1]
    told = []
    for one in named:
        sure = "" if one.verdict == HIGHER else "no more than chance, "
        told.append(
            f"{one.label}, {one.by}: {one.level}: wrong on {one.wrong}/{one.n} = {_rate(one)}; the rest of "
            f"{one.label} on {one.rest_wrong}/{one.rest} = {100 * one.rest_wrong / max(one.rest, 1):.0f} % "
            f"({sure}corrected p = {one.p:.2g})."
        )
    return [f"Highest error rate: {told[0]}", *told[1:]] if told else []


def _seen_from(audit: Audit) -> list[str]:
    if not audit.tested:
        return []
    smallest = min(audit.tested, key=lambda one: one.n)
    said = (
        f"p is Fisher's exact test against the rest of the class, corrected for all {len(audit.tested)} slices by "
        f"permutation. The smallest has {smallest.n} pictures"
    )
    if smallest.shown_from:
        said += f"; a higher rate in it would have been shown from {smallest.shown_from} mistakes on"
    else:
        said += ", in which no number of mistakes could have been shown to be more than chance"
    few = f" {CROSS_VALIDATE}." if not audit.judged.out_of_fold and audit.pictures < SMALL else ""
    return [f"{said}: not shown does not mean equal.{few}"]


def _estimates(audit: Audit) -> str:
    return (
        "Skin tone (ITA, in degrees) and retouching (smoothness of the skin) are estimates from pixels: they also "
        "measure light, white balance, focus and compression, and say how a face was pictured, nothing about a person."
    )


def _uncut(audit: Audit) -> list[str]:
    if not audit.uncut:
        return []
    return [f"Not sliced by {', '.join(audit.uncut)}: all alike within each class, or not known."]


def _rate(one: Slice) -> str:
    return f"{100 * one.rate.value:.0f} % ({100 * one.rate.low:.0f}-{100 * one.rate.high:.0f})"


def _row(one: Slice) -> dict[str, Any]:
    return {
        "label": one.label, "property": one.by, "slice": one.level, "pictures": one.n, "wrong": one.wrong,
        "error_rate": one.rate.value, "low": one.rate.low, "high": one.rate.high, "rest": one.rest,
        "rest_wrong": one.rest_wrong, "rest_error_rate": one.rest_wrong / one.rest if one.rest else "", "p": one.p,
        "verdict": one.verdict, "shown_from": one.shown_from or "",
    }  # fmt: skip
