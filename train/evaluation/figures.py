"""The figures of a run: who was called what, the learning curve, and the ROC curve with its band. No torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageledger.figure import FAINT, INK, NEGATIVE, PAPER, POSITIVE, SHADES, UNSURE, USUAL, drawn, key, styled
from imageledger.letters import visible
from imageledger.store import write_whole
from imageledger.types import Floats
from train.runs import Prediction

RESAMPLES = 500
GRID = np.linspace(0, 1, 201)
"""The false positive rates at which the band of a ROC curve is drawn."""


def write(
    folder: Path,
    predictions: Sequence[Prediction],
    labels: Sequence[str],
    groups: Sequence[str],
    evaluation: Mapping[str, Any],
    *,
    seed: int = 42,
) -> None:
    """Write confusion_matrix.png and roc.png of predictions, each by a model that had not seen its picture.

    `evaluation` is what `train.evaluation.evaluate.evaluate` says of them.
    """
    note = f"{len(predictions)} pictures, each judged by a model that had not seen it"
    counts = {a: {b: sum((row.label, row.predicted) == (a, b) for row in predictions) for b in labels} for a in labels}
    ends = {label: (recall["low"], recall["high"]) for label, recall in evaluation["recall"].items() if "low" in recall}
    write_whole(folder / "confusion_matrix.png", confusion(counts, note, ends))
    scores = np.array([row.probability for row in predictions])
    positive = np.array([row.label == labels[-1] for row in predictions])
    write_whole(folder / "roc.png", roc(scores, positive, groups, labels, note, seed))


def confusion(counts: Mapping[str, Mapping[str, int]], note: str, recall: Mapping[str, Sequence[float]]) -> bytes:
    """Draw counts, actual label first, as a PNG: rows are what pictures are, columns what they were called.

    Each cell holds the count and its share of the row; the diagonal also the 95 % interval of the `recall`, where there
    is one.
    """
    return drawn((5.2, 4.6), lambda figure: _confusion(figure, counts, recall), title="Confusion matrix", note=note)


def recall_ends(metrics: Mapping[str, Any]) -> dict[str, Sequence[float]]:
    """Return the interval of each label's recall, from the metrics of one split (`train.evaluation.metrics.score`)."""
    return {label: share["interval"] for label, share in metrics["recall"].items()}


def _confusion(figure: Any, counts: Mapping[str, Mapping[str, int]], recall: Mapping[str, Sequence[float]]) -> None:
    names = list(counts)
    shares = np.array([[row[name] / max(sum(row.values()), 1) for name in names] for row in counts.values()])
    axes = figure.subplots()
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1)
    for row, actual in enumerate(names):
        for column, called in enumerate(names):
            share = shares[row, column]
            ink = PAPER if share > 0.55 else INK
            axes.text(column, row - 0.06, str(counts[actual][called]), ha="center", va="center", color=ink, fontsize=22)
            words = f"{100 * share:.0f} %"
            if row == column and actual in recall:
                words += " [{:.0f}–{:.0f}]".format(*(100 * end for end in recall[actual]))
            words += f"\nof {sum(counts[actual].values())} {visible(actual)}"
            axes.text(column, row + 0.12, words, ha="center", va="top", color=ink)
    axes.set_xticks(range(len(names)), [visible(name) for name in names])
    axes.set_yticks(range(len(names)), [visible(name) for name in names])
    styled(axes, x="what the model called them", y="what the pictures are")
    axes.tick_params(labelsize=11)


def learning_curve(history: Sequence[Mapping[str, Any]], note: str, frozen: int = 0, chosen: int = 0) -> bytes:
    """Draw both losses and the error rate over the epochs as a PNG; `frozen` epochs with a frozen body are shaded.

    `history` has the rows of history.csv. With early stopping, `chosen` is the epoch that an inner split chose, whose
    losses these are; it is marked.
    """
    return drawn(
        (7, 5.4), lambda figure: _learning_curve(figure, history, frozen, chosen), title="Learning curve", note=note
    )


def _learning_curve(figure: Any, history: Sequence[Mapping[str, Any]], frozen: int, chosen: int) -> None:
    from matplotlib.ticker import MaxNLocator

    judged = "inner split" if chosen else "validation"
    epochs, train, valid, wrong = (
        [row[name] for row in history] for name in ("epoch", "train_loss", "valid_loss", "error_rate")
    )
    losses, errors = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    losses.plot(epochs, train, "o-", color=NEGATIVE, label="training (smoothed)")
    losses.plot(epochs, valid, "s-", color=POSITIVE, label=judged)
    errors.plot(epochs, wrong, "s-", color=POSITIVE)
    for axes in (losses, errors):
        if frozen:
            axes.axvspan(0.5, frozen + 0.5, color=UNSURE, alpha=0.45, lw=0, label="body frozen")
        if chosen:
            axes.axvline(chosen, color=INK, ls="--", lw=1.2, label=f"epoch {chosen}, chosen by the inner split")
    losses.set_ylim(0, 1.05 * losses.get_ylim()[1])
    errors.set_ylim(0, max(0.05, 1.05 * errors.get_ylim()[1]))
    errors.set_xlim(0.5, len(history) + 0.5)
    errors.xaxis.set_major_locator(MaxNLocator(integer=True))
    styled(losses, y="loss (nats)", grid="both")
    styled(errors, x="epoch", y=f"error rate, {judged}", grid="both")
    key(losses, loc="best", columns=1)


def roc(
    scores: Floats,
    positive: NDArray[np.bool_],
    groups: Sequence[str],
    labels: Sequence[str],
    note: str,
    seed: int,
) -> bytes:
    """Draw the ROC curve of scores as a PNG, with the band that holds 95 of 100 bootstrap curves over whole groups."""
    low, high = band(scores, positive, groups, seed)
    wrong, right = curve(scores, positive, np.ones(len(scores)))
    negative, sought = labels[0], labels[-1]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.fill_between(GRID, low, high, color=USUAL, alpha=0.16, lw=0, label="95 % band (bootstrap over groups)")
        axes.plot(wrong, right, color=USUAL, lw=2, label="the models of all folds together")
        axes.plot([0, 1], [0, 1], color=FAINT, lw=1, ls=":", label="a coin")
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_aspect("equal")
        styled(axes, x=f"share of {negative} called {sought}", y=f"share of {sought} called {sought}", grid="both")
        key(axes, loc="lower right", columns=1)

    return drawn((5.6, 5.2), draw, title="ROC curve", note=note)


def curve(scores: Floats, positive: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Return false and true positive rates (0..1, ascending from 0) over all thresholds; rows count by weight."""
    values, place = np.unique(-scores, return_inverse=True)
    steps = [np.bincount(place, weights=weights * side, minlength=len(values)) for side in (~positive, positive)]
    wrong, right = (np.concatenate([[0.0], np.cumsum(step) / step.sum()]) for step in steps)
    return wrong, right


def band(scores: Floats, positive: NDArray[np.bool_], groups: Sequence[str], seed: int) -> tuple[Floats, Floats]:
    """Return the lower and the upper end of the true positive rate at every point of GRID."""
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    rng = np.random.default_rng(seed)
    curves = []
    for _ in range(RESAMPLES):
        weights = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[group].astype(float)
        if weights[positive].sum() and weights[~positive].sum():
            curves.append(np.interp(GRID, *curve(scores, positive, weights)))
    low, high = np.quantile(curves or [np.zeros_like(GRID), np.ones_like(GRID)], (0.025, 0.975), axis=0)
    return low, high
