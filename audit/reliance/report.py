"""What a model relies on, written for people: sentences, two tables, CSV, a figure, and one object for scripts."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.findings import Finding, Report, Severity, csv_bytes, notes
from audit.reliance import figure, page
from audit.reliance.delivery import DIALS, Delivery
from audit.reliance.explained import Explained
from audit.reliance.judge import CANNOT, INDEPENDENT, RELIES, Beside, Link, Reliance, RunReliance
from audit.reliance.swaps import EVERYTHING, SWAPPED, Shift, Swap
from audit.words import DRAWN_NOTE, family_in_words
from imageledger.intervals import with_interval
from imageledger.sheet import visible
from imageledger.types import Row

COLUMNS = (
    "family", "auc", "explained", "explained_low", "explained_high", "explained_p", "feature", "feature_rho",
    "among_negative", "among_positive", "rho", "low", "high", "p",
)  # fmt: skip
SEVERITY = {RELIES: Severity.PROBLEM, INDEPENDENT: Severity.NOTE}


def report(result: RunReliance, folder: Path) -> Report:
    """Write the audit of a run as a report, whose files go into `folder`."""
    reliance = result.reliance
    rows = [_row(link, _of(reliance, link.family)) for link in reliance.links]
    return Report(
        audit="reliance",
        subject=result.run,
        verdict=reliance.verdict,
        findings=findings(result),
        tables={
            f"Do the answers go with the file within a class? ({reliance.model.total} pictures, {result.split})":
                family_table(reliance),
            "Where is the model right?": cell_table(reliance, result.labels),
            "The same pictures, delivered as either class came": swap_table(reliance.swaps, result.labels),
        },
        rows=rows,
        data=data(result),
        contents={
            "reliance.csv": lambda: csv_bytes(COLUMNS, rows),
            "reliance.png": lambda: figure.png(result, f"{reliance.verdict}: {in_short(reliance)}"),
        },
        folder=folder,
        warnings=result.warnings,
        drawings=lambda: page.drawings(result),
    )  # fmt: skip


def findings(result: RunReliance) -> list[Finding]:
    """Say whether the model relies on the file, and why; what was measured; and where the model is worst."""
    reliance = result.reliance
    verdict = Finding(
        severity=SEVERITY.get(reliance.verdict, Severity.UNDECIDED),
        sentence=f"{reliance.verdict}: {in_short(reliance)}.",
    )
    return [
        *notes(DRAWN_NOTE if result.drawn else "", headline(result)),
        verdict,
        *notes(*_moves(result), _goes_with(reliance), _follows(reliance), _worst(result), *_beside(result.beside)),
    ]


def in_short(reliance: Reliance) -> str:
    """Say the verdict in a line."""
    if reliance.verdict == RELIES:
        what = ", ".join(SWAPPED[swap.what] for swap in reliance.moved)
        return f"the answers move with how a picture was delivered ({what}), towards the class that came so"
    if reliance.verdict == INDEPENDENT:
        return "the answers move with no delivery, and the numbers of the file explain hardly anything of them"
    if reliance.verdict == CANNOT:
        return "the files of the two classes do not differ, so there is nothing to rely on"
    return "whether the model relies on the file is not decided"


def headline(result: RunReliance) -> str:
    """Say on how many pictures the model is right, and on how many the file alone."""
    reliance, where = (
        result.reliance,
        ", asked by probes that share no picture with the choice," if result.chosen else "",
    )
    return f"The model is right on {reliance.model}; the file alone{where} on {reliance.file}."


def family_table(reliance: Reliance) -> list[Row]:
    """Return one row per family: how well it separates the classes, and what it explains of the answers within them."""
    rows = []
    for link in reliance.links:
        one = _of(reliance, link.family)
        rows.append({
            "family": family_in_words(link.family),
            "AUC of the file": f"{link.auc:.2f}",
            "explains of the answers (R²)": with_interval(one.share, one.low, one.high, signed=True) if one else "–",
            "p": f"{one.p:.2g}" if one else "–",
            "closest number: rank correlation": f"{one.feature.replace('_', ' ')} {one.rho:+.2f}" if one else "–",
            "follows the file's own call": with_interval(link.rho, link.low, link.high, signed=True),
        })  # fmt: skip
    return rows


def cell_table(reliance: Reliance, labels: tuple[str, str]) -> list[Row]:
    """Return the accuracy of the model by label, where the file says either class."""
    return [
        {"pictures": labels[row], **{f"the file says {labels[column]}": str(reliance.cells[row][column])
                                     for column in (0, 1)}}
        for row in (0, 1)
    ]  # fmt: skip


def swap_table(swaps: Sequence[Swap], labels: tuple[str, str]) -> list[Row]:
    """Return one row per thing that was swapped: how far the answers of either class move, and how many change."""
    return [
        {
            "swapped": SWAPPED[swap.what],
            f"{labels[0]} / {labels[1]} came with": "all of this"
            if swap.what == EVERYTHING and len(swaps) > 1
            else " / ".join(map(delivery_in_words, swap.came)),
            **{f"{label} moves": in_spreads(shift) for label, shift in zip(labels, swap.shifts, strict=True)},
            "bias": in_spreads(swap.bias),
            "drift": in_spreads(swap.drift),
            "flipped": " / ".join(f"{flips.hits} of {flips.total}" for flips in swap.flipped),
            "by the placebo": " / ".join(f"{flips.hits}" for flips in swap.placebo),
        }
        for swap in swaps
    ]


def in_spreads(shift: Shift) -> str:
    """Write a shift with its interval."""
    return with_interval(shift.value, shift.low, shift.high, signed=True)


def delivery_in_words(delivery: Delivery) -> str:
    """Name a delivery by what it sets, such as "q75, 1024 px, brightness 118"."""
    words = {
        "quality": f"q{delivery.quality}" if delivery.quality else "lossless", "side": f"{delivery.side} px",
        "light": f"brightness {delivery.light or 0:.0f}", "background": f"background {delivery.background or 0:.0f}",
        "colour": f"colour {delivery.colour or 0:.0f}",
    }  # fmt: skip
    return ", ".join(words[dial] for dial in DIALS if getattr(delivery, dial) is not None)


def data(result: RunReliance) -> dict[str, Any]:
    """Return the whole audit as one object for scripts."""
    reliance = result.reliance
    low, high = result.labels
    return {
        "run": result.run,
        "labels": list(result.labels),
        "split": result.split,
        "verdict": reliance.verdict,
        "sentences": [finding.sentence for finding in findings(result)],
        "warnings": list(result.warnings),
        "asked_outside": result.chosen,
        "accuracy": {"model": reliance.model.as_json(), "file": reliance.file.as_json()},
        "cells": [
            {"label": label, "file_says": said, **reliance.cells[row][column].as_json()}
            for row, label in enumerate((low, high)) for column, said in enumerate((low, high))
        ],
        "explained": [asdict(one) for one in reliance.explained],
        "links": [{**asdict(link), "by_class": dict(zip(result.labels, link.by_class, strict=True))}
                  for link in reliance.links],
        "swaps": [_swap_data(swap, result.labels) for swap in reliance.swaps],
        "swaps_skipped": result.skipped,
        "beside": asdict(result.beside) | {"shown": result.beside.shown} if result.beside else None,
    }  # fmt: skip


def _of(reliance: Reliance, family: str) -> Explained | None:
    return next((one for one in reliance.explained if one.family == family), None)


def _follows(reliance: Reliance) -> str:
    """Say how far the answers follow the file's own call within a class."""
    joint = reliance.joint
    rho = with_interval(joint.rho, joint.low, joint.high, signed=True)
    return (
        f"Within a class the answers follow the file's own call with a rank correlation of {rho} (p = {joint.p:.2g})."
    )


