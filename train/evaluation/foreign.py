"""Does a model tell pictures of one label apart by where they come from? Its answers in, an AUC and two shares out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imageledger.counted import Counted
from imageledger.intervals import with_interval
from imageledger.types import Bools, Floats, Ints
from train.evaluation import statistics
from train.evaluation.statistics import Estimate

APART, ALIKE, UNDECIDED = "TOLD APART", "ALIKE", "UNDECIDED"
NEAR = 0.1
"""ALIKE is an equivalence test: the whole interval lies within so much of 0.5."""
FEWEST = 10
"""Pictures of either kind below which nothing is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What each model of a run answered: one row per picture and model.

    `shares` are P(positive), `foreign` marks pictures from elsewhere, `groups` and `models` number pictures that belong
    together and the models. The set's own pictures are answered only by models that had not seen them.
    """

    shares: Floats
    foreign: Bools
    groups: Ints
    models: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came out: the AUC between foreign and own pictures, and how many of either get the wrong label.

    An `auc` above 0.5 means that foreign pictures look more like the positive label than the set's own do.
    """

    auc: Estimate
    own_wrong: Counted
    foreign_wrong: Counted
    p: float

    @property
    def verdict(self) -> str:
        """TOLD APART where the interval excludes 0.5, ALIKE where it lies near it, UNDECIDED otherwise."""
        if self.auc.low > 0.5 or self.auc.high < 0.5:
            return APART
        return ALIKE if self.auc.low > 0.5 - NEAR and self.auc.high < 0.5 + NEAR else UNDECIDED


def judge(asked: Asked, *, positive: bool) -> Judged:
    """Compare foreign with own pictures of one label, within each model; `positive` says which label they have.

    Scores of different models are never compared. A picture that several models answered counts once.
    """
    auc = statistics.auc(
        asked.shares[None], asked.foreign, np.unique(asked.groups, return_inverse=True)[1], asked.models[None]
    )
    wrong = Counted((asked.shares > 0.5) != positive, asked.groups)
    own, elsewhere = wrong.but(~asked.foreign), wrong.but(asked.foreign)
    return Judged(auc=auc, own_wrong=own, foreign_wrong=elsewhere, p=elsewhere.against(own))


def together(parts: Sequence[Asked]) -> Asked:
    """Put the answers of several models together."""
    return Asked(
        shares=np.concatenate([part.shares for part in parts]),
        foreign=np.concatenate([part.foreign for part in parts]),
        groups=np.concatenate([part.groups for part in parts]),
        models=np.concatenate([part.models for part in parts]),
    )


def in_words(judged: Judged, label: str, labels: tuple[str, str], whose: str) -> str:
    """Say in one sentence whether a model tells pictures of a label, `whose` ("from elsewhere"), from the set's own."""
    auc = f"AUC {with_interval(judged.auc.value, judged.auc.low, judged.auc.high)}"
    if judged.verdict == ALIKE:
        near = f"{0.5 - NEAR:.2f}–{0.5 + NEAR:.2f}"
        return f"The model hardly tells {label} pictures {whose} from the set's own: {auc}, within {near}."
    if judged.verdict != APART:
        return f"It is undecided whether the model tells {label} pictures {whose} from the set's own: {auc}."
    towards = labels[1] if judged.auc.value > 0.5 else labels[0]
    return (
        f"The model tells {label} pictures {whose} from the set's own: {auc}. To it they look more {towards}: "
        "its answers depend on where pictures come from, not only on whether a face is real."
    )
