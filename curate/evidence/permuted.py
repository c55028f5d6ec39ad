"""Could chance have done it? A permutation test whose statistics are linear in the labels, hence cheap.

Four statistics: the out-of-fold AUC of ridge regression on the features, that of ridge regression on their quantile
bins (an additive model, which also sees differences of spread), that of ridge regression on how much a row resembles
others (a Gaussian kernel, which also sees numbers that separate only together), and the largest AUC of a single
feature. The scores of the first three are S·y with a matrix S that no label enters, so a thousand permutations cost one
matrix product. Each is put in units of its own spread under permutation and the largest counts, for the true labels as
for every permutation (Westfall and Young 1993). Labels are permuted among the groups of a fold, so that the folds stay
stratified (Ojala and Garriga 2010), and within a group that holds both classes. Permutations stop early once so many
reach the statistic that no verdict hangs on more, and go on where a few more or less would decide (Besag and Clifford
1991). `benchmarks/verdicts.py` prints what that does to the error.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from curate.evidence.stopping import most_for, p_value, settled
from imageledger.errors import LedgerError
from imageledger.types import Bools, Floats

Folds = Sequence[NDArray[np.intp]]
"""The rows that are held out together, one array a fold."""

Smoother = Callable[[NDArray[np.float32]], Floats]

FOLDS = 5
BINS = 5
WIDE = 1000
"""Bins of more columns than this would cost too much with more pictures than this."""
LANDMARKS = 300
"""A row is compared with so many others, the same in every run: bounds the time with many pictures."""
CHUNK = 250
"""So many permutations are scored at once: bounds the memory."""


def prepare(values: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Bring numbers of any scale to columns that a model can take, and say which column each came from.

    Every column is replaced by its normal scores (rank over n, through the normal quantile), so that outliers and
    units are irrelevant; a missing number becomes the median and a column of its own that says so. Columns that
    never vary are left out. No label enters.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    origins = np.flatnonzero(np.isfinite(values).any(axis=0))
    known = np.isfinite(values[:, origins])
    filled = np.where(known, values[:, origins], np.nan)
    filled = np.where(known, filled, np.nanmedian(filled, axis=0))
    scores = ndtri((rankdata(filled, axis=0) - 0.5) / len(values))
    partly = ~known.all(axis=0)
    matrix = np.concatenate([scores, (~known[:, partly]).astype(np.float64)], axis=1)
    origins = np.concatenate([origins, origins[partly]])
    varying = np.ptp(matrix, axis=0) > 0
    matrix, origins = matrix[:, varying], origins[varying]
    return (matrix - matrix.mean(axis=0)) / matrix.std(axis=0), origins


def folds_of(positive: Bools, groups: Sequence[str], seed: int) -> Folds:
    """Divide rows into stratified folds that keep every group whole; at most FOLDS, fewer for tiny sets."""
    return _folds_of(positive.tobytes(), tuple(groups), seed)


@lru_cache(maxsize=16)
def _folds_of(labels: bytes, groups: tuple[str, ...], seed: int) -> Folds:
    """Divide rows once: every family is probed on the same folds."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    positive = np.frombuffer(labels, dtype=bool)
    number = max(2, min(FOLDS, int(positive.sum()), int((~positive).sum()), len(set(groups))))
    rows = np.zeros(len(positive))
    if len(set(groups)) == len(groups):
        plain = StratifiedKFold(number, shuffle=True, random_state=seed)
        return [held for _, held in plain.split(rows, positive)]
    whole = StratifiedGroupKFold(number, shuffle=True, random_state=seed)
    return [held for _, held in whole.split(rows, positive, list(groups)) if len(held)]


