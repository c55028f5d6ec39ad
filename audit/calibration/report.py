"""What calibration did to a run, written for people: sentences, two tables, a figure, and one object for scripts."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.calibration import figure, page
from audit.calibration.judge import Change, Figure, RunCalibration, Verdicts
from audit.findings import Finding, Report, Severity, notes
from audit.words import DRAWN_NOTE
from imageledger.intervals import with_interval
from imageledger.types import Row
from train.answers import CROSS_VALIDATE
from train.evaluation.temperature import ENOUGH, MISSED, WRONG_AT_MOST

TITLES = {"brier": "Brier score", "log_loss": "log loss"}


def report(result: RunCalibration, folder: Path, stored: Path) -> Report:
    """Write the audit of a run as a report, whose figure goes into `folder`; the temperature is `stored` already."""
    scores, verdicts = score_table(result), verdict_table(result)
    return Report(
        audit="calibration",
        subject=result.answers.run.name,
        findings=findings(result),
        tables={"Pictures that the temperature was not fitted on": scores, "Verdicts": verdicts},
        rows=[asdict(change) | {"verdict": change.verdict} for change in result.changes],
        data=data(result),
        contents={"calibration.png": lambda: figure.png(result, headline(result))},
        folder=folder,
        written={"json": stored},
        warnings=warnings(result),
        drawings=lambda: page.drawings(result),
    )


def findings(result: RunCalibration) -> list[Finding]:
    """Say how far the model's probabilities can be believed, what the temperature changes, and where none is given."""
    low, high = result.calibration.interval
    severity = Severity.PROBLEM if low > 1 or high < 1 else Severity.UNDECIDED
    first = Finding(severity=severity, sentence=headline(result))
    drawn = DRAWN_NOTE if result.answers.drawn else ""
    return [*notes(drawn), first, *notes(_changed(result), _band(result))]


def warnings(result: RunCalibration) -> list[str]:
    """Say what a person should know before relying on the temperature."""
    warned = list(result.answers.warnings)
    if result.calibration.rough:
        way_out = "only more pictures help" if result.answers.out_of_fold else CROSS_VALIDATE
        warned.append(
            f"the temperature rests on {result.calibration.n} pictures; below {ENOUGH} it is a rough guess: {way_out}"
        )
    return warned


def headline(result: RunCalibration) -> str:
    """Say in one sentence whether the model is too sure of itself, as far as these pictures show."""
    low, high = result.calibration.interval
    temperature = f"temperature {with_interval(result.calibration.temperature, low, high)}"
    if low > 1:
        return f"The model is too sure of itself: {temperature}."
    if high < 1:
        return f"The model is surer than it says: {temperature}."
    return f"Whether the model is too sure of itself is not decided: {temperature}."


def score_table(result: RunCalibration) -> list[Row]:
    """Return one row per score: before, after, and the difference on the same pictures."""
    return [
        {
            "score (smaller is better)": TITLES[change.name],
            "as the model says": _figure(change.before),
            "calibrated": _figure(change.after),
            "difference": _figure(change.change, signed=True),
            "verdict": change.verdict,
        }
        for change in result.changes
    ]


def verdict_table(result: RunCalibration) -> list[Row]:
    """Return one row per class: how many of its pictures get the right verdict, none, or the wrong one."""
    return [
        {"pictures": f"{verdict.total} {verdict.label}"}
        | {
            kind: _share(count, verdict.total, ends)
            for kind, count, ends in zip(
                ("right", "unsure", "wrong"), (verdict.right, verdict.unsure, verdict.wrong), verdict.intervals,
                strict=True,
            )
        }
        for verdict in result.verdicts
    ]  # fmt: skip


def data(result: RunCalibration) -> dict[str, Any]:
    """Return the whole audit as one object for scripts."""
    kept = {key: value for key, value in json.loads(json.dumps(asdict(result.calibration))).items() if key != "figures"}
    errors = zip(("before", "after"), result.errors, strict=True)
    return {
        "run": result.answers.run.name,
        "labels": list(result.answers.labels),
        **kept,
        "sentences": [finding.sentence for finding in findings(result)],
        "warnings": warnings(result),
        "scores": {change.name: _change_data(change) for change in result.changes},
        "verdicts": {verdict.label: _verdict_data(verdict) for verdict in result.verdicts},
        "calibration_error": {name: asdict(error) for name, error in errors},
        "bins": {"before": list(map(asdict, result.before)), "after": list(map(asdict, result.after))},
    }


def _changed(result: RunCalibration) -> str:
    scores = [
        f"{TITLES[change.name]} {change.before.value:.3f} before, {change.after.value:.3f} after"
        for change in result.changes
    ]
    helped = {
        "BETTER": "calibration helps",
        "WORSE": "calibration makes it worse: these pictures are too few for it",
        "NOT DECIDED": "whether calibration helps is not decided",
    }[result.changes[0].verdict]
    before, after = result.errors
    within = "no more than" if after.error.value <= after.band[1] else "more than"
    return (
        f"On pictures that the temperature was not fitted on: {'; '.join(scores)}; {helped}. The calibration error is "
        f"{before.error.value:.3f} before and {after.error.value:.3f} after: {within} a perfectly calibrated model "
        f"would show on as many pictures (up to {after.band[1]:.3f} in 19 of 20 cases)."
    )


def _band(result: RunCalibration) -> str:
    band, positive = result.calibration, result.answers.labels[1]
    return (
        f"No verdict is given for a calibrated P({positive}) of {band.low:.2f} to {band.high:.2f}, where it would be "
        f"wrong in more than {100 * WRONG_AT_MOST:.0f} of 100 cases. The band is as wide as it must be for at most "
        f"{100 * MISSED:.0f} of 100 new pictures of either class to get the wrong verdict."
    )


def _figure(figure: Figure, *, signed: bool = False) -> str:
    return with_interval(figure.value, figure.low, figure.high, digits=3, signed=signed)


def _share(count: int, total: int, ends: tuple[float, float]) -> str:
    return f"{count} = {with_interval(count / total, *ends, percent=True)}"


def _change_data(change: Change) -> dict[str, Any]:
    figures = {name: asdict(getattr(change, name)) for name in ("before", "after", "change")}
    return {**figures, "verdict": change.verdict}


def _verdict_data(verdict: Verdicts) -> dict[str, Any]:
    counts = {"right": verdict.right, "unsure": verdict.unsure, "wrong": verdict.wrong}
    pairs = zip(counts.items(), verdict.intervals, strict=True)
    return {name: {"n": count, "interval": list(ends)} for (name, count), ends in pairs}
