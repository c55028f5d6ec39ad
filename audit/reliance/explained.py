"""How much of a model's answers do numbers of the file explain, within a class? A cross-fitted R², and its p-value.

Whatever the classes differ in is left out: answers are ranked within each class, so that a model that is right says
nothing by it. The numbers of a family then predict these ranks for pictures that the prediction had not seen; how well
is the R². The p-value comes from answers that are exchanged among pictures of the same class, which is the conditional
permutation test where what is conditioned on is the label (Berrett, Wang, Barber and Samworth 2020; as the partial
test of Spisak 2022). An R² does not say who is to blame: a face may show what the numbers also see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from curate.evidence.permuted import Folds, Quick, Smoother, blocks_of, folds_of
from curate.evidence.probe import logit
from imageledger.counted import Groups
from imageledger.intervals import holm
from imageledger.types import Bools, Floats

WEAK = 0.09
"""Numbers that explain a smaller share of the answers than this explain little: a correlation of 0.3."""

PERMUTATIONS, RESAMPLES = 1000, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What the numbers of a family say of the answers within a class.

    `share` is the cross-fitted R² (below 0 where the prediction is worse than none) with its 95 % interval, `p` its
    corrected p-value. `feature` is the number that goes with the answers most closely, `rho` its rank correlation
    within the classes (-1..1); it is the largest of many, which `p` takes into account.
    """

    family: str
    share: float
    low: float
    high: float
    p: float
    feature: str
    rho: float


def explained(
    answers: Floats, positive: Bools, tables: Mapping[str, Floats], columns: Mapping[str, Sequence[str]],
    groups: Groups, *, seed: int = 42, permutations: int = PERMUTATIONS,
) -> list[Explained]:  # fmt: skip
    """Ask each family of numbers (n x k) about answers, P(positive) of n pictures.

    Families that never vary are left out. p-values are corrected over the families after Holm (1979).
    """
    from threadpoolctl import threadpool_limits

    names = [str(group) for group in groups]
    target = within_class(logit(answers), positive)
    folds = folds_of(positive, names, seed)
    with threadpool_limits(1):
        quicks = {name: Quick(values) for name, values in tables.items() if np.isfinite(values).any()}
        asked = [
            _explained(name, quick, columns[name], target, positive, names, folds, seed, permutations)
            for name, quick in quicks.items() if quick.matrix.shape[1]
        ]  # fmt: skip
    corrected = holm([one.p for one in asked])
    return [replace(one, p=p) for one, p in zip(asked, corrected, strict=True)]


def within_class(values: Floats, positive: Bools) -> Floats:
    """Return normal scores of the ranks that values have within their class; 0 where they do not vary."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    scores = np.zeros(len(values))
    for side in (~positive, positive):
        if side.any() and np.ptp(values[side]) > 0:
            scores[side] = ndtri((rankdata(values[side]) - 0.5) / side.sum())
    return scores


def _explained(
    family: str, quick: Quick, columns: Sequence[str], target: Floats, positive: Bools, groups: Sequence[str],
    folds: Folds, seed: int, permutations: int,
) -> Explained:  # fmt: skip
    smoothers = quick.smoothers(folds)
    ranks = np.stack([within_class(column, positive) for column in quick.matrix.T], axis=1)
    ranks /= np.linalg.norm(ranks, axis=0) + 1e-12
    seen = _statistics(target[:, None], smoothers, ranks)
    null = _statistics(target[exchanged(positive, groups, seed, permutations)], smoothers, ranks)
    middle, spread = null.mean(axis=1, keepdims=True), null.std(axis=1, keepdims=True) + 1e-12
    limit = ((seen - middle) / spread).max() - 1e-9
    reached = int((((null - middle) / spread).max(axis=0) >= limit).sum())
    errors = _errors(target, smoothers, folds)
    share, low, high = _share(errors, target, groups, seed)
    links = ranks.T @ target / (np.linalg.norm(target) + 1e-12)
    best = int(np.argmax(np.abs(links)))
    return Explained(
        family=family, share=share, low=low, high=high, p=(1 + reached) / (1 + null.shape[1]),
        feature=columns[int(quick.origins[best])], rho=float(links[best]),
    )  # fmt: skip


def exchanged(
    positive: Bools, groups: Sequence[str], seed: int, permutations: int
) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    """Return rows (n x permutations) in which groups of a class change places with others of the same size."""
    rng = np.random.default_rng(seed)
    order = np.tile(np.arange(len(positive))[:, None], (1, permutations))
    named = [f"{label}#{group}" for label, group in zip(positive.tolist(), groups, strict=True)]
    for side in (~positive, positive):
        for block in blocks_of(named, np.flatnonzero(side)):
            place = rng.permuted(np.tile(np.arange(len(block)), (permutations, 1)), axis=1)
            order[block.ravel()] = block[place].reshape(permutations, -1).T
    return order


def _statistics(targets: Floats, smoothers: Sequence[Smoother], ranks: Floats) -> Floats:
    """Return the R² of each prediction, and the largest rank correlation of a single number (rows x targets)."""
    total = (targets**2).sum(axis=0) + 1e-12
    shares = [1 - ((targets - smooth(targets.astype(np.float32))) ** 2).sum(axis=0) / total for smooth in smoothers]
    return np.stack([*shares, np.abs(ranks.T @ targets / np.sqrt(total)).max(axis=0)])


def _errors(target: Floats, smoothers: Sequence[Smoother], folds: Folds) -> Floats:
    """Return the squared errors of the prediction that errs least on the *other* folds: none is chosen by its own."""
    errors = np.stack([(target - smooth(target[:, None].astype(np.float32))[:, 0]) ** 2 for smooth in smoothers])
    chosen = np.empty(len(target))
    for held in folds:
        rest = np.setdiff1d(np.arange(len(target)), held)
        chosen[held] = errors[int(np.argmin(errors[:, rest].sum(axis=1))), held]
    return chosen


def _share(errors: Floats, target: Floats, groups: Sequence[str], seed: int) -> tuple[float, float, float]:
    """Return an R² with its 95 % interval; whole groups are drawn again, with replacement."""
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    wrong, total = (np.bincount(group, weights=values) for values in (errors, target**2))
    if not total.sum():
        return 0.0, 0.0, 0.0
    drawn = np.random.default_rng(seed).integers(len(total), size=(RESAMPLES, len(total)))
    again = 1 - wrong[drawn].sum(axis=1) / np.maximum(total[drawn].sum(axis=1), 1e-12)
    low, high = (float(end) for end in np.quantile(again, (0.025, 0.975)))
    return float(1 - wrong.sum() / total.sum()), low, high
