"""What a model relies on, written for people: sentences, two tables, CSV, a figure, and one object for scripts."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.findings import Finding, Report, Severity, csv_bytes, notes
from audit.reliance import figure
from audit.reliance.judge import INDEPENDENT, RELIES, WEAK, Beside, Link, Reliance, RunReliance
from audit.reliance.swaps import Swap
from audit.words import DRAWN_NOTE, family_in_words
from imageledger.counted import Counted
from imageledger.intervals import with_interval
from imageledger.sheet import visible
from imageledger.types import Row

COLUMNS = ("family", "auc", "among_negative", "among_positive", "rho", "low", "high", "p")
SEVERITY = {RELIES: Severity.PROBLEM, INDEPENDENT: Severity.NOTE}


def report(result: RunReliance, folder: Path) -> Report:
    """Write the audit of a run as a report, whose files go into `folder`."""
    reliance = result.reliance
    rows = [_row(link) for link in reliance.links]
    return Report(
        audit="reliance",
        subject=result.run,
        verdict=reliance.verdict,
        findings=findings(result),
        tables={
            f"Do the answers follow the file within a class? ({reliance.model.total} pictures, {result.split})":
                family_table(reliance, result.labels),
            "The same pictures, delivered as the other class was": swap_table(reliance.swaps),
        },
        rows=rows,
        data=data(result),
        contents={
            "reliance.csv": lambda: csv_bytes(COLUMNS, rows),
            "reliance.png": lambda: figure.png(result, f"{reliance.verdict}: {in_short(reliance)}"),
        },
        folder=folder,
        warnings=result.warnings,
    )  # fmt: skip


def findings(result: RunReliance) -> list[Finding]:
    """Say how much of the accuracy the file alone would have given, whether the model relies on it, and why."""
    reliance = result.reliance
    verdict = Finding(
        severity=SEVERITY.get(reliance.verdict, Severity.UNDECIDED),
        sentence=f"{reliance.verdict}: {_reason(reliance)}",
    )
    return [
        *notes(DRAWN_NOTE if result.drawn else "", headline(reliance)),
        verdict,
        *notes(_misled(reliance), *_swaps(result), *_beside(result.beside)),
    ]


def in_short(reliance: Reliance) -> str:
    """Say the verdict in a line."""
    if reliance.verdict == RELIES:
        return "the model relies on what the file gives away"
    if reliance.verdict == INDEPENDENT:
        return "the model does not follow the file"
    return "whether the model relies on the file is not decided"


def headline(reliance: Reliance) -> str:
    """Say in one sentence how much of the accuracy the file alone would have given."""
    accuracy = f"The model is right on {reliance.model}; the file alone on {reliance.file}; "
    if not reliance.lead:
        return accuracy + "the model is no better than chance, so there is no lead to explain."
    share, most = reliance.from_file
    lead = f"of the model's lead of {100 * reliance.lead:.0f} points over chance, "
    if share >= reliance.lead:
        return f"{accuracy}{lead}all could come from the file."
    return f"{accuracy}{lead}about {100 * share:.0f} could come from the file, at most {100 * most:.0f}."


def family_table(reliance: Reliance, labels: tuple[str, str]) -> list[Row]:
    """Return one row per family: how well it separates the classes, and how far the model follows it within them."""
    return [
        {
            "family": family_in_words(link.family),
            "AUC of the file": f"{link.auc:.2f}",
            f"among {labels[0]}": f"{link.by_class[0]:+.2f}",
            f"among {labels[1]}": f"{link.by_class[1]:+.2f}",
            "model follows": with_interval(link.rho, link.low, link.high, signed=True),
            "p": f"{link.p:.2g}",
        }
        for link in reliance.links
    ]


def swap_table(swaps: Sequence[Swap]) -> list[Row]:
    """Return one row per direction: what was changed, and how many answers changed with it."""
    return [
        {
            "pictures": f"{swap.flipped.total} {swap.label}",
            "delivered as": f"{swap.other} ({delivery_in_words(swap)})",
            "flipped": _flips(swap.flipped),
            "flipped by a placebo": _flips(swap.placebo),
            "logit shift": f"{swap.shift:+.2f}",
            "p": f"{swap.p:.2g}",
        }
        for swap in swaps
    ]


def delivery_in_words(swap: Swap) -> str:
    """Name a delivery, such as "JPEG q75, 1024 px, background 118"."""
    quality = f"JPEG q{swap.delivery.quality}" if swap.delivery.quality else "lossless"
    return f"{quality}, {swap.delivery.side} px, background {swap.delivery.background:.0f}"


def data(result: RunReliance) -> dict[str, Any]:
    """Return the whole audit as one object for scripts."""
    reliance = result.reliance
    shares = {name: getattr(reliance, name) for name in ("model", "file", "where_right", "where_wrong")}
    return {
        "run": result.run,
        "labels": list(result.labels),
        "split": result.split,
        "verdict": reliance.verdict,
        "sentences": [finding.sentence for finding in findings(result)],
        "warnings": list(result.warnings),
        "accuracy": {name: share.as_json() for name, share in shares.items()},
        "accuracy_p": reliance.p,
        "chance": reliance.chance,
        "lead": reliance.lead,
        "from_file": {"share": reliance.from_file[0], "most": reliance.from_file[1]},
        "links": [{**asdict(link), "by_class": dict(zip(result.labels, link.by_class, strict=True))}
                  for link in reliance.links],
        "swaps": [_swap_data(swap) for swap in reliance.swaps],
        "swaps_skipped": result.skipped,
        "beside": asdict(result.beside) | {"shown": result.beside.shown} if result.beside else None,
    }  # fmt: skip


def _reason(reliance: Reliance) -> str:
    joint, n = reliance.joint, reliance.model.total
    if reliance.verdict == RELIES:
        reasons = [_followed(link) for link in reliance.followed[:3]]
        reasons += [f"{swap.label} pictures delivered as {swap.other} move towards {swap.other} (p = {swap.p:.1g})"
                    for swap in reliance.moved]  # fmt: skip
        return f"{in_short(reliance)}: {'; '.join(reasons)}."
    if reliance.verdict == INDEPENDENT:
        return (
            f"within the classes the model's answers do not follow the file (rank correlation {joint.rho:+.2f}; "
            f"the 95 % interval excludes more than {WEAK})."
        )
    return (
        f"{in_short(reliance)}: the rank correlation is {joint.rho:+.2f}, and with {n} pictures {joint.high:+.2f} "
        "cannot be excluded."
    )


def _followed(link: Link) -> str:
    name = family_in_words(link.family)
    return f"within the classes its answers follow {name} (rank correlation {link.rho:+.2f}, p = {link.p:.1g})"


def _misled(reliance: Reliance) -> str:
    if not reliance.where_wrong.total or not reliance.where_right.total:
        return "The file alone is never right, or never wrong, so file and face cannot be separated here."
    return (
        f"Where the file misleads, the model is right on {reliance.where_wrong}; elsewhere on "
        f"{reliance.where_right} (Fisher's exact test, p = {reliance.p:.2g})."
    )


def _swaps(result: RunReliance) -> list[str]:
    if result.skipped:
        return [f"No deliveries were swapped: {result.skipped}."]
    return [
        f"Delivered as {swap.other} pictures were, {_flips(swap.flipped)} of the {swap.label} pictures "
        f"change sides; delivered as their own class was, {swap.placebo.hits} do."
        for swap in result.reliance.swaps
    ]


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


def _swap_data(swap: Swap) -> Row:
    return {
        "label": swap.label, "other": swap.other, "delivery": asdict(swap.delivery), "pictures": swap.flipped.total,
        "flipped": swap.flipped.hits, "placebo": swap.placebo.hits, "shift": swap.shift, "p": swap.p,
        "interval": list(swap.flipped.interval), "placebo_interval": list(swap.placebo.interval),
    }  # fmt: skip


def _flips(flipped: Counted) -> str:
    return f"{flipped.hits}/{flipped.total} = {with_interval(flipped.share, *flipped.interval, percent=True)}"


def _row(link: Link) -> Row:
    return dict(
        zip(COLUMNS, (link.family, link.auc, *link.by_class, link.rho, link.low, link.high, link.p), strict=True)
    )
