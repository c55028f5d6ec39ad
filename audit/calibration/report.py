"""What calibration did to a run, written for people: sentences, two tables, a figure, and one object for scripts."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.calibration import figure as calibration_figure
from audit.calibration.work import Audit, Change, Figure, Verdicts
from audit.judged import CROSS_VALIDATE
from audit.words import DRAWN_NOTE
from imageledger.store import write_whole
from train.evaluation.temperature import ENOUGH, MISSED, WRONG_AT_MOST

TITLES = {"brier": "Brier score", "log_loss": "log loss"}


def write(audit: Audit, folder: Path) -> dict[str, Path]:
    """Write calibration.json into the folder of the run, and the figure into another one; return both paths."""
    figure = folder / "calibration.png"
    write_whole(figure, calibration_figure.png(audit, headline(audit)))
    return {"json": audit.calibration.save(audit.judged.folder), "png": figure}


def sentences(audit: Audit) -> list[str]:
    """Say what the model's probabilities are worth, what the temperature changed, and where no verdict is given."""
    drawn = [DRAWN_NOTE] if audit.judged.drawn else []
    return [*drawn, headline(audit), _changed(audit), _band(audit)]


def warnings(audit: Audit) -> list[str]:
    """Say what a person should know before leaning on the temperature."""
    found = list(audit.judged.warnings)
    if audit.calibration.rough:
        way_out = "only more pictures help" if audit.judged.out_of_fold else CROSS_VALIDATE
        found.append(
            f"the temperature rests on {audit.calibration.n} pictures; below {ENOUGH} it is a rough guess: {way_out}"
        )
    return found


def headline(audit: Audit) -> str:
    """Say in one sentence whether the model is too sure of itself, as far as these pictures show."""
    found = audit.calibration
    low, high = found.interval
    told = f"temperature {found.temperature:.2f} [{low:.2f}-{high:.2f}]"
    if low > 1:
        return f"The model is too sure of itself: {told}."
    if high < 1:
        return f"The model is surer than it says: {told}."
    return f"Whether the model is too sure of itself is not decided: {told}."


def score_table(audit: Audit) -> list[dict[str, str]]:
    """Return one row a score: before, after, and the difference on the same pictures."""
    return [
        {
            "score (smaller is better)": TITLES[one.name],
            "as the model says": _in_words(one.before),
            "calibrated": _in_words(one.after),
            "difference": f"{one.change.value:+.3f} [{one.change.low:+.3f} to {one.change.high:+.3f}]",
            "verdict": one.verdict,
        }
        for one in audit.changes
    ]


def verdict_table(audit: Audit) -> list[dict[str, str]]:
    """Return one row a class: how many of its pictures get the right verdict, none, or the wrong one."""
    return [
        {"pictures": f"{one.total} {one.label}"}
        | {
            kind: _share(count, one.total, ends)
            for kind, count, ends in zip(
                ("right", "unsure", "wrong"), (one.right, one.unsure, one.wrong), one.intervals, strict=True
            )
        }
        for one in audit.verdicts
    ]


def plain(audit: Audit, files: dict[str, Path]) -> dict[str, Any]:
    """Return the whole audit as one object for --json."""
    found = audit.calibration
    kept = {key: value for key, value in json.loads(json.dumps(asdict(found))).items() if key != "figures"}
    return {
        "run": audit.judged.run.name,
        "labels": list(audit.judged.run.labels),
        **kept,
        "sentences": sentences(audit),
        "warnings": warnings(audit),
        "scores": {one.name: _plain(one) for one in audit.changes},
        "verdicts": {one.label: _plain_verdicts(one) for one in audit.verdicts},
        "calibration_error": {name: asdict(one) for name, one in zip(("before", "after"), audit.errors, strict=True)},
        "bins": {"before": [asdict(one) for one in audit.before], "after": [asdict(one) for one in audit.after]},
        "files": {kind: str(path) for kind, path in files.items()},
    }


def _changed(audit: Audit) -> str:
    told = {
        one.name: f"{TITLES[one.name]} {one.before.value:.3f} before, {one.after.value:.3f} after"
        for one in audit.changes
    }
    first = audit.changes[0]
    helped = {
        "BETTER": "calibration helps",
        "WORSE": "calibration makes it worse: these pictures are too few for it",
        "NOT DECIDED": "whether calibration helps is not decided",
    }[first.verdict]
    error, band = audit.errors[1].error, audit.errors[1].band
    within = "which is what" if error.value <= band[1] else "more than"
    return (
        f"On pictures that the temperature was not fitted on: {'; '.join(told.values())}; {helped}. The calibration "
        f"error is {audit.errors[0].error.value:.3f} before and {error.value:.3f} after, {within} a perfectly "
        f"calibrated model would show with as many pictures (up to {band[1]:.3f} in 19 of 20 cases)."
    )


def _band(audit: Audit) -> str:
    found, positive = audit.calibration, audit.judged.run.labels[1]
    return (
        f"No verdict is given for a calibrated P({positive}) of {found.low:.2f} to {found.high:.2f}: there it would be "
        f"wrong more than {100 * WRONG_AT_MOST:.0f} times in 100. The band opens further where it must, so that at "
        f"most {100 * MISSED:.0f} of 100 new pictures of either class get the wrong verdict."
    )


def _in_words(one: Figure) -> str:
    return f"{one.value:.3f} [{one.low:.3f}-{one.high:.3f}]"


def _share(count: int, total: int, ends: tuple[float, float]) -> str:
    return f"{count} = {100 * count / total:.0f} % ({100 * ends[0]:.0f}-{100 * ends[1]:.0f} %)"


def _plain(one: Change) -> dict[str, Any]:
    return {**{name: asdict(getattr(one, name)) for name in ("before", "after", "change")}, "verdict": one.verdict}


def _plain_verdicts(one: Verdicts) -> dict[str, Any]:
    counts = {"right": one.right, "unsure": one.unsure, "wrong": one.wrong}
    return {name: {"n": count, "interval": list(ends)}
            for (name, count), ends in zip(counts.items(), one.intervals, strict=True)}  # fmt: skip
