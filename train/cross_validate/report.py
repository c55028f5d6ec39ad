"""What `train cross-validate` says of a run."""

from collections.abc import Mapping
from typing import Any

from imageledger.intervals import with_interval
from train.evaluation.metrics import how_judged
from train.runs import Run


def beside(run: Run) -> str:
    """Set accuracy and AUC of the folds beside what the file alone reaches on the same pictures, also out of fold."""
    alone = run.file_alone
    right = alone["all"]
    accuracy, auc = (_in_words(run.evaluation[name]) for name in ("accuracy", "auc"))
    return (
        f"model: accuracy {accuracy}, AUC {auc}; the file alone, out of fold on {right['n']} pictures: accuracy "
        f"{with_interval(right['hits'] / right['n'], right['low'], right['high'])}, AUC "
        f"{with_interval(alone['auc'], alone['low'], alone['high'])} ({alone['verdict']}){how_judged(alone)}"
    )


def how_sure(run: Run) -> str:
    """Say how wide the interval of the accuracy is, and what the model that is kept was trained on."""
    accuracy, n = run.evaluation["accuracy"], run.evaluation["n"]
    if "refused" in accuracy:
        return f"How good such a model is cannot be said: {accuracy['refused']}."
    low, high = 100 * accuracy["low"], 100 * accuracy["high"]
    return (
        f"Judged on {n} pictures, each by a model that had not seen it, the true accuracy of such a model may lie "
        f"anywhere from {low:.0f} to {high:.0f} %: the interval is {high - low:.0f} points wide. "
        f"weights.safetensors is a further model, trained on all {n} pictures."
    )


def _in_words(figure: Mapping[str, Any]) -> str:
    if "refused" in figure:
        return "refused"
    return with_interval(figure["value"], figure["low"], figure["high"])
