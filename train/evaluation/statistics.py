"""Intervals for what a classifier is worth: shares, AUC and mean errors of pictures that come in groups.

Arrays are `rounds x n`: one row per repeat of the cross-validation (a single split has one), one column per picture.
`groups` are n whole numbers from 0 on; pictures of one group count as one draw.

How the intervals were chosen. In 2,000 drawn test sets of 40, 100 and 200 pictures, alone or in groups of up to
three alike, the percentile interval of the cluster bootstrap covered the true AUC in 94 % of them where it is 0.76,
but in 85-91 % where it is 0.96, and in 35 % where it is 0.998: once all is right, no resampling finds an error.
Wilson's interval for shares and Newcombe's for the AUC, both with the effective number of pictures in groups, covered
93-97 % (shares) and 92-98 % (AUC; a little wide near 1). For the Brier score the bootstrap covered 81-96 %, the t
interval of its logarithm 89-96 %. The bootstrap serves for differences of two models.

Cross-validation. Folds share most of their training pictures, and a picture that is judged once trains the models
that judge the others: the variance over pictures alone covered 84-95 %. The corrected variance of Nadeau and Bengio
(2003, Inference for the generalization error), S2 * (1/J + n_test/n_train) with S2 from the J shares of the folds,
covered 95-99 % at twice the width for five folds, since five numbers say little of S2 and their test sets are
disjoint. Used is its form with S2 taken over pictures: the variance of the mean over repeats, plus n_test/n_train
(`correction` minus 1) times the variance of one repeat. Of 1,000 data sets it covered the mean accuracy of the
models that were trained in 94-97 % for nineteen of twenty linear models (n 80-200, one to five repeats, groups), and
in 91-94 % where models nearly interpolate their training pictures, or groups of four are nearly copies and decide
the training: there the figures look a little surer than they are. See tests/test_statistics.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, log, log1p

import numpy as np
from scipy.special import ndtri

from imageledger.counted import design_effect, few, variance
from imageledger.intervals import hanley_mcneil, newcombe, wilson
from imageledger.types import Bools, Floats, Ints

LEVEL = 0.95
NORMAL = float(ndtri(0.5 + LEVEL / 2))
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with both ends of its 95 % interval."""

    value: float
    low: float
    high: float


def correction(held_out: float, trained_on: float) -> float:
    """Return by what the variance of one round is multiplied when folds share training pictures (see above)."""
    return 1 + held_out / trained_on


def share(right: Floats, groups: Ints, stretch: float = 1.0) -> Estimate:
    """Estimate a share from 0 and 1 a picture (rounds x n), with Wilson's interval on the effective number of them.

    The effective number is n over the design effect of the groups (Rao and Scott 1992), which is at least 1 and,
    where all pictures agree and none can be seen, that of groups of which all pictures agree; it is reduced for
    few groups as by Korn and Graubard (1998), and by `stretch` (see `correction`).
    """
    value, n = float(right.mean()), right.shape[1]
    plain = float(np.mean(right.mean(axis=1) * (1 - right.mean(axis=1)))) / n
    effect = _effect((right - right.mean(axis=1, keepdims=True)) / n, plain, groups, stretch)
    return Estimate(value, *wilson(value * n / effect, n / effect, LEVEL))


def balanced(first: Estimate, other: Estimate) -> Estimate:
    """Average the recalls of two classes; the interval squares and adds their reaches (Newcombe 1998)."""
    value = (first.value + other.value) / 2
    below = np.hypot(first.value - first.low, other.value - other.low) / 2
    above = np.hypot(first.high - first.value, other.high - other.value) / 2
    return Estimate(value, float(value - below), float(value + above))


def auc(scores: Floats, positive: Bools, groups: Ints, folds: Ints, stretch: float = 1.0) -> Estimate:
    """Estimate the area under the ROC curve (scores and folds: rounds x n) from pairs within a fold.

    Only pictures that the same model has judged are compared: scores of different folds need not share a scale. The
    interval is Newcombe's (2006, method 5): it solves |AUC - t| = z sd(t) with the variance of Hanley and McNeil
    (1982), here multiplied by how much larger DeLong's variance over groups is. Folds that hold one class only are
    left out; raises ValueError when all do.
    """
    placements = [placed(row, positive, fold) for row, fold in zip(scores, folds, strict=True)]
    value = float(np.mean([area for area, _ in placements]))
    ones, zeros = int(positive.sum()), int((~positive).sum())
    influences = np.array([influence for _, influence in placements])
    effect = _effect(influences, hanley_mcneil(value, ones, zeros), groups, stretch)
    return Estimate(value, *newcombe(value, ones, zeros, effect))


def placed(scores: Floats, positive: Bools, folds: Ints) -> tuple[float, Floats]:
    """Return the AUC within folds (weighted by their pairs) and the influence of each picture on it (n)."""
    from scipy.stats import rankdata

    gained, weight = np.zeros(len(scores)), np.zeros(len(scores))
    for fold in np.unique(folds):
        ones, zeros = np.flatnonzero((folds == fold) & positive), np.flatnonzero((folds == fold) & ~positive)
        together = rankdata(scores[np.concatenate([ones, zeros])])
        if not len(ones) or not len(zeros):
            continue
        above = (together[: len(ones)] - rankdata(scores[ones])) / len(zeros)
        below = 1 - (together[len(ones) :] - rankdata(scores[zeros])) / len(ones)
        weight[ones], weight[zeros] = len(zeros), len(ones)
        gained[ones], gained[zeros] = above * len(zeros), below * len(ones)
    if not weight.any():
        raise ValueError("an AUC needs both classes in one fold")
    pairs = weight[positive].sum()
    area = float(gained[positive].sum() / pairs)
    return area, (gained - area * weight) / pairs