def auc(scores: Floats, positive: Bools) -> Floats:
    """Return the area under the ROC curve of each column of scores (n x b) for its own column of labels (n x b).

    Counts, over the distinct scores of a column, the negatives below each and half of those beside it; twice as fast as
    by ranks, and equal to the last bit.
    """
    rows, count = scores.shape
    by_column = np.ascontiguousarray(scores.T)
    order = np.argsort(by_column, axis=1)
    values = np.take_along_axis(by_column, order, axis=1)
    labels = np.take_along_axis(np.ascontiguousarray(positive.T), order, axis=1)
    new = np.ones((count, rows), dtype=bool)
    new[:, 1:] = values[:, 1:] != values[:, :-1]
    level = np.cumsum(new.ravel()) - 1
    ones, size = np.bincount(level, weights=labels.ravel()), np.bincount(level)
    zeros = size - ones
    below = np.cumsum(zeros) - zeros
    first = level.reshape(count, rows)[:, 0]
    column = np.repeat(np.arange(count), np.diff([*first, len(size)]))
    area = np.bincount(column, weights=ones * (below - below[first][column] + zeros / 2), minlength=count)
    total = positive.sum(axis=0)
    return np.asarray(area / np.maximum(total * (rows - total), 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What a permutation test gives: the best out-of-fold AUC, its p-value, and its 95th percentile by `chance`.

    `middle` and `spread` put a statistic in units of chance; `largest` are the largest statistics of the permutations
    in these units.
    """

    auc: float = 0.5
    p: float = 1.0
    chance: float = 0.5
    middle: Floats = field(default_factory=lambda: np.zeros((1, 1)), repr=False)
    spread: Floats = field(default_factory=lambda: np.ones((1, 1)), repr=False)
    largest: Floats = field(default_factory=lambda: np.zeros(1), repr=False)


class Quick:
    """A table of numbers prepared once, without labels, to be tested against many labelings."""

    def __init__(self, values: Floats) -> None:
        self.matrix, self.origins = prepare(values)

    @cached_property
    def binned(self) -> Floats:
        """Which quantile bin of each feature a row falls into: zeros and ones, standardised; empty when too wide."""
        rows, columns = self.matrix.shape
        if min(rows, BINS * columns) > WIDE:
            return np.zeros((rows, 0))
        cuts = np.quantile(self.matrix, np.arange(1, BINS) / BINS, axis=0)
        bins = (self.matrix[:, :, None] >= np.moveaxis(cuts, 0, -1)[None]).sum(axis=2)
        flags = (bins[:, :, None] == np.arange(BINS)).reshape(rows, -1).astype(np.float64)
        varying = flags[:, np.ptp(flags, axis=0) > 0]
        return (varying - varying.mean(axis=0)) / varying.std(axis=0)

    @cached_property
    def resemblance(self) -> Floats:
        """How much each row resembles LANDMARKS others, by a Gaussian kernel as wide as the table; standardised."""
        rows, columns = self.matrix.shape
        if columns < 2:
            return np.zeros((rows, 0))
        chosen = np.sort(np.random.default_rng(rows).permutation(rows)[:LANDMARKS])
        squares = (self.matrix**2).sum(axis=1)
        products = self.matrix @ self.matrix[chosen].T
        alike = np.exp(-np.maximum(squares[:, None] + squares[chosen] - 2 * products, 0) / columns)
        varying = alike[:, np.ptp(alike, axis=0) > 0]
        return (varying - varying.mean(axis=0)) / varying.std(axis=0)

    def tested(
        self, positive: Bools, groups: Sequence[str], folds: Folds, *, seed: int = 42, permutations: int = 2000,
        limit: float = 0.01,
    ) -> Tested:  # fmt: skip
        """Test one labeling against permutations of it; a verdict needs a p-value below `limit`.

        Raises LedgerError when no permutation changes a label, because every fold holds a single group of one class.
        """
        if not self.matrix.shape[1]:
            return Tested()
        smoothers = self.smoothers(folds)
        seen = self.statistics(positive[:, None], smoothers)
        most = most_for(permutations, limit)
        drawn = permuted(positive, groups, folds, seed, most + CHUNK)
        first = [next(drawn)[:, :permutations]]
        if not (first[0] != positive[:, None]).any():
            raise LedgerError(
                "no permutation changes a label: the groups leave nothing to exchange",
                "more pictures of each class that are not of one group",
            )
        chunks = [self.statistics(first[0], smoothers)]
        middle, spread = chunks[0].mean(axis=1, keepdims=True), chunks[0].std(axis=1, keepdims=True) + 1e-12
        truth = ((seen - middle) / spread).max() - 1e-9
        largest = [((chunks[0] - middle) / spread).max(axis=0)]
        away = float((truth - largest[0].mean()) / (largest[0].std() + 1e-12))
        reached, count = int((largest[0] >= truth).sum()), len(largest[0])
        while not settled(reached, count, away, permutations, limit, most):
            labels = next(drawn)
            if count < permutations:
                labels = labels[:, : permutations - count]
            chunks.append(self.statistics(labels, smoothers))
            largest.append(((chunks[-1] - middle) / spread).max(axis=0))
            reached, count = reached + int((largest[-1] >= truth).sum()), count + labels.shape[1]
        chance = float(np.quantile(np.concatenate([chunk[:-1].max(axis=0) for chunk in chunks]), 0.95))
        return Tested(
            auc=float(seen[:-1].max()), p=p_value(reached, count, away), chance=chance, middle=middle, spread=spread,
            largest=np.concatenate(largest),
        )  # fmt: skip

    def smoothers(self, folds: Folds) -> list[Smoother]:
        """Return what scores the rows of each fold by ridge regression on the others: one for each table."""
        tables = (self.matrix, self.binned, self.resemblance)
        return [_smoother(matrix, folds) for matrix in tables if matrix.shape[1]]

    def statistics(self, labels: Bools, smoothers: Sequence[Smoother]) -> Floats:
        """Return the statistics (one row each, x b) for labels (n x b); that of the single feature comes last."""
        centred = (labels - labels.mean(axis=0)).astype(np.float32)
        return np.stack([*(auc(smooth(centred), labels) for smooth in smoothers), self._single(labels)])

    def _single(self, labels: Bools) -> Floats:
        """Return the largest distance from 0.5 that the AUC of one feature has, plus 0.5."""
        ones = labels.sum(axis=0)
        pairs = np.maximum(ones * (len(labels) - ones), 1)
        areas = (self.ranks.T @ labels - ones * (ones + 1) / 2) / pairs
        return np.asarray(0.5 + np.abs(areas - 0.5).max(axis=0))

    @cached_property
    def ranks(self) -> Floats:
        """The rank of each row in each feature, ties at their mean."""
        from scipy.stats import rankdata

        return np.asarray(rankdata(self.matrix, axis=0))


def _smoother(matrix: Floats, folds: Folds) -> Smoother:
    """Return what turns centred labels (n x b) into the out-of-fold scores of ridge regression.

    The penalty is one picture a column. The matrices are kept as two factors, in the primal or the dual, whichever
    is smaller. Scores are rounded: equal rows must tie, though sums in another order differ in the last bits.
    """
    parts = []
    for held in folds:
        rest = np.setdiff1d(np.arange(len(matrix)), held)
        middle = matrix[rest].mean(axis=0)
        known, new = matrix[rest] - middle, matrix[held] - middle
        rows, columns = known.shape
        if columns <= rows:
            left, right = new, np.linalg.solve(known.T @ known + columns * np.eye(columns), known.T)
        else:
            left = np.linalg.solve(known @ known.T + columns * np.eye(rows), known @ new.T).T
            right = None
        parts.append((held, rest, left.astype(np.float32), None if right is None else right.astype(np.float32)))

    def smooth(labels: NDArray[np.float32]) -> Floats:
        scores = np.empty(labels.shape)
        for held, rest, left, right in parts:
            scores[held] = left @ (labels[rest] if right is None else right @ labels[rest])
        return np.round(scores, 5)

    return smooth


def permuted(positive: Bools, groups: Sequence[str], folds: Folds, seed: int, permutations: int) -> Iterator[Bools]:
    """Yield chunks (n x CHUNK) of labels permuted among the groups of equal size within each fold, and inside each."""
    rng = np.random.default_rng(seed)
    blocks = [block for held in folds for block in blocks_of(groups, held)]
    mixed = [block for block in blocks if (positive[block] != positive[block][:, :1]).any()]
    for begun in range(0, permutations, CHUNK):
        count = min(CHUNK, permutations - begun)
        labels = np.empty((len(positive), count), dtype=bool)
        for block in blocks:  # groups x size
            order = rng.permuted(np.tile(np.arange(len(block)), (count, 1)), axis=1)
            labels[block.ravel()] = positive[block[order]].reshape(count, -1).T
        for block in mixed:
            inside = labels[block.ravel()].T.reshape(count, *block.shape)
            labels[block.ravel()] = rng.permuted(inside, axis=2).reshape(count, -1).T
        yield labels


def blocks_of(groups: Sequence[str], held: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Gather the groups of a fold by size: one array (groups x size) of rows for each size."""
    members: dict[str, list[int]] = {}
    for row in held:
        members.setdefault(groups[row], []).append(int(row))
    sizes: dict[int, list[list[int]]] = {}
    for rows in members.values():
        sizes.setdefault(len(rows), []).append(rows)
    return [np.array(rows, dtype=np.intp) for rows in sizes.values()]
