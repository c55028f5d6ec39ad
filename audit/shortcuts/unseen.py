"""What the joint probe can say about sources that it has never seen: is it the class that it knows, or the source?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.evidence.measure import Table
from curate.evidence.permuted import Folds, auc, prepare
from curate.evidence.probe import crossvalidated, interval, side_by_side
from curate.nuisance import apart
from imageledger.types import Bools

MOST_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """The AUC of the joint probe on sources left out of its training, and how many sources each class has."""

    auc: float
    low: float
    high: float
    sources: tuple[int, int]


def unseen_sources(table: Table, positive: Bools, groups: Sequence[str], *, seed: int) -> Unseen | None:
    """Probe all families side by side, each time on sources left out of training; None unless a class has several.

    The interval is that of the pictures; it does not know how much further sources would differ.
    """
    sources = [record.source for record in table.records]
    counts = [len(held) for held in _held(sources, positive)]
    families = [name for name in table.values if name not in apart()]
    if max(counts) < 2 or not families:
        return None
    folds = folds_by_source(sources, positive, groups, seed)
    if len(folds) < 2:
        return None
    matrix, _ = prepare(side_by_side(table.columns, table.values, families)[1])
    if not matrix.shape[1]:
        return None
    by_model = crossvalidated(matrix, positive, folds, seed)
    scores = max(by_model.values(), key=lambda answers: _auc(answers, positive))
    low, high = interval(scores, positive, groups, seed)
    return Unseen(auc=_auc(scores, positive), low=low, high=high, sources=(counts[0], counts[1]))


def folds_by_source(sources: Sequence[str], positive: Bools, groups: Sequence[str], seed: int) -> Folds:
    """Divide rows so that no fold shares a source of a class with several; a class with one is divided by groups.

    Groups stay whole: each lies where its first row lies. Folds without both classes are joined into the next ones.
    """
    held = _held(sources, positive)
    number = min(MOST_FOLDS, *(len(names) for names in held if len(names) > 1))
    place: dict[str, int] = {}
    for kind in (0, 1):
        rows = [int(row) for row in np.flatnonzero(positive == kind)]
        names = {row: sources[row] if len(held[kind]) > 1 else groups[row] for row in rows}
        parts = _parts(Counter(names.values()), number, seed)
        for row in rows:
            place.setdefault(groups[row], parts[names[row]])
    fold = np.array([place[group] for group in groups])
    return _joined([np.flatnonzero(fold == part) for part in range(number)], positive)


def _held(sources: Sequence[str], positive: Bools) -> list[set[str]]:
    return [{name for name, side in zip(sources, positive, strict=True) if side == kind} for kind in (False, True)]


def _parts(sizes: Counter[str], number: int, seed: int) -> dict[str, int]:
    """Deal names into parts of about equal size, the largest first; names of one size in an order from the seed."""
    names = np.random.default_rng(seed).permutation(sorted(sizes))
    filled = [0] * number
    parts: dict[str, int] = {}
    for name in sorted((str(name) for name in names), key=lambda name: -sizes[name]):
        parts[name] = filled.index(min(filled))
        filled[parts[name]] += sizes[name]
    return parts


def _joined(folds: Sequence[NDArray[np.intp]], positive: Bools) -> Folds:
    """Join a fold that lacks a class with the next one: a probe must have both on either side."""
    whole: list[NDArray[np.intp]] = []
    waiting = np.zeros(0, dtype=np.intp)
    for fold in folds:
        waiting = np.union1d(waiting, fold)
        if positive[waiting].any() and not positive[waiting].all():
            whole.append(waiting)
            waiting = np.zeros(0, dtype=np.intp)
    if len(waiting) and whole:
        whole[-1] = np.union1d(whole[-1], waiting)
    return whole


def _auc(scores: NDArray[np.float64], positive: Bools) -> float:
    return float(auc(scores[:, None], positive[:, None])[0])
