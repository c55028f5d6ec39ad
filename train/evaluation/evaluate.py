"""What the judged pictures of a run say about the model: every figure with its interval, or refused with a number.

Knows no torch. The statistics are in `train.evaluation.statistics` and `train.evaluation.calibration_error`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imageledger.intervals import with_interval
from imageledger.types import Bools, Floats, Ints
from train.evaluation import statistics
from train.evaluation.calibration_error import FEWEST, calibration_error
from train.evaluation.statistics import Estimate
from train.pictures import VALID
from train.runs import Prediction
from train.table import Rounds

RATES = (0.1, 0.05, 0.01)
WILSON = "Wilson over groups"
RECALLS = "Wilson of both recalls"
NEWCOMBE = "Newcombe over groups"
T = "t of the logarithm over groups"
BOOTSTRAP = "bootstrap over groups"
SHARES = (WILSON, RECALLS)
"""Figures found so are written in %."""
CORRECTED = ", folds corrected"


def evaluate(
    predictions: Sequence[Prediction],
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    rounds: Rounds | None = None,
    seed: int = 42,
) -> dict[str, Any]:
    """Return every figure of the judged pictures with a 95 % interval, as plain JSON values.

    `predictions` are the rows to be judged and nothing else: those of split "valid", one per picture. `labels` is
    (negative, positive); `groups` names the group of each row (`imageledger.record.groups_of` of its records),
    whole groups count as one draw. `rounds` is what the folds of each repeat of a cross-validation answered, None for
    a single split or a hold-out; with folds, the figures are means over the repeats (what ONE model of this recipe is
    worth, not the mean of several), and the interval also covers that the training set was one of many.

    Returns {"n", "groups", "counts": {label: n}, "folds", "repeats"} and, by name, the figures: "accuracy",
    "error_rate", "balanced_accuracy", "auc", "recall": {label: figure}, "tpr_at_fpr": [figure with "fpr", ...] for
    false positive rates of 0.1, 0.05 and 0.01 on the negative label, "brier", "calibration_error". A figure is
    {"value", "low", "high", "method", "n"} ("hits" where it is a share of one split; "band": [5th, 95th percentile
    of a perfectly calibrated model] for calibration_error) or {"refused": sentence, "needed": n, "n"}.

    A rate at a fixed false positive rate needs a threshold above which so few negatives lie that their true share is
    below it with 95 % confidence, exactly, for one model; with folds it is taken over all of them. Groups of negatives
    count once, by their highest probability.

    Raises ValueError when the rows, groups and folds do not fit together, or no row was handed over.
    """
    judged = _arranged(predictions, labels, groups, rounds)
    return {
        "n": len(predictions),
        "groups": int(judged.groups.max()) + 1,
        "counts": {labels[0]: int((~judged.positive).sum()), labels[1]: int(judged.positive.sum())},
        "folds": sum(len(np.unique(folds)) for folds in rounds.folds) if rounds else 0,
        "repeats": len(rounds.shares) if rounds else 0,
        **_shares(judged, labels),
        "tpr_at_fpr": [_tpr(judged, labels, rate) for rate in RATES],
        **_errors(judged, seed),
    }


def in_words(evaluation: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return one row per figure for a table: what it is, value with interval in words, and how it was found."""
    labels = list(evaluation["recall"])
    named = {
        "accuracy": evaluation["accuracy"],
        "error rate": evaluation["error_rate"],
        "balanced accuracy": evaluation["balanced_accuracy"],
        "AUC": evaluation["auc"],
        **{f"recall of {label}": figure for label, figure in evaluation["recall"].items()},
        **{
            f"{labels[1]} found with at most {100 * figure['fpr']:g} % of {labels[0]} called {labels[1]}": figure
            for figure in evaluation["tpr_at_fpr"]
        },
        "Brier score (0 is best, a coin toss has 0.25)": evaluation["brier"],
        "calibration error": evaluation["calibration_error"],
    }
    return [{"": name, "figure": _figure_in_words(figure), "how": _how(figure)} for name, figure in named.items()]


