"""What would have been found? Leaks planted in the numbers of one's own pictures, and how many of them show.

A leak of share s puts that share of one class beyond all other pictures in one number of the family, as old JPEGs in
a tenth of a collection do; which number, and at which end, is drawn anew each time. The numbers stay as measured, with
all that they share; only who is called what is planted, so that hundreds of leaks cost one matrix product. What counts
as found is what makes a SHORTCUT: a p-value below the limit, and an interval above AT_LEAST.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curate.evidence.permuted import Folds, Quick, Tested, blocks_of
from curate.evidence.verdict import AT_LEAST, NORMAL, POWER
from imageledger.intervals import newcombe
from imageledger.types import Bools, Floats, Ints

SHARES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.75, 1.0)
"""The leaks that are tried, as shares of one class."""
LEAKS = 40
"""So many are planted of each."""


def detectable(
    quick: Quick, positive: Bools, groups: Sequence[str], folds: Folds, tested: Tested, *, seed: int, limit: float,
    scale: float = 1.0,
) -> float | None:  # fmt: skip
    """Return the smallest of SHARES from which on at least POWER of the leaks are found; None where there is none.

    `tested` is the permutation test of the same labels and folds, `limit` what its p-value has to be below; `scale`
    multiplies the variance of the AUC.
    """
    if not quick.matrix.shape[1]:
        return None
    smoothers = quick.smoothers(folds)
    beyond = _limit_of(tested.largest, limit)
    names = np.asarray(groups)
    ones, zeros = (len(np.unique(names[side])) for side in (positive, ~positive))
    least = _least_area(ones, zeros, scale)
    smallest = None
    for share in reversed(SHARES):
        labels = leaks(quick.matrix, positive, groups, folds, share=share, count=LEAKS, seed=seed)
        seen = quick.statistics(labels, smoothers)
        found = (((seen - tested.middle) / tested.spread).max(axis=0) > beyond) & (seen[:-1].max(axis=0) > least)
        if found.mean() < POWER:
            break
        smallest = share
    return smallest


def leaks(
    matrix: Floats, positive: Bools, groups: Sequence[str], folds: Folds, *, share: float, count: int, seed: int
) -> Bools:
    """Return labels (n x count), each with a leak: in every fold as many pictures of either class as there are.

    Of the groups that one class has in a fold, `share` are those that lie furthest out in one number; the others are
    drawn by chance. Within groups that hold both classes, the same share has its members in the order of that number.
    """
    rng = np.random.default_rng([seed, round(1000 * share)])
    columns = rng.integers(matrix.shape[1], size=count)
    far = matrix[:, columns] * rng.choice([-1.0, 1.0], size=count) + 1e-9 * rng.random((len(matrix), count))
    labels = np.empty((len(positive), count), dtype=bool)
    for block in (block for held in folds for block in blocks_of(groups, held)):
        own = positive[block]
        mixed = own.any(axis=1) & ~own.all(axis=1)
        _plant_whole(labels, block[~mixed], own[~mixed][:, 0], far, share, rng)
        for rows, there in zip(block[mixed], own[mixed], strict=True):
            _plant_inside(labels, rows, int(there.sum()), far, share, rng)
    return labels


def _plant_whole(
    labels: Bools, block: Ints, positive: Bools, far: Floats, share: float, rng: np.random.Generator
) -> None:
    """Call the groups of a block (groups x size) that lie furthest out positive, and others by chance."""
    if not len(block):
        return
    outward = far[block].mean(axis=1)  # groups x count
    planted = _rounded(share * positive.sum(), outward.shape[1], rng)
    place = np.argsort(np.argsort(-outward, axis=0), axis=0)
    order = np.where(place < planted, -1.0, rng.random(outward.shape))
    chosen = np.argsort(np.argsort(order, axis=0), axis=0) < positive.sum()
    labels[block] = chosen[:, None, :]


def _plant_inside(labels: Bools, rows: Ints, ones: int, far: Floats, share: float, rng: np.random.Generator) -> None:
    """Call the outermost members of a group that holds both classes positive, or others by chance."""
    count = labels.shape[1]
    order = np.where(rng.random(count) < share, -far[rows], rng.random((len(rows), count)))
    labels[rows] = np.argsort(np.argsort(order, axis=0), axis=0) < ones


def _rounded(number: float, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Round a number up or down by chance, so that small folds plant the right share on average."""
    return (np.floor(number) + (rng.random(count) < number % 1)).astype(np.intp)


def _limit_of(largest: Floats, limit: float) -> float:
    """Return what a statistic must exceed: by the permutations, or a normal tail where they are too few for it."""
    by_tail = float(largest.mean() + NORMAL.inv_cdf(1 - limit) * largest.std())
    return max(by_tail, float(np.quantile(largest, max(0.0, 1 - limit))))


def _least_area(ones: int, zeros: int, scale: float) -> float:
    """Return the AUC from which on the interval of so many groups a class lies above AT_LEAST."""
    areas = np.linspace(AT_LEAST, 1, 226)
    return next((float(area) for area in areas if newcombe(float(area), ones, zeros, scale)[0] > AT_LEAST), 1.0)
