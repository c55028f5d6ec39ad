"""Rank what a run got most wrong and count its mistakes by class: predictions in, rows and counts out."""

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from audit.words import DRAWN, DRAWN_NOTE, other_label
from imageledger.counted import Counted
from imageledger.errors import LedgerError, RunError
from imageledger.intervals import fisher
from imageledger.record import Record
from imageledger.types import Key
from train.runs import SPLIT, Prediction, Run

CHANCE = 0.05
SMALL = 200
"""Below this many pictures the sentences say in so many words how little the counts can show."""


SHOWN = 100
"""At most so many pictures stand on the sheet and the page; the CSV file always has every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which predictions to rank; an empty string takes everything, a split of "all" every split."""

    actual: str = ""
    predicted: str = ""
    split: str = "valid"

    def takes(self, prediction: Prediction) -> bool:
        """Tell whether a prediction has the classes asked for (its split is judged apart)."""
        return self.actual in ("", prediction.label) and self.predicted in ("", prediction.predicted)

    def takes_split_of(self, prediction: Prediction) -> bool:
        """Tell whether a prediction lies in the split asked for."""
        return self.split in ("all", prediction.split)

    @property
    def one_cell(self) -> bool:
        """Whether both classes are fixed, so that every picture has the same two."""
        return bool(self.actual and self.predicted)

    def in_words(self, matched: int) -> str:
        """Name the pictures asked for, such as "3 real portraits called ai"."""
        noun = "portrait" if matched == 1 else "portraits"
        actual = f"{self.actual} " if self.actual else ""
        called = f" called {self.predicted}" if self.predicted else ""
        return f"{matched or 'no'} {actual}{noun}{called}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Which pictures of each class were called the other; the last label is the positive one."""

    labels: tuple[str, str]
    mistakes: Mapping[str, Counted]

    def total(self, actual: str) -> int:
        """Count the pictures of one class."""
        return self.mistakes[actual].total

    def wrong(self, actual: str) -> int:
        """Count the pictures of one class that were called the other."""
        return self.mistakes[actual].hits

    @property
    def everything(self) -> int:
        """Count all pictures."""
        return sum(self.total(label) for label in self.labels)

    def p_value(self) -> float | None:
        """Return Fisher's exact p of wrong/right by class (two-sided, over groups), None when a class is empty."""
        first, last = self.labels
        if not self.total(first) or not self.total(last):
            return None
        return self.mistakes[first].against(self.mistakes[last])

    def rows(self) -> list[dict[str, str | int | float]]:
        """Return one row per class: pictures, wrong, their share and its 95 % Wilson interval over groups."""
        rows: list[dict[str, str | int | float]] = []
        for actual in self.labels:
            wrong = self.mistakes[actual]
            low, high = wrong.interval
            rows.append({"actual": actual, "called": other_label(self.labels, actual), "wrong": wrong.hits,
                         "pictures": wrong.total, "share": wrong.share, "low": low, "high": high})  # fmt: skip
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The worst predictions, highest loss first, how many matched in all, and the counts they come from."""

    worst: tuple[Prediction, ...]
    matched: int
    confusion: Confusion
    drawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedRun:
    """A run with its worst predictions, their records by key, and what a person should be warned of."""

    run: Run
    wanted: Wanted
    ranking: Ranking
    records: Mapping[Key, Record]
    warnings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The pictures in words, such as "34 real portraits called ai"."""
        return self.wanted.in_words(self.ranking.matched)

    @property
    def cut(self) -> str:
        """The title with how many are listed, such as "the 20 worst of 34 real portraits called ai"."""
        listed = len(self.ranking.worst)
        return f"the {listed} worst of {self.title}" if listed < self.ranking.matched else self.title

    @property
    def sentences(self) -> list[str]:
        """The counts in words, and first of all that drawn pictures mean nothing."""
        counts = verdict(self.ranking.confusion, self.wanted.split, self.run.kind)
        return [DRAWN_NOTE, *counts] if self.ranking.drawn else counts


def wanted(
    labels: tuple[str, str], actual: str | None, predicted: str | None, split: str, *, everything: bool = False
) -> Wanted:
    """Fill in what was left open: by default the negative class called the positive one; a single label, its mistakes.

    Raises LedgerError for a label that the run does not have, and for a run without exactly two.
    """
    if len(labels) != 2:
        raise RunError(f"the run has the labels {', '.join(labels)}, not two", "audits compare two classes")
    for label in (actual, predicted):
        if label and label not in labels:
            raise LedgerError(f"the run has no label {label!r}", f"its labels: {', '.join(labels)}")
    if everything:
        return Wanted(split=split)
    actual = actual or (other_label(labels, predicted) if predicted else labels[0])
    return Wanted(actual=actual, predicted=predicted or other_label(labels, actual), split=split)