def _figure_in_words(figure: Mapping[str, Any]) -> str:
    if "refused" in figure:
        return "refused"
    value, low, high = figure["value"], figure["low"], figure["high"]
    if not figure["method"].startswith(SHARES):
        return with_interval(value, low, high)
    counted = f"{figure['hits']} of {figure['n']}: " if "hits" in figure else ""
    return counted + with_interval(value, low, high, percent=True)


def _how(figure: Mapping[str, Any]) -> str:
    if "refused" in figure:
        return str(figure["refused"])
    if "band" in figure:
        low, high = figure["band"]
        return f"a perfectly calibrated model would show {low:.2f}–{high:.2f} here; {figure['method']}"
    return figure["statement"] + "; " + figure["method"] if "statement" in figure else str(figure["method"])


@dataclass(frozen=True, slots=True)
class _Arranged:
    """Arrays of `train.evaluation.statistics`: probabilities and folds are rounds x n; stretch is 1 without folds."""

    probabilities: Floats
    folds: Ints
    positive: Bools
    groups: Ints
    stretch: float

    @property
    def right(self) -> Floats:
        return ((self.probabilities >= 0.5) == self.positive).astype(np.float64)


def _arranged(
    predictions: Sequence[Prediction], labels: Sequence[str], groups: Sequence[str], rounds: Rounds | None
) -> _Arranged:
    n = len(predictions)
    if not n or len(groups) != n:
        raise ValueError(f"{n} predictions with {len(groups)} groups: there must be one per picture, and at least one")
    if strange := {row.split for row in predictions} - {VALID} | {row.label for row in predictions} - set(labels):
        raise ValueError(f"rows of {', '.join(sorted(strange))} are not to be judged: {VALID} rows of {labels} are")
    shares, folds, stretch = np.array([[row.probability for row in predictions]]), np.zeros((1, n), dtype=np.intp), 1.0
    if rounds:
        _refuse_torn(rounds, n)
        shares, folds = rounds.shares, rounds.folds
        held_out = n / float(np.mean([len(np.unique(row)) for row in folds]))
        stretch = statistics.correction(held_out, n - held_out)
    return _Arranged(
        probabilities=shares,
        folds=folds,
        positive=np.array([row.label == labels[1] for row in predictions]),
        groups=np.unique(np.asarray(groups), return_inverse=True)[1],
        stretch=stretch,
    )


def _refuse_torn(rounds: Rounds, n: int) -> None:
    """Raise ValueError unless every repeat has two folds or more, and an answer to each of n pictures."""
    if rounds.shares.shape[1] != n or rounds.folds.shape != rounds.shares.shape or np.isnan(rounds.shares).any():
        raise ValueError(f"every repeat must answer each of {n} pictures once")
    if min(len(np.unique(folds)) for folds in rounds.folds) < 2:
        raise ValueError("a repeat must have two folds or more")


def _shares(judged: _Arranged, labels: Sequence[str]) -> dict[str, Any]:
    right, positive = judged.right, judged.positive
    accuracy = statistics.share(right, judged.groups, judged.stretch)
    wrong = Estimate(1 - accuracy.value, 1 - accuracy.high, 1 - accuracy.low)
    sides = {labels[0]: ~positive, labels[1]: positive}
    recall = {
        label: statistics.share(right[:, side], _renumbered(judged.groups[side]), judged.stretch)
        for label, side in sides.items()
        if side.any()
    }
    return {
        "accuracy": _share(judged, accuracy, right),
        "error_rate": _share(judged, wrong, 1 - right),
        "balanced_accuracy": _figure(judged, statistics.balanced(*recall.values()), RECALLS)
        if len(recall) == 2
        else _one_class(labels, sides, "a balanced accuracy"),
        "auc": _figure(judged, _auc(judged), NEWCOMBE) if len(recall) == 2 else _one_class(labels, sides, "an AUC"),
        "recall": {
            label: _share(judged, recall[label], right[:, side])
            if label in recall
            else _one_class(labels, sides, f"the recall of {label}")
            for label, side in sides.items()
        },
    }


