"""The figures of a run that is judged out of fold: who was called what, and the ROC curve with its band. No torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageledger.figure import drawn
from imageledger.sheet import FAINT, INK, LINE, MOUNT, visible
from imageledger.store import write_whole
from imageledger.types import Floats
from train.runs import Prediction

MODEL = "#1f5f99"
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

    `evaluation` is what `train.evaluation.evaluate.evaluate.evaluate` says of them.
    """
    heading = f"{len(predictions)} pictures, each judged by a model that had not seen it"
    counts = [[sum((one.label, one.predicted) == (a, b) for one in predictions) for b in labels] for a in labels]
    write_whole(
        folder / "confusion_matrix.png",
        drawn((5.2, 5.0), lambda figure: confusion(figure, counts, labels, evaluation["recall"], heading)),
    )
    scores = np.array([one.probability for one in predictions])
    positive = np.array([one.label == labels[-1] for one in predictions])
    write_whole(
        folder / "roc.png",
        drawn((5.6, 5.8), lambda figure: roc(figure, scores, positive, groups, labels, heading, seed)),
    )


def confusion(
    figure: Any, counts: Sequence[Sequence[int]], names: Sequence[str], recall: Mapping[str, Any], heading: str
) -> None:
    """Draw counts: rows are what pictures are, columns what they are called.

    In each cell the count, its share of the row, and on the diagonal the 95 % interval of the recall.
    """
    shares = np.array([[count / max(sum(row), 1) for count in row] for row in counts])
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, actual in enumerate(names):
        for column in range(len(names)):
            ink = "white" if shares[row, column] > 0.55 else INK
            axes.text(column, row - 0.06, str(counts[row][column]), ha="center", va="center", color=ink, fontsize=22)
            words = f"{100 * shares[row, column]:.0f} % of {visible(actual)}"
            if row == column and "value" in recall[actual]:
                words += f"\n[{100 * recall[actual]['low']:.0f}-{100 * recall[actual]['high']:.0f} %]"
            axes.text(column, row + 0.12, words, ha="center", va="top", color=ink)
    axes.set_xticks(range(len(names)), [visible(name) for name in names])
    axes.set_yticks(range(len(names)), [visible(name) for name in names])
    axes.set_xlabel("what the models called them", color=FAINT)
    axes.set_ylabel("what the pictures are", color=FAINT)
    axes.tick_params(length=0, labelsize=11)
    _title(axes, "Confusion matrix", heading)
    _frameless(axes)


def roc(
    figure: Any,
    scores: Floats,
    positive: NDArray[np.bool_],
    groups: Sequence[str],
    labels: Sequence[str],
    heading: str,
    seed: int,
) -> None:
    """Draw the ROC curve of scores, with the band that holds 95 of 100 bootstrap curves; whole groups are drawn."""
    low, high = band(scores, positive, groups, seed)
    axes = figure.subplots()
    axes.fill_between(GRID, low, high, color=MODEL, alpha=0.16, lw=0, label="95 % band (bootstrap over groups)")
    wrong, right = curve(scores, positive, np.ones(len(scores)))
    axes.plot(wrong, right, color=MODEL, lw=2, label="the models of all folds together")
    axes.plot([0, 1], [0, 1], color=FAINT, lw=1, ls=":", label="a coin")
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_aspect("equal")
    axes.grid(color=LINE, lw=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.set_xlabel(f"share of {visible(labels[0])} called {visible(labels[-1])}", color=FAINT)
    axes.set_ylabel(f"share of {visible(labels[-1])} called {visible(labels[-1])}", color=FAINT)
    axes.legend(loc="lower right", frameon=False, labelcolor=FAINT)
    _title(axes, "ROC curve", heading)
    _frameless(axes)


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
    found = []
    for _ in range(RESAMPLES):
        weights = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[group].astype(float)
        if weights[positive].sum() and weights[~positive].sum():
            found.append(np.interp(GRID, *curve(scores, positive, weights)))
    low, high = np.quantile(found or [np.zeros_like(GRID), np.ones_like(GRID)], (0.025, 0.975), axis=0)
    return low, high


def _title(axes: Any, title: str, heading: str) -> None:
    axes.set_title(f"{title}\n", loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.text(0, 1.02, visible(heading), transform=axes.transAxes, color=FAINT, fontsize=9)


def _frameless(axes: Any) -> None:
    axes.set_facecolor("white")
    for side in axes.spines.values():
        side.set_color(MOUNT)