def _goes_with(reliance: Reliance) -> str:
    """Say which numbers go with the answers within a class, and what that does not show."""
    if not reliance.going_with:
        return "No family of numbers goes with the answers within a class for certain (corrected p below 0.01)."
    names = [f"{family_in_words(one.family)} (R² {one.share:.2f})" for one in reliance.going_with[:3]]
    more = len(reliance.going_with) - len(names)
    named = ", ".join(names) + (f" and {more} more" if more else "")
    if reliance.moved:
        return f"Within a class the answers go with {named}."
    return (
        f"Within a class the answers go with {named}. That alone shows no reliance: a face, or a generator's trace in "
        "it, may be what these numbers see too."
    )


def _worst(result: RunReliance) -> str:
    """Name the pictures that the model gets wrong most, by label and by what the file says."""
    row, column = result.reliance.worst
    cell = result.reliance.cells[row][column]
    label, said = result.labels[row], result.labels[column]
    return f"Worst where the file says {said} of {label} pictures: right on {cell}."


def _moves(result: RunReliance) -> list[str]:
    """Say what the swap of everything did: to both classes alike, or towards the class of the delivery."""
    if result.skipped:
        return [f"No deliveries were swapped: {result.skipped}."]
    whole = result.reliance.whole
    assert whole is not None
    lines = [
        f"Delivered as the other class came ({SWAPPED[whole.what]}), in spreads of the answers within a class: bias "
        f"(each class towards the other) {in_spreads(whole.bias)}, drift (both alike, a lack of robustness) "
        f"{in_spreads(whole.drift)}. Shifts up to {whole.margin:.2f} count as none."
    ]
    if result.reliance.moved:
        return lines
    alone = [swap for swap in result.reliance.swaps if not swap.still and swap.p >= 0.05]
    if alone:
        names = ", ".join(SWAPPED[swap.what] for swap in alone)
        lines.append(
            f"Not both classes move towards the class of the delivery ({names}): the delivery may destroy what the "
            "model reads, which is no reliance, or there are too few pictures."
        )
    return lines


