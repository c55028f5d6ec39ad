"""What `train cross-validate` says of a run."""

from collections.abc import Mapping
from typing import Any

from train.runs import Run


def beside(run: Run) -> str:
    """Set accuracy and AUC of the folds beside what the file alone reaches, out of fold on the same pictures too."""
    alone = run.file_alone
    right = alone["all"]
    accuracy, auc = (_in_words(run.evaluation[name]) for name in ("accuracy", "auc"))
    return (
        f"model: accuracy {accuracy}, AUC {auc}; the file alone, out of fold on {right['n']} pictures: accuracy "
        f"{right['hits'] / right['n']:.2f} [{right['low']:.2f}-{right['high']:.2f}], AUC {alone['auc']:.2f} "
        f"[{alone['low']:.2f}-{alone['high']:.2f}] ({alone['verdict']})"
    )


def how_sure(run: Run) -> str:
    """Say in one sentence how wide the interval of the accuracy is, and what the model that is kept was trained on."""
    accuracy, n = run.evaluation["accuracy"], run.evaluation["n"]
    if "refused" in accuracy:
        return f"How good such a model is cannot be said: {accuracy['refused']}."
    low, high = 100 * accuracy["low"], 100 * accuracy["high"]
    return (
        f"Judged on all {n} pictures, each by a model that had not seen it, the true accuracy of a model trained so "
        f"may lie anywhere from {low:.0f} to {high:.0f} %: the interval is {high - low:.0f} points wide. "
        f"weights.safetensors is a further model, trained on all {n}."
    )


def _in_words(figure: Mapping[str, Any]) -> str:
    if "refused" in figure:
        return "refused"
    return f"{figure['value']:.2f} [{figure['low']:.2f}-{figure['high']:.2f}]"
