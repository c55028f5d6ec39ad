"""How often a probability comes true: pictures in bins of equal number, and what chance alone would show in each."""

from dataclasses import dataclass

import numpy as np

from imageledger.intervals import wilson
from imageledger.types import Bools, Floats

FEW, MANY = 5, 10
"""So many bins at most for fewer than LARGE pictures, and for more."""
LARGE = 500
FEWEST = 10
"""Pictures a bin below which the share in it says nothing."""
DRAWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Pictures that were given about the same P(positive).

    `said` is the mean of it, `hits` of `n` pictures were positive (95 % Wilson interval `low`..`high`), and a model
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


def bins_of(shares: Floats, positive: Bools, seed: int = 42) -> list[Bin]:
    """Sort pictures by P(positive) into bins of equal number, lowest first.

    The band is that of Bröcker and Smith (2007): labels are drawn from the probabilities themselves, DRAWS times.
    """
    order = np.argsort(shares, kind="stable")
    rng = np.random.default_rng(seed)
    bins = []
    number = max(1, min(FEW if len(shares) < LARGE else MANY, len(shares) // FEWEST))
    for rows in np.array_split(order, number):
        hits, n = int(positive[rows].sum()), len(rows)
        drawn = (rng.random((DRAWS, n)) < shares[rows]).mean(axis=1)
        low, high = wilson(hits, n)
        least, most = np.quantile(drawn, (0.025, 0.975))
        bins.append(Bin(said=float(shares[rows].mean()), hits=hits, n=n, low=low, high=high, least=float(least),
                         most=float(most)))  # fmt: skip
    return bins