def _beside(beside: Beside | None) -> list[str]:
    if beside is None:
        return []
    name, more = visible(beside.name), "more" if beside.value > 0 else "less"
    figures = (
        f"rank correlation {beside.mine.rho:+.2f} against {beside.theirs.rho:+.2f}, difference "
        f"{with_interval(beside.value, beside.low, beside.high, signed=True)}"
    )
    if beside.shown:
        return [f"It follows the file {more} than run {name} does: {figures}.", _noise(beside)]
    return [f"Whether it follows the file more or less than run {name} does is not decided: {figures}.", _noise(beside)]


def _noise(beside: Beside) -> str:
    if beside.reliability is None:
        return (
            "Training adds noise, and a noisy model follows everything less, the file too: train cross-validate both "
            "with --repeats 3, and the comparison removes that noise."
        )
    mine, theirs = beside.reliability
    return (
        "The comparison removes the noise of training; the reliability of the answers within a class is "
        f"{mine:.2f} and {theirs:.2f}."
    )


def _swap_data(swap: Swap, labels: tuple[str, str]) -> Row:
    by_label = zip(labels, swap.came, swap.shifts, swap.flipped, swap.placebo, strict=True)
    return {
        "what": swap.what, "bias": asdict(swap.bias), "drift": asdict(swap.drift), "p": swap.p, "margin": swap.margin,
        "still": swap.still,
        "classes": [
            {"label": label, "came": asdict(came), "shift": asdict(shift), "flipped": flipped.as_json(),
             "placebo": placebo.as_json()}
            for label, came, shift, flipped, placebo in by_label
        ],
    }  # fmt: skip


def _row(link: Link, one: Explained | None) -> Row:
    told = (one.share, one.low, one.high, one.p, one.feature, one.rho) if one else ("",) * 6
    figures = (link.family, link.auc, *told, *link.by_class, link.rho, link.low, link.high, link.p)
    return dict(zip(COLUMNS, figures, strict=True))