def _auc(judged: _Arranged) -> Estimate:
    return statistics.auc(judged.probabilities, judged.positive, judged.groups, judged.folds, judged.stretch)


def _tpr(judged: _Arranged, labels: Sequence[str], rate: float) -> dict[str, Any]:
    """Judge with a threshold at which the false positive rate is below `rate` with 95 % confidence."""
    positive, sides = judged.positive, {labels[0]: ~judged.positive, labels[1]: judged.positive}
    if not positive.any():
        return {"fpr": rate, **_one_class(labels, sides, f"a rate of {labels[1]} found")}
    own = _renumbered(judged.groups[~positive]) if (~positive).any() else np.zeros(0, dtype=np.intp)
    draws = len(np.unique(own))
    allowed = statistics.allowed_alarms(draws, rate)
    if allowed < 0:
        needed = statistics.needed_negatives(rate)
        bound = 100 * (1 - 0.05 ** (1 / max(draws, 1)))
        refused = (
            f"{draws} {labels[0]} are too few (groups count once): even without a false alarm they show only a rate "
            f"below {bound:.1f} %; {needed} can show {100 * rate:g} %"
        )
        return {"fpr": rate, "refused": refused, "needed": needed, "n": draws}
    highest = np.array([[row[~positive][own == group].max() for group in range(draws)] for row in judged.probabilities])
    thresholds = np.sort(highest, axis=1)[:, draws - 1 - allowed]
    hits = (judged.probabilities[:, positive] > thresholds[:, None]).astype(np.float64)
    estimate = statistics.share(hits, _renumbered(judged.groups[positive]), judged.stretch)
    statement = (
        f"above {float(np.mean(thresholds)):.2f}: {allowed} of {draws} {labels[0]}, "
        f"so below {100 * rate:g} % of all with 95 % confidence"
    )
    return {"fpr": rate, "threshold": float(np.mean(thresholds)), "false_alarms": allowed, "negatives": draws,
            "statement": statement, **_share(judged, estimate, hits)}  # fmt: skip


def _errors(judged: _Arranged, seed: int) -> dict[str, Any]:
    brier = statistics.mean_error((judged.probabilities - judged.positive) ** 2, judged.groups, judged.stretch)
    figures: dict[str, Any] = {"brier": _figure(judged, brier, T)}
    n = len(judged.positive)
    if n < 2 * FEWEST:
        refused = f"{n} pictures are too few to compare probabilities with shares; two bins need {2 * FEWEST}"
        return figures | {"calibration_error": {"refused": refused, "needed": 2 * FEWEST, "n": n}}
    repeats = [
        calibration_error(row, judged.positive, judged.groups, stretch=judged.stretch, seed=seed)
        for row in judged.probabilities
    ]  # fmt: skip
    mean = Estimate(
        *np.mean([[repeat.error.value, repeat.error.low, repeat.error.high] for repeat in repeats], axis=0).tolist()
    )
    band = np.mean([repeat.band for repeat in repeats], axis=0).tolist()
    return figures | {
        "calibration_error": {**_figure(judged, mean, BOOTSTRAP), "band": band, "bins": repeats[0].bins}
    }  # fmt: skip


def _figure(judged: _Arranged, estimate: Estimate, method: str) -> dict[str, Any]:
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "method": method + (CORRECTED if judged.stretch > 1 else ""),
        "n": len(judged.positive),
    }


def _share(judged: _Arranged, estimate: Estimate, hits: Floats) -> dict[str, Any]:
    """Describe a share, with its hits where it was counted once only."""
    counted = {"hits": int(hits.sum())} if len(hits) == 1 else {}
    return {**_figure(judged, estimate, WILSON), **counted, "n": hits.shape[1]}


def _one_class(labels: Sequence[str], sides: Mapping[str, Bools], what: str) -> dict[str, Any]:
    missing = next(label for label in labels if not sides[label].any())
    return {"refused": f"{what} needs pictures of {missing}, and none was judged", "needed": 1, "n": 0}


def _renumbered(groups: Ints) -> Ints:
    return np.asarray(np.unique(groups, return_inverse=True)[1])
