"""Rank what a run got most wrong and count its mistakes by class: predictions in, rows and counts out."""

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from audit.words import DRAWN, other_label
from imageledger.errors import LedgerError, RunError
from imageledger.intervals import fisher, share_in_words, wilson
from train.runs import SPLIT, Prediction, Run

CHANCE = 0.05
SMALL = 200
"""Below this many pictures the sentences say in so many words how little the counts can show."""


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

    def in_words(self, matched: int) -> str:
        """Name the pictures asked for, such as "3 real portraits called ai"."""
        noun = "portrait" if matched == 1 else "portraits"
        actual = f"{self.actual} " if self.actual else ""
        called = f" called {self.predicted}" if self.predicted else ""
        return f"{matched or 'no'} {actual}{noun}{called}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How many pictures of each class were called what; the last label is the positive one."""

    labels: tuple[str, str]
    counts: Mapping[tuple[str, str], int]

    def total(self, actual: str) -> int:
        """Count the pictures of one class."""
        return sum(self.counts.get((actual, predicted), 0) for predicted in self.labels)

    def wrong(self, actual: str) -> int:
        """Count the pictures of one class that were called the other."""
        return self.total(actual) - self.counts.get((actual, actual), 0)

    @property
    def everything(self) -> int:
        """Count all pictures."""
        return sum(self.total(label) for label in self.labels)

    def p_value(self) -> float | None:
        """Return Fisher's exact p of wrong/right by class (two-sided), or None when a class has no picture."""
        first, last = self.labels
        if not self.total(first) or not self.total(last):
            return None
        wrong, other = self.wrong(first), self.wrong(last)
        return fisher(wrong, self.total(first) - wrong, other, self.total(last) - other)

    def rows(self) -> list[dict[str, str | int | float]]:
        """Return one row a class: pictures, wrong, their share and its 95 % Wilson interval."""
        rows: list[dict[str, str | int | float]] = []
        for actual in self.labels:
            wrong, total = self.wrong(actual), self.total(actual)
            low, high = wilson(wrong, total)
            share = wrong / total if total else 0.0
            rows.append({"actual": actual, "called": other_label(self.labels, actual), "wrong": wrong,
                         "pictures": total, "share": share, "low": low, "high": high})  # fmt: skip
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The worst predictions, highest loss first, how many matched in all, and the counts they come from."""

    worst: tuple[Prediction, ...]
    matched: int
    confusion: Confusion
    drawn: bool


def asked(
    labels: tuple[str, str], actual: str | None, predicted: str | None, split: str, *, everything: bool = False
) -> Wanted:
    """Fill in what was left open: by default the negative class called the positive one; one alone, its mistakes.

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
            f"run {run.name} judged every picture by a model that had not seen it, and none of the train split",
            "leave out --split",
        )


def rank(
    predictions: Iterable[Prediction], labels: tuple[str, str], wanted: Wanted, most: int | None = None
) -> Ranking:
    """Rank the wanted predictions by loss and count the whole split, in one pass.

    Ties are broken by key, so equal input gives an equal order; a loss that is not a number counts as the
    worst. At most `most` rows are held in memory. Raises RunError for a label the run does not have.
    """
    counts: Counter[tuple[str, str]] = Counter()
    seen: Counter[str] = Counter()

    def matching() -> Iterator[Prediction]:
        for prediction in predictions:
            _refuse_unsound(prediction, labels)
            if not wanted.takes_split_of(prediction):
                continue
            counts[prediction.label, prediction.predicted] += 1
            seen["drawn"] += prediction.source.startswith(DRAWN)
            if wanted.takes(prediction):
                seen["matched"] += 1
                yield prediction

    worst = sorted(matching(), key=_order) if most is None else heapq.nsmallest(most, matching(), key=_order)
    confusion = Confusion(labels=labels, counts=counts)
    return Ranking(worst=tuple(worst), matched=seen["matched"], confusion=confusion, drawn=bool(seen["drawn"]))


def verdict(confusion: Confusion, split: str, kind: str = SPLIT) -> list[str]:
    """Say in plain sentences how often each class was mistaken and whether the difference is more than chance.

    `kind` is that of the run: where no picture was judged by a model that had seen it, that is said too.
    """
    first, last = confusion.labels
    sentences = [
        f"Of the {actual} portraits, {share_in_words(confusion.wrong(actual), confusion.total(actual))} "
        f"were called {other_label(confusion.labels, actual)}."
        for actual in (first, last)
    ]
    sentences.append(_compared(confusion))
    if kind != SPLIT:
        sentences.append(f"Out of fold: each of the {confusion.everything} was judged by a model that had not seen it.")
    elif split != "valid":
        sentences.append("The model was trained on the train split: its mistakes there say little about new pictures.")
    return sentences


def _compared(confusion: Confusion) -> str:
    first, last = confusion.labels
    p = confusion.p_value()
    if p is None:
        return "A class has no picture here, so there is nothing to compare."
    test = f"Fisher's exact test, p = {_p_in_words(p)}"
    n = confusion.everything
    if p < CHANCE:
        worse = max((first, last), key=lambda label: confusion.wrong(label) / confusion.total(label))
        said = (
            f"The difference is more than chance alone would give ({test}): {worse} portraits are mistaken more often."
        )
        return said + (f" With {n} pictures its size is still uncertain." if n < SMALL else "")
    said = f"The difference is no more than chance would give ({test})."
    if n >= SMALL:
        return said
    least = _least_that_tells(confusion.total(first), confusion.total(last))
    needed = f": it would take {least} against none" if least else ""
    return f"{said} With {n} pictures only a large difference could show{needed}, so this does not prove the two equal."


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
