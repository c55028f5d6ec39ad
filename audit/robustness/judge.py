"""Does a model say the same of a picture once it was recompressed, shrunk or blurred? Answers in, counts out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit.robustness.changes import PERTURBATIONS, Perturbation
from imageledger.intervals import holm
from imageledger.types import Bools, Floats, Ints
from train.answers import Answers
from train.evaluation.statistics import Estimate, share, sign_flip

SURE = 0.05
"""A change is said to cost accuracy below this p, corrected over all changes (Holm)."""
UNCHANGED = "as it is"

AGREE = 0.01
"""An unchanged picture may get an answer so far from that of predictions.jsonl; further is worth a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one change does to the answers on the same pictures.

    `accuracy` and `flips` (another answer than before) come with 95 % intervals over groups; `towards` are the flips
    to the negative and to the positive label, `wrong` the mistakes in either class. `p` is McNemar's exact test
    over groups of the accuracy against that of the unchanged pictures, `drift` that of as many flips in either
    direction; both are corrected over all changes.
    """

    name: str
    quality: int
    scale: float
    n: int
    accuracy: Estimate
    flips: Estimate
    towards: tuple[int, int]
    wrong: tuple[int, int]
    p: float = 1.0
    drift: float = 1.0

    @property
    def right(self) -> int:
        """How many pictures the model is right on."""
        return self.n - sum(self.wrong)

    @property
    def flipped(self) -> int:
        """How many answers are another one than before."""
        return sum(self.towards)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRobustness:
    """What became of one run: the unchanged pictures, and every change, the worst first, by so many `models`."""

    answers: Answers
    clean: Cell
    cells: tuple[Cell, ...]
    models: int
    warnings: tuple[str, ...] = ()


def judge(shares: Floats, positive: Bools, groups: Ints) -> list[Cell]:
    """Count what became of n pictures: `shares` holds P(positive), n x (1 + changes), the unchanged pictures first."""
    called = shares > 0.5
    tried: Sequence[Perturbation | None] = (None, *PERTURBATIONS)
    cells = [_cell(change, called[:, number], called[:, 0], positive, groups) for number, change in enumerate(tried)]
    costs, drifts = (
        [1.0, *holm([changed(true[:, 0], true[:, number], groups) for number in range(1, len(tried))])]
        for true in (called == positive[:, None], called)
    )
    return [replace(cell, p=p, drift=drift) for cell, p, drift in zip(cells, costs, drifts, strict=True)]


def _cell(change: Perturbation | None, called: Bools, before: Bools, positive: Bools, groups: Ints) -> Cell:
    flipped, right = called != before, called == positive
    return Cell(
        name=change.name if change else UNCHANGED, quality=change.quality if change else 0,
        scale=change.scale if change else 0.0,
        n=len(positive), accuracy=_estimate(right, groups), flips=_estimate(flipped, groups),
        towards=(int((flipped & ~called).sum()), int((flipped & called).sum())),
        wrong=(int((~right & ~positive).sum()), int((~right & positive).sum())),
    )  # fmt: skip


def changed(before: Bools, after: Bools, groups: Ints) -> float:
    """Return the two-sided p that both are true equally often of the same pictures, whole groups counting once.

    McNemar's exact test (1947) where every picture is a group of its own.
    """
    return sign_flip(after.astype(np.intp) - before.astype(np.intp), groups)


def mean_share(logits: Sequence[Floats]) -> Floats:
    """Return P(positive), n x k, 0..1, from the mean logits of n pictures."""
    return 1 / (1 + np.exp(-np.stack(logits)))


def _estimate(flags: Bools, groups: Ints) -> Estimate:
    return share(flags[None, :].astype(np.float64), groups)
