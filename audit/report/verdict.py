"""The first lines of a report: how often the model is right, what that is worth, and what fails most. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audit.top_losses.judge import CHANCE, Confusion
from audit.words import other_label
from imageledger.counted import Counted
from imageledger.intervals import p_stated, with_interval
from imageledger.record import Record, groups_of
from imageledger.types import Key
from train.evaluation.verdict import BY_HEART, accuracy, beats_file, verdict
from train.pictures import VALID
from train.runs import SPLIT, Prediction, Run

COIN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a run answered about pictures that its model had not seen: who was right, per class and over groups."""

    run: Run
    confusion: Confusion
    right: Counted

    @property
    def accuracy(self) -> tuple[float, float, float]:
        """The accuracy and the ends of its 95 % interval; with folds, the interval covers the training sets too."""
        return accuracy(self.run) or (self.right.share, *self.right.interval)


def judged(run: Run, predictions: Sequence[Prediction], records: Mapping[Key, Record]) -> Judged | None:
    """Count the answers about pictures that the model had not seen; None where it had seen all of them."""
    rows = [row for row in predictions if row.split == VALID or run.kind != SPLIT]
    if not rows:
        return None
    known = [records[row.key] for row in rows if row.key in records]
    names = dict(zip([record.key for record in known], groups_of(known), strict=True))
    groups = [names.get(row.key, "#".join(row.key)) for row in rows]
    wrong = np.array([row.label != row.predicted for row in rows], dtype=bool)
    right = Counted(~wrong, groups)
    mistakes = {
        label: Counted(wrong, groups).but(np.array([row.label == label for row in rows])) for label in run.labels
    }
    return Judged(run=run, confusion=Confusion(labels=run.labels, mistakes=mistakes), right=right)


def how_often(found: Judged) -> str:
    """Say how often the model is right about pictures that it had not seen."""
    return (
        f"The model was right about {with_interval(*found.accuracy, percent=True)} of {found.right.total} portraits "
        "that it had not seen; the brackets hold the true share in 19 of 20 such experiments."
    )


def beyond_coin_and_file(found: Judged) -> str:
    """Say whether the model is shown to be better than a coin, and better than the file without the face."""
    _, low, high = found.accuracy
    coin = (
        "It is better than a coin" if low > COIN else "It is worse than a coin" if high < COIN
        else "It is not shown to be better than a coin"
    )  # fmt: skip
    file_alone = found.run.file_alone
    if not file_alone:
        return f"{coin}; what the file alone would reach has not been measured."
    alone = file_alone["valid" if found.run.kind == SPLIT else "all"]
    share = with_interval(alone["hits"] / max(alone["n"], 1), alone["low"], alone["high"], percent=True)
    without = f"a probe of the file alone, without the face, is right about {share}{_apart(file_alone)}"
    if low <= COIN:
        return f"{coin}; {without}."
    shown = beats_file(found.run)
    return f"{coin}, {'and' if shown else 'but not shown to be'} better than the file: {without}."


def _apart(file_alone: Mapping[str, Any]) -> str:
    beside = file_alone.get("beside")
    if not beside:
        return ""
    apart = with_interval(100 * beside["difference"], 100 * beside["low"], 100 * beside["high"], digits=0, signed=True)
    return f" (model minus file, picture by picture: {apart} points, p {p_stated(beside['p'])})"


def by_heart(found: Judged) -> list[str]:
    """Say that the training pictures were learned by heart, where intervals show it."""
    return [said.sentence for said in verdict(found.run) if said.code == BY_HEART]


def fails_most(found: Judged) -> str:
    """Say which class is mistaken more often, and whether that is more than chance."""
    confusion = found.confusion
    p = confusion.p_value()
    if p is None:
        return "All pictures are of one class, so nothing can be said about which class fails more often."
    shares = {label: confusion.mistakes[label].share for label in confusion.labels}
    worse = max(confusion.labels, key=lambda label: shares[label])
    better = other_label(confusion.labels, worse)
    if not confusion.wrong(worse):
        return "It mistook no portrait of either class."
    both = (
        f"{confusion.wrong(worse)} of {confusion.total(worse)} {worse} portraits were called {better}, and "
        f"{confusion.wrong(better)} of {confusion.total(better)} {better} portraits {worse}"
    )
    if p < CHANCE:
        more = f"that is more than chance alone would make (p {p_stated(p)})"
        return f"It fails most on {worse} portraits: {both}; {more}."
    return f"It fails on both classes: {both}; chance alone can make such a difference (p {p_stated(p)})."
