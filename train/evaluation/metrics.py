"""What predictions are worth: shares with their intervals, by class and overall. Knows no torch."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imageledger.intervals import share_in_words, with_interval
from train.pictures import TRAIN, VALID
from train.runs import Prediction

SURE = 1e-7
"""A probability is kept so far away from 0 and 1 before its logit is taken: what a float32 can tell apart."""


def score(
    predictions: Iterable[Prediction], labels: Sequence[str], groups: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    """Return the metrics of each split that has pictures, as run.json holds them.

    Shares lie in 0..1 and come with their 95 % Wilson interval over groups and both counts; `groups` names the group of
    each picture, which stands alone where it has none (a picture of a folder). `confusion` is
    actual label -> predicted label -> count; `loss` is the mean cross-entropy in nats.
    """
    rows = list(predictions)
    by_split = {split: [row for row in rows if row.split == split] for split in (VALID, TRAIN)}
    return {split: _score(judged, labels, groups) for split, judged in by_split.items() if judged}


def _score(rows: Sequence[Prediction], labels: Sequence[str], groups: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    import numpy as np

    from imageledger.counted import Counted

    count = Counter((row.label, row.predicted) for row in rows)
    confusion = {actual: {called: count[actual, called] for called in labels} for actual in labels}
    flags = np.array([row.label == row.predicted for row in rows], dtype=bool)
    right = Counted(flags, [groups.get(row.key, "#".join(row.key)) for row in rows])
    return {
        "accuracy": right.as_json(),
        "error_rate": Counted(~flags, right.groups).as_json(),
        "recall": {label: right.but(np.array([row.label == label for row in rows])).as_json() for label in labels},
        "confusion": confusion,
        "loss": sum(row.loss for row in rows) / len(rows),
    }


def flat(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per share, for a table: split, measure, hits, n, share, low, high."""
    rows = []
    for split, figures in metrics.items():
        named = {
            "accuracy": figures["accuracy"],
            "error rate": figures["error_rate"],
            **{f"recall of {label}": share for label, share in figures["recall"].items()},
        }
        for measure, share in named.items():
            low, high = share["interval"]
            numbers = {"hits": share["hits"], "n": share["n"], "share": share["share"], "low": low, "high": high}
            rows.append({"split": split, "measure": measure, **numbers})
    return rows


def answer(probability: float, label: str, labels: Sequence[str]) -> dict[str, Any]:
    """Return what a Prediction holds for P(positive): probability, cross-entropy loss, and the label it means."""
    true = probability if label == labels[-1] else 1 - probability
    return {
        "probability": probability,
        "loss": float(f"{-math.log(max(true, SURE)):.9g}") + 0.0,  # no loss of minus zero
        "predicted": labels[-1] if probability > 0.5 else labels[0],
    }


def mean_of(probabilities: Sequence[float]) -> float:
    """Return the probability (0..1) that the mean of the logits stands for."""
    inside = [min(max(share, SURE), 1 - SURE) for share in probabilities]
    return 1 / (1 + math.exp(-sum(math.log(share / (1 - share)) for share in inside) / len(inside)))


def in_words(metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return one row per measure, validation beside training, each share with its interval in words."""
    words: dict[str, dict[str, str]] = {}
    for row in flat(metrics):
        right = share_in_words(row["hits"], row["n"], (row["low"], row["high"]))
        words.setdefault(row["measure"], {"": row["measure"]})[row["split"]] = right
    return list(words.values())


def how_sure(metrics: Mapping[str, Any]) -> str:
    """Say in one sentence how wide the interval of the validation accuracy is."""
    accuracy = metrics[VALID]["accuracy"]
    low, high = (100 * end for end in accuracy["interval"])
    return (
        f"With {accuracy['n']} validation pictures, the true accuracy may lie anywhere from {low:.0f} to {high:.0f} %: "
        f"the interval is {high - low:.0f} points wide."
    )


def chosen_epoch(choice: Mapping[str, Any]) -> str:
    """Say in one sentence which epoch early stopping chose, and by what."""
    return (
        f"Early stopping chose epoch {choice['epoch']} of {choice['epochs']}, by its loss of {choice['loss']:.2f} on "
        f"{choice['pictures']} pictures held out from training; it used no validation picture."
    )


def beside(metrics: Mapping[str, Any], file_alone: Mapping[str, Any]) -> str:
    """Set the validation accuracy beside what nuisance features reach without a face, in one line."""
    accuracy, valid = metrics[VALID]["accuracy"], file_alone["valid"]
    low, high = accuracy["interval"]
    alone = with_interval(valid["hits"] / max(valid["n"], 1), valid["low"], valid["high"])
    area = with_interval(file_alone["auc"], file_alone["low"], file_alone["high"])
    return (
        f"accuracy {with_interval(accuracy['share'], low, high)}; the file alone: AUC {area} "
        f"({file_alone['verdict']}), accuracy {alone}{how_judged(file_alone)}"
    )


def how_judged(file_alone: Mapping[str, Any]) -> str:
    """Say whether the pictures were chosen by the numbers that judge them, and what that means for the figures."""
    if not file_alone.get("chosen_on"):
        return ""
    inside = file_alone.get("inside")
    if not inside or inside["auc"] == file_alone["auc"]:
        return " (chosen on these numbers and judged inside the choice: not to be quoted)"
    within = with_interval(inside["auc"], inside["low"], inside["high"])
    return (
        " (chosen on these numbers: judged by probes that share no picture with the choice; inside the set, AUC "
        f"{within} is not to be quoted)"
    )
