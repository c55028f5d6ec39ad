"""How well a model answers: who was called what, ROC curve, accuracy by what made the pictures. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audit.charts.matrix import Cell, MatrixRow, matrix
from audit.charts.plane import Series, plane
from audit.charts.rows import Bar, rows
from audit.report.training.block import Block
from audit.report.verdict import Judged
from imageledger.counted import Counted
from imageledger.intervals import with_interval
from imageledger.record import Record
from imageledger.types import Bools, Floats, Ints, Key
from train.evaluation.figures import GRID, band, curve
from train.evaluation.metrics import how_judged
from train.evaluation.statistics import auc
from train.runs import Prediction, Run

MOST = 16
"""So many parts of the pictures are drawn, those with the lowest accuracy first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The answers about pictures that the model had not seen (n), with their groups, in the order of the manifest."""

    run: Run
    rows: Sequence[Prediction]
    found: Judged

    @property
    def scores(self) -> Floats:
        """P(positive) of each picture, 0..1."""
        return np.array([row.probability for row in self.rows], dtype=np.float64)

    @property
    def positive(self) -> Bools:
        """Whether each picture is of the positive class."""
        return np.array([row.label == self.run.labels[1] for row in self.rows], dtype=bool)

    @property
    def groups(self) -> Ints:
        """The number of the group of each picture, from 0 on."""
        return np.asarray(np.unique(np.asarray(self.found.right.groups), return_inverse=True)[1])

    @property
    def folds(self) -> Ints:
        """The fold that held each picture out, 0 without folds."""
        return np.array([row.fold or 0 for row in self.rows], dtype=np.intp)


def confusion(held: Held) -> Block:
    """Show who was called what, with counts, shares of the class, and the interval of the right ones."""
    labels = held.run.labels
    lines, counts = [], {}
    for actual in labels:
        own = [row for row in held.rows if row.label == actual]
        counts[actual] = {called: sum(row.predicted == called for row in own) for called in labels}
        ends = _recall(held, actual)
        cells = [_cell(counts[actual][called], len(own), called == actual, ends) for called in labels]
        lines.append(MatrixRow(name=f"{len(own)} {actual}", cells=cells))
    drawing = matrix(lines, [f"called {labels[0]}", f"called {labels[1]}"], corner="",
                     label="Confusion matrix: pictures by class, answers across")  # fmt: skip
    return Block(
        name="confusion", title="Who was called what", drawings=[drawing], figures={"counts": counts},
        key=["✓ right, with the 95 % interval", "✗ wrong", "shares of the class"],
    )  # fmt: skip


def _cell(count: int, total: int, right: bool, ends: tuple[float, float]) -> Cell:
    share = count / total if total else 0.0
    words = with_interval(share, *ends, percent=True) if right and total else f"{100 * share:.0f} %"
    return Cell(words=f"{'✓' if right else '✗'} {count} = {words}", shade=share, colour="usual" if right else "problem")


def _recall(held: Held, label: str) -> tuple[float, float]:
    figure = held.run.evaluation.get("recall", {}).get(label, {})
    if "low" in figure:
        return float(figure["low"]), float(figure["high"])
    low, high = held.found.confusion.mistakes[label].interval
    return 1 - high, 1 - low


def roc(held: Held) -> Block:
    """Show the ROC curve with its band, and the AUC beside that of the file alone."""
    negative, sought = held.run.labels
    title = "How well it ranks"
    scores, positive = held.scores, held.positive
    if positive.all() or not positive.any():
        return Block(name="roc", title=title, sentences=["An AUC needs pictures of both classes."])
    value, low, high = _area(held)
    ends = band(scores, positive, [str(group) for group in held.groups], held.run.seed)
    wrong, right = curve(scores, positive, np.ones(len(scores)))
    steps = list(zip(wrong.tolist(), right.tolist(), strict=True))
    between = list(zip(GRID.tolist(), ends[0].tolist(), ends[1].tolist(), strict=True))[::4]
    drawing = plane(
        [Series(name="the model, with its 95 % band", points=steps, band=between)],
        x=f"share of {negative} called {sought}", y=f"share of {sought} called {sought}", xs=(0, 1), ys=(0, 1),
        diagonal=True, height=300, label=f"ROC curve: AUC {with_interval(value, low, high)}",
    )  # fmt: skip
    alone = held.run.file_alone
    sentence = f"AUC {with_interval(value, low, high)}: of two pictures, one of each class, it ranks so many rightly."
    return Block(
        name="roc", title=title, sentences=[sentence, *_file(alone)], drawings=[drawing, _beside(held, alone)],
        key=["dashed diagonal: a coin"], figures={"auc": {"value": value, "low": low, "high": high}},
    )  # fmt: skip


def _area(held: Held) -> tuple[float, float, float]:
    figure = held.run.evaluation.get("auc", {})
    if "value" in figure:
        return float(figure["value"]), float(figure["low"]), float(figure["high"])
    found = auc(held.scores[None], held.positive, held.groups, held.folds[None])
    return found.value, found.low, found.high


def _file(alone: Mapping[str, Any]) -> list[str]:
    if not alone:
        return []
    area = with_interval(alone["auc"], alone["low"], alone["high"])
    return [f"The file alone reaches {area}, {alone['verdict']}{how_judged(alone)}."]


def _beside(held: Held, alone: Mapping[str, Any]) -> Any:
    value, low, high = _area(held)
    bars = [Bar(name="model", value=value, low=low, high=high, words=with_interval(value, low, high), strong=True)]
    if alone:
        low, high = alone["low"], alone["high"]
        bars.append(Bar(name="file alone", value=alone["auc"], low=low, high=high, colour="problem", shape="D",
                        words=with_interval(alone["auc"], low, high)))  # fmt: skip
    least = min(0.4, *(bar.low or 0.0 for bar in bars))
    return rows(bars, x="AUC with its 95 % interval (0.5 is a coin)", ends=(least, 1.0), middle=0.5, names=80,
                words=132, label="AUC of the model and of the file alone")  # fmt: skip


def by_origin(held: Held, records: Mapping[Key, Record]) -> Block:
    """Show the accuracy on the pictures of each generator, and of each source where a generator has several."""
    title = "Right, by what made the pictures"
    if not any(row.key in records for row in held.rows):
        why = "Which generator or source each picture comes from is not known: its manifest no longer holds it."
        return Block(name="by_origin", title=title, sentences=[why])
    parts: dict[str, list[int]] = {}
    for number, row in enumerate(held.rows):
        if record := records.get(row.key):
            parts.setdefault(f"{record.generator or record.source} ({row.label})", []).append(number)
    sources: dict[str, list[int]] = {}
    for number, row in enumerate(held.rows):
        if record := records.get(row.key):
            sources.setdefault(f"{record.source} ({row.label})", []).append(number)
    made, lay = _bars(held, parts), _bars(held, sources)
    drawings = [_accuracies(made, "generator")]
    if len(lay) > len(made):
        drawings.append(_accuracies(lay, "source"))
    left = max(0, len(made) - MOST)
    return Block(
        name="by_origin", title=title, drawings=drawings,
        sentences=[f"The {MOST} lowest of {len(made)} are drawn."] if left else [],
        figures={"generators": _plain(made), "sources": _plain(lay)},
    )  # fmt: skip


def _bars(held: Held, parts: Mapping[str, Sequence[int]]) -> list[tuple[str, Counted]]:
    counted = []
    for name, numbers in parts.items():
        chosen = np.zeros(len(held.rows), dtype=bool)
        chosen[list(numbers)] = True
        counted.append((name, held.found.right.but(chosen)))
    return sorted(counted, key=lambda part: (part[1].share, part[0]))


def _accuracies(parts: Sequence[tuple[str, Counted]], what: str) -> Any:
    bars = [
        Bar(name=name, value=100 * count.share, low=100 * count.interval[0], high=100 * count.interval[1],
            words=f"{count.hits}/{count.total} = {100 * count.share:.0f} %")
        for name, count in parts[:MOST]
    ]  # fmt: skip
    return rows(bars, x=f"right about so many % of each {what}, with 95 % intervals", ends=(0, 100), middle=50,
                label=f"Accuracy by {what}", names=150)  # fmt: skip


def _plain(parts: Sequence[tuple[str, Counted]]) -> list[dict[str, object]]:
    return [{"name": name, **count.as_json()} for name, count in parts]
