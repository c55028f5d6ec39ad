"""How often a probability comes true: pictures in bins of equal number, and what chance alone would show in each."""

from dataclasses import dataclass

import numpy as np

from imageledger.types import Bools, Floats, Ints
from train.evaluation.statistics import share

FEW, MANY = 5, 10
"""So many bins at most for fewer than LARGE pictures, and for more."""
LARGE = 500
FEWEST = 10
"""Pictures a bin below which the share in it says nothing."""
DRAWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Answers that give about the same P(positive).

    `said` is the mean of it, `hits` of `n` were positive (95 % Wilson interval over groups `low`..`high`), and a model
    whose probabilities are exactly right would show a share of `least`..`most` in 19 of 20 cases.
    """

    said: float
    hits: int
    n: int
    low: float
    high: float
    least: float
    most: float

    @property
    def share(self) -> float:
        """The share that was positive, 0..1."""
        return self.hits / self.n

    @property
    def off(self) -> bool:
        """Whether the share lies outside of what a perfectly calibrated model would show."""
        return not self.least <= self.share <= self.most


def bins_of(shares: Floats, positive: Bools, groups: Ints, seed: int = 42) -> list[Bin]:
    """Sort answers by P(positive) into bins of equal number, lowest first; `groups` numbers what belongs together.

    The band is that of Bröcker and Smith (2007): labels are drawn from the probabilities themselves, DRAWS times, with
    one draw for all answers of a group.
    """
    order = np.argsort(shares, kind="stable")
    rng = np.random.default_rng(seed)
    bins = []
    pictures = int(groups.max()) + 1
    number = max(1, min(FEW if pictures < LARGE else MANY, pictures // FEWEST))
    for rows in np.array_split(order, number):
        own = np.unique(groups[rows], return_inverse=True)[1]
        drawn = (rng.random((DRAWS, int(own.max()) + 1))[:, own] < shares[rows]).mean(axis=1)
        estimate = share(positive[rows][None, :].astype(np.float64), own)
        least, most = np.quantile(drawn, (0.025, 0.975))
        bins.append(
            Bin(said=float(shares[rows].mean()), hits=int(positive[rows].sum()), n=len(rows), low=estimate.low,
                high=estimate.high, least=float(least), most=float(most))
        )  # fmt: skip
    return bins