def mean_error(errors: Floats, groups: Ints, stretch: float = 1.0) -> Estimate:
    """Estimate the mean of errors that are never negative (rounds x n), with a t interval of its logarithm."""
    value, n = float(errors.mean()), errors.shape[1]
    if value == 0:
        return Estimate(0.0, 0.0, 1 - share(np.ones_like(errors), groups, stretch).low)
    single, mean = _variances((errors - errors.mean(axis=1, keepdims=True)) / n, groups)
    reach = NORMAL * np.sqrt((mean + (stretch - 1) * single) * few(groups)) / value
    return Estimate(value, float(value * np.exp(-reach)), float(value * np.exp(reach)))


def drawn_again(groups: Ints, seed: int, times: int = RESAMPLES) -> Iterator[Floats]:
    """Yield how often each picture (n) is drawn when whole groups are drawn with replacement, `times` over."""
    for drawn in _draws(int(groups.max()) + 1, seed, times):
        yield from drawn[:, groups].astype(np.float64)


def difference(contributions: Floats, groups: Ints, stretch: float = 1.0, *, seed: int = 42) -> tuple[Estimate, float]:
    """Estimate a paired difference, the mean of what each picture contributes (rounds x n), and its standard error.

    Percentile interval of the bootstrap over groups, to which one picture for either side is added, as Bonett and
    Price (2012) add them to a Wald interval: where two models agree on all pictures, a plain bootstrap is sure of it.
    It covered 93-99.5 % (95.6 % on average at n = 200), the plain one 74-96 %.
    """
    number, value, together = int(groups.max()) + 1, float(contributions.mean()), contributions.mean(axis=0)
    single, mean = _variances(contributions - contributions.mean(axis=1, keepdims=True), groups)
    shared = (stretch - 1) * (single / mean if mean > 0 else 1.0)  # what folds share goes by the variance of one round
    sums = np.concatenate([np.bincount(groups, weights=together), [1.0, -1.0]])
    sizes = np.concatenate([np.bincount(groups), [1, 1]])
    drawn = np.concatenate([(rows @ sums) / (rows @ sizes) for rows in _draws(number + 2, seed, RESAMPLES)])
    centre, wider = float(sums.sum() / sizes.sum()), np.sqrt((1 + shared) * few(groups))
    low, high = centre + (np.quantile(drawn, (0.025, 0.975)) - centre) * wider
    return Estimate(value, float(min(low, value)), float(max(high, value))), float(drawn.std() * wider)


def sign_flip(contributions: Ints, groups: Ints) -> float:
    """Return the exact two-sided p that two models are right equally often, given who was right where (n of -1, 0, 1).

    All flips of the signs of whole groups are counted. Where every picture is a group of its own, this is McNemar's
    exact test (1947).
    """
    sums = np.abs(np.bincount(groups, weights=contributions)).astype(np.intp)
    ways = np.ones(1)
    for step in sums[sums > 0]:
        wider = np.zeros(len(ways) + 2 * step)
        wider[: len(ways)] += ways / 2
        wider[2 * step :] += ways / 2
        ways = wider
    totals = np.arange(len(ways)) - len(ways) // 2
    seen = abs(int(np.bincount(groups, weights=contributions).sum()))
    return float(min(1.0, ways[np.abs(totals) >= seen].sum()))


def needed_negatives(rate: float) -> int:
    """Return how many negatives without one false alarm show, at 95 %, that the true rate is below `rate`.

    None of n bounds the rate below 1 - 0.05^(1/n): 0.1, 0.05 and 0.01 need 29, 59 and 299.
    """
    return ceil(log(1 - LEVEL) / log1p(-rate))


def allowed_alarms(negatives: int, rate: float) -> int:
    """Return with how many false alarms of n the true rate is still below `rate` at 95 %; -1 when with none.

    A threshold at the score of the next negative then has a true false positive rate below `rate` in 95 % of
    samples, whatever the distribution (Wilks 1941; the bound of Clopper and Pearson 1934).
    """
    from scipy.stats import binom

    return int(np.searchsorted(binom.cdf(np.arange(negatives + 1), negatives, rate), 1 - LEVEL, side="right")) - 1


def _draws(number: int, seed: int, times: int) -> Iterator[Ints]:
    """Yield blocks (rows x number) of how often each of so many is drawn with replacement, `times` rows in all."""
    rng = np.random.default_rng(seed)
    block = max(1, min(times, 2_000_000 // number))
    for start in range(0, times, block):
        rows = min(block, times - start)
        places = rng.integers(number, size=(rows, number)) + number * np.arange(rows)[:, None]
        yield np.bincount(places.ravel(), minlength=rows * number).reshape(rows, number)


def _variances(influences: Floats, groups: Ints) -> tuple[float, float]:
    """Return the mean variance of one round (rounds x n), and the variance of the mean of the rounds."""
    single = np.mean([variance(row, groups) for row in influences])
    return float(single), variance(influences.mean(axis=0), groups)


def _effect(influences: Floats, plain: float, groups: Ints, stretch: float) -> float:
    """Return by how much the variance of a mean over rounds exceeds that of one round of single pictures."""
    single, mean = _variances(influences, groups)
    return design_effect(single, plain, groups) * ((mean / single if single > 0 else 1.0) + stretch - 1) * few(groups)
