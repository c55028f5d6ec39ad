"""What predictions are worth: shares with their intervals, by class and altogether. Knows no torch."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imageledger.intervals import share_in_words, wilson
from train.pictures import TRAIN, VALID
from train.runs import Prediction

SURE = 1e-7
"""A probability is kept so far away from 0 and 1 before its logit is taken: what a float32 can tell apart."""


def score(predictions: Iterable[Prediction], labels: Sequence[str]) -> dict[str, Any]:
    """Return the metrics of each split that has pictures, as run.json holds them.

    Shares lie in 0..1 and come with their 95 % Wilson interval and both counts; `confusion` is
    actual label -> predicted label -> count; `loss` is the mean cross-entropy in nats.
    """
    rows = list(predictions)
    found = {split: [row for row in rows if row.split == split] for split in (VALID, TRAIN)}
    return {split: _score(judged, labels) for split, judged in found.items() if judged}


def _score(rows: Sequence[Prediction], labels: Sequence[str]) -> dict[str, Any]:
    count = Counter((row.label, row.predicted) for row in rows)
    confusion = {actual: {said: count[actual, said] for said in labels} for actual in labels}
    right = sum(confusion[label][label] for label in labels)
    return {
        "accuracy": _share(right, len(rows)),
        "error_rate": _share(len(rows) - right, len(rows)),
        "recall": {label: _share(confusion[label][label], sum(confusion[label].values())) for label in labels},
        "confusion": confusion,
        "loss": sum(row.loss for row in rows) / len(rows),
    }


def _share(hits: int, n: int) -> dict[str, Any]:
    return {"share": hits / n if n else 0.0, "interval": list(wilson(hits, n)), "hits": hits, "n": n}


def flat(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a share, for a table: split, measure, hits, n, share, low, high."""
    rows = []
    for split, found in metrics.items():
        named = {
            "accuracy": found["accuracy"],
            "error rate": found["error_rate"],
            **{f"recall of {label}": share for label, share in found["recall"].items()},
        }
        for measure, share in named.items():
            low, high = share["interval"]
            numbers = {"hits": share["hits"], "n": share["n"], "share": share["share"], "low": low, "high": high}
            rows.append({"split": split, "measure": measure, **numbers})
    return rows


def answer(probability: float, label: str, labels: Sequence[str]) -> dict[str, Any]:
    """Return what a Prediction says of a picture given P(positive): probability, cross-entropy loss, label called."""
    true = probability if label == labels[-1] else 1 - probability
    return {
        "probability": probability,
        "loss": float(f"{-math.log(max(true, SURE)):.9g}") + 0.0,  # no loss of minus zero
        "predicted": labels[-1] if probability > 0.5 else labels[0],
    }


def mean_of(probabilities: Sequence[float]) -> float:
    """Return the probability (0..1) that the mean of the logits stands for."""
    inside = [min(max(one, SURE), 1 - SURE) for one in probabilities]
    return 1 / (1 + math.exp(-sum(math.log(one / (1 - one)) for one in inside) / len(inside)))


def in_words(metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return one row a measure, validation beside training, each share with its interval in words."""
    words: dict[str, dict[str, str]] = {}
    for row in flat(metrics):
        words.setdefault(row["measure"], {"": row["measure"]})[row["split"]] = share_in_words(row["hits"], row["n"])
    return list(words.values())


def how_sure(metrics: Mapping[str, Any]) -> str:
    """Say in one sentence how wide the interval of the validation accuracy is."""
    accuracy = metrics[VALID]["accuracy"]
    low, high = (100 * end for end in accuracy["interval"])
    return (
        f"With {accuracy['n']} validation pictures the true accuracy may lie anywhere from "
        f"{low:.0f} to {high:.0f} %: the interval is {high - low:.0f} points wide."
    )


def chosen_epoch(told: Mapping[str, Any]) -> str:
    """Say in one sentence which epoch early stopping chose, and by what."""
    return (
        f"Epoch {told['epoch']} of {told['epochs']} was chosen, by its loss of {told['loss']:.3f} on "
        f"{told['pictures']} pictures held out of the training ones; no validation picture was looked at for that."
    )


def beside(metrics: Mapping[str, Any], file_alone: Mapping[str, Any]) -> str:
    """Set the validation accuracy beside what nuisance features reach without a face, in one line."""
    accuracy, valid = metrics[VALID]["accuracy"], file_alone["valid"]
    low, high = accuracy["interval"]
    return (
        f"accuracy {accuracy['share']:.2f} [{low:.2f}-{high:.2f}]; the file alone: AUC {file_alone['auc']:.2f} "
        f"[{file_alone['low']:.2f}-{file_alone['high']:.2f}] ({file_alone['verdict']}), "
        f"accuracy {valid['hits'] / max(valid['n'], 1):.2f} [{valid['low']:.2f}-{valid['high']:.2f}]"
    )