def refuse_split(run: Run, split: str) -> None:
    """Raise LedgerError when a run has judged no picture of the split asked for, because it held all of them out."""
    if run.kind != SPLIT and split == "train":
        raise LedgerError(
            f"run {run.name} has no train split: every picture was judged by a model that had not seen it",
            "use the command without --split",
        )


def rank(
    predictions: Iterable[Prediction], labels: tuple[str, str], wanted: Wanted, most: int | None = None,
    groups: Mapping[Key, str] = {},
) -> Ranking:  # fmt: skip
    """Rank the wanted predictions by loss and count the whole split, in one pass.

    Ties are broken by key, so equal input gives an equal order; a loss that is not a number counts as the
    worst. At most `most` rows are ranked. `groups` names the group of each picture; one that has none stands alone.
    Raises RunError for a label the run does not have.
    """
    wrong: dict[str, list[bool]] = {label: [] for label in labels}
    together: dict[str, list[str]] = {label: [] for label in labels}
    seen: Counter[str] = Counter()

    def matching() -> Iterator[Prediction]:
        for prediction in predictions:
            _refuse_unsound(prediction, labels)
            if not wanted.takes_split_of(prediction):
                continue
            wrong[prediction.label].append(prediction.label != prediction.predicted)
            together[prediction.label].append(groups.get(prediction.key, "#".join(prediction.key)))
            seen["drawn"] += prediction.source.startswith(DRAWN)
            if wanted.takes(prediction):
                seen["matched"] += 1
                yield prediction

    worst = sorted(matching(), key=_order) if most is None else heapq.nsmallest(most, matching(), key=_order)
    mistakes = {label: Counted(np.array(wrong[label], dtype=bool), together[label]) for label in labels}
    confusion = Confusion(labels=labels, mistakes=mistakes)
    return Ranking(worst=tuple(worst), matched=seen["matched"], confusion=confusion, drawn=bool(seen["drawn"]))


def verdict(confusion: Confusion, split: str, kind: str = SPLIT) -> list[str]:
    """Say in plain sentences how often each class was mistaken and whether the difference is more than chance.

    `kind` is that of the run: where no picture was judged by a model that had seen it, that is said too.
    """
    first, last = confusion.labels
    sentences = [
        f"Of the {actual} portraits, {confusion.mistakes[actual]} were called {other_label(confusion.labels, actual)}."
        for actual in (first, last)
    ]
    sentences.append(_compared(confusion))
    if kind != SPLIT:
        n = confusion.everything
        sentences.append(f"Out of fold: each of the {n} pictures was judged by a model that had not seen it.")
    elif split != "valid":
        sentences.append("The model has learned the train split: its mistakes there say little about new pictures.")
    return sentences


def _compared(confusion: Confusion) -> str:
    first, last = confusion.labels
    p = confusion.p_value()
    if p is None:
        return "One class has no pictures here, so there is nothing to compare."
    test = f"Fisher's exact test, p = {_p_in_words(p)}"
    n = confusion.everything
    if p < CHANCE:
        worse = max((first, last), key=lambda label: confusion.wrong(label) / confusion.total(label))
        more = (
            f"The difference is more than chance alone would make ({test}): {worse} portraits are mistaken more often."
        )
        return more + (f" With {n} pictures its size is still uncertain." if n < SMALL else "")
    same = f"Chance alone could make such a difference ({test})."
    if n >= SMALL:
        return same
    least = _least_that_tells(confusion.total(first), confusion.total(last))
    needed = f" (at least {least} mistakes against none)" if least else ""
    return f"{same} With {n} pictures only a large difference could show{needed}, so this does not prove the two equal."


def _least_that_tells(first: int, last: int) -> int | None:
    """Find how many of the first class must be wrong, with none of the other, for p to fall below 0.05."""
    return next((n for n in range(1, first + 1) if fisher(n, first - n, 0, last) < CHANCE), None)


def _p_in_words(p: float) -> str:
    return f"{p:.2f}" if p >= 0.1 else f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"


def _order(prediction: Prediction) -> tuple[float, tuple[str, str]]:
    loss = math.inf if math.isnan(prediction.loss) else prediction.loss
    return -loss, prediction.key


def _refuse_unsound(prediction: Prediction, labels: tuple[str, str]) -> None:
    for label in (prediction.label, prediction.predicted):
        if label not in labels:
            raise RunError(
                f"predictions.jsonl names the class {label!r}, but the run's labels are {', '.join(labels)}",
                "train the run again",
            )
    if not all(type(value) in (int, float) for value in (prediction.probability, prediction.loss)):
        raise RunError(f"a prediction for {prediction.member!r} has no number for its loss", "train the run again")
