"""Does attention lie elsewhere in one class than in the other? Means over groups, and a difference. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imageledger.counted import mean_by_group
from imageledger.intervals import with_interval
from imageledger.types import Floats

RESAMPLES = 2000
FEWEST = 5
"""Groups of a class below which no interval is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The share of attention outside of the face in both classes, 0..1, and their difference, each with its interval.

    `area` is what evenly spread attention would have outside, `counts` the pictures of each class.
    """

    labels: tuple[str, str]
    counts: tuple[int, int]
    means: tuple[tuple[float, float, float], tuple[float, float, float]]
    difference: tuple[float, float, float]
    area: tuple[float, float]

    @property
    def sentence(self) -> str:
        """Say what was found."""
        parts = [
            f"{with_interval(*mean, percent=True)} lies outside the face in {count} {label} pictures"
            for mean, count, label in zip(self.means, self.counts, self.labels, strict=True)
        ]
        even = " and ".join(f"{100 * share:.0f} %" for share in self.area)
        value, low, high = self.difference
        points = with_interval(100 * value, 100 * low, 100 * high, digits=0, signed=True)
        told = "which is more than chance" if low > 0 or high < 0 else "which chance can do"
        return (
            f"Of the evidence for the class called, {parts[0]}, and {parts[1]}: "
            f"a difference of {points} points, {told}. Spread evenly, it would be {even}."
        )


def compared(
    shares: Sequence[float], areas: Sequence[float], positive: Sequence[bool], groups: Sequence[str],
    labels: tuple[str, str], seed: int = 42,
) -> Outside | None:  # fmt: skip
    """Compare shares outside of the face between classes; None where a class has fewer than FEWEST groups.

    Whole groups are drawn again, with replacement.
    """
    rng, sides = np.random.default_rng(seed), np.asarray(positive, dtype=bool)
    values, outside, names = np.asarray(shares), np.asarray(areas), np.asarray(groups)
    drawn: list[Floats] = []
    means: list[tuple[float, float, float]] = []
    for side in (False, True):
        own = mean_by_group(values[sides == side], names[sides == side]) if (sides == side).any() else np.empty(0)
        if len(own) < FEWEST:
            return None
        again = own[rng.integers(len(own), size=(RESAMPLES, len(own)))].mean(axis=1)
        drawn.append(again)
        means.append(_with_ends(float(own.mean()), again))
    return Outside(
        labels=labels, counts=(int((~sides).sum()), int(sides.sum())), means=(means[0], means[1]),
        difference=_with_ends(means[1][0] - means[0][0], drawn[1] - drawn[0]),
        area=(float(outside[~sides].mean()), float(outside[sides].mean())),
    )  # fmt: skip


def _with_ends(value: float, again: Floats) -> tuple[float, float, float]:
    low, high = (float(end) for end in np.quantile(again, (0.025, 0.975)))
    return value, low, high
