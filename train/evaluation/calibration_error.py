"""How far probabilities are from the truth, beside how far those of a perfect model would seem to be at this n."""

from dataclasses import dataclass

import numpy as np

from imageledger.types import Bools, Floats, Ints
from train.evaluation.statistics import RESAMPLES, Estimate, drawn_again

BINS = 5
FEWEST = 10
"""Pictures a bin below which the share in it says nothing."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration error, its interval, and the 5th and 95th percentile of a perfectly calibrated model."""

    error: Estimate
    band: tuple[float, float]
    bins: int


def calibration_error(
    probabilities: Floats, positive: Bools, groups: Ints, *, stretch: float = 1.0, seed: int = 42
) -> Calibration:
    """Estimate the expected calibration error (0..1) of P(positive) (n) in equal-mass bins.

    The error is never negative, so that it seems to exist where there is none (0.05-0.15 at n = 200-40): the band is
    what labels drawn from these very probabilities give, one draw a group. Below its upper end nothing is shown: the
    interval begins at 0 and keeps the excess (percentile cluster bootstrap), since a small error may be luck. Above it
    the interval takes the excess out again (basic cluster bootstrap).
    """
    bins = max(1, min(BINS, len(probabilities) // FEWEST))
    place = _bins(probabilities, bins)
    value = _error(probabilities - positive, np.ones(len(positive)), place)
    drawn = [_error(probabilities - positive, weights, place) for weights in drawn_again(groups, seed, RESAMPLES // 2)]
    low, high = value + (np.quantile(drawn, (0.025, 0.975)) - value) * np.sqrt(stretch)
    band = _band(probabilities, groups, place, seed)
    if value <= band[1]:
        return Calibration(Estimate(value, 0.0, float(min(high, 1))), band, bins)
    return Calibration(Estimate(value, max(0.0, float(2 * value - high)), float(min(2 * value - low, 1))), band, bins)


def _band(probabilities: Floats, groups: Ints, place: Ints, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    even = np.ones(len(probabilities))
    number = int(groups.max()) + 1
    drawn = [
        _error(probabilities - (rng.random(number)[groups] < probabilities), even, place)
        for _ in range(RESAMPLES // 2)
    ]  # fmt: skip
    low, high = np.quantile(drawn, (0.05, 0.95))
    return float(low), float(high)


def _bins(probabilities: Floats, bins: int) -> Ints:
    """Return the number of the bin of each probability; equal ones share a bin."""
    cuts = np.quantile(probabilities, np.arange(1, bins) / bins)
    return np.asarray(np.searchsorted(cuts, probabilities, side="right"))


def _error(gap: Floats, weights: Floats, place: Ints) -> float:
    return float(np.abs(np.bincount(place, weights=gap * weights)).sum() / weights.sum())
