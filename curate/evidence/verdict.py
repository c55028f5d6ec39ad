"""What a probe found, and the three verdicts on it.

With few pictures neither a difference nor its absence can be shown: "no difference found" is not "no difference".
CLEAN is an equivalence test that passed: the whole interval lies near 0.5, above it and below it.
"""

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

from curate.nuisance import TOGETHER
from imageledger.types import Bools, Floats

SHORTCUT, CLEAN, INCONCLUSIVE = "SHORTCUT", "CLEAN", "INCONCLUSIVE"
ALL = TOGETHER
"""The name of the probe that sees every family at once."""

SURE = 0.01
"""A shortcut needs a corrected p-value below this,"""
AT_LEAST = 0.55
"""and an interval above this AUC."""
AT_MOST = 0.60
"""A family is clean when its whole interval lies below this AUC and above its mirror image, 0.40,"""
UNSURE = 0.05
"""when its corrected p-value is above this, when the interval of its strongest feature is as near to 0.5,"""
NEARLY_ALL = 0.95
"""and when it was measured on this share of the pictures."""
CERTAINLY_BELOW = 1 - AT_LEAST
"""An interval below this AUC is below chance for certain: no verdict, but pairs, or a choice by these very numbers."""

POWER = 0.80
"""So many pictures are needed that a verdict follows this often."""

NORMAL = NormalDist()

MOST = 10**7
"""The largest number of pictures that is ever named as needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strongest:
    """The one feature that separates the classes best: its own AUC (0.5..1) with its interval, its medians by class."""

    feature: str
    auc: float
    low: float
    high: float
    medians: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An AUC with its 95 % interval."""

    auc: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What probes that share no picture with a choice tell of it by one family, or by several side by side.

    They learned from what another part of the candidates had chosen (`chosen`), or from all of its candidates
    (`candidates`); see `curate.evidence.transfer`. `p` is the permutation p-value of the best of them, `chance` the
    95th percentile of its AUC by chance. `scores` are those of the best, one a chosen picture, comparable within a
    part.
    """

    family: str
    chosen: Told
    candidates: Told
    p: float
    chance: float
    scores: Floats
    detectable: float | None = None

    @property
    def worst(self) -> Told:
        """The lesson that tells more."""
        return max(self.chosen, self.candidates, key=lambda told: told.auc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one family gives away.

    `auc` with its 95 % interval `low`..`high` is that of the best `model`; `chance` is the 95th percentile of the
    AUC under permuted labels, `p` the corrected p-value. `needed` are the fewest and the most pictures of each class
    that would decide in 8 of 10 cases (0 for "none are missing", and for "no number would"). `measured` is the share of
    pictures (0..1) that have any of the numbers. `scores` are out-of-fold, one a picture; larger means positive.

    `detectable` is the smallest leak that would have been found in 8 of 10 cases: the share (0..1) of one class that
    must lie beyond all other pictures in one number of the family; None where not even the whole class would do.

    Of pictures that were chosen by numbers, all of these come from probes that share no picture with the choice:
    `transfer` has both kinds, and `inside` what the cross-validation inside the set says, which is not to be quoted.
    `unjudged` says that there are too few pictures for such probes: then nothing is CLEAN.
    """

    family: str
    features: int
    auc: float
    low: float
    high: float
    model: Literal["linear", "trees", "single"]
    p: float
    chance: float
    verdict: str
    strongest: Strongest | None
    measured: float
    scores: Floats
    needed: tuple[int, int] = (0, 0)
    detectable: float | None = None
    inside: Told | None = None
    transfer: Transfer | None = None
    unjudged: bool = False

    @property
    def below_chance(self) -> bool:
        """Whether the AUC is below 0.5 for certain, which no honest cross-validation of unpaired pictures gives."""
        return self.high < CERTAINLY_BELOW


def judged(result: Probe, positive: Bools, *, sure: float = SURE, families: int = 1) -> Probe:
    """Give the verdict on a probe, and how many pictures of each class would decide where there is none.

    SHORTCUT: corrected p below `sure` and the interval above AT_LEAST. CLEAN: the interval inside 1 - AT_MOST..AT_MOST,
    that of the strongest feature too, corrected p above UNSURE, NEARLY_ALL pictures measured, and a leak that would
    have been found; never where pictures that were chosen by numbers are judged inside the set.
    """
    if result.p < sure and result.low > AT_LEAST:
        return replace(result, verdict=SHORTCUT, needed=(0, 0))
    strongest = result.strongest
    told = [result.transfer.chosen, result.transfer.candidates] if result.transfer else [result]
    near = all(each.low > 1 - AT_MOST and each.high < AT_MOST for each in told)
    near = near and (strongest is None or strongest.high < AT_MOST)
    powerful = strongest is None or result.detectable is not None
    if near and powerful and not result.unjudged and result.p > UNSURE and result.measured >= NEARLY_ALL:
        return replace(result, verdict=CLEAN, needed=(0, 0))
    each = min(int(positive.sum()), int((~positive).sum()))
    return replace(result, verdict=INCONCLUSIVE, needed=(0, 0) if near else _needed(result, each, sure / families))


def _needed(result: Probe, each: int, limit: float) -> tuple[int, int]:
    """Return the fewest and the most pictures of each class that give a verdict in POWER of the cases.

    The truth is taken to lie in the middle half of what the interval allows. 0 for "most" where a truth in there is as
    near to a limit as the limit itself, so that no number of pictures would decide.
    """
    spread = (result.high - result.low) / (2 * NORMAL.inv_cdf(0.975))
    reach = NORMAL.inv_cdf(0.75) * spread
    truths = (result.auc - reach, result.auc, result.auc + reach)
    factors = [min(_to_shortcut(truth, spread, limit), _to_clean(truth, spread, result.strongest)) for truth in truths]
    fewest, most = (min(MOST, max(each + 1, math.ceil(each * factor))) if math.isfinite(factor) else 0
                    for factor in (min(factors), max(factors)))  # fmt: skip
    return fewest, most


def _to_shortcut(truth: float, spread: float, limit: float) -> float:
    """Return how many times the pictures show a shortcut: by its interval, and by its p-value."""
    by_interval = _factor(NORMAL.inv_cdf(0.975) + NORMAL.inv_cdf(POWER), spread, truth - AT_LEAST)
    by_chance = _factor(NORMAL.inv_cdf(1 - limit) + NORMAL.inv_cdf(POWER), spread, truth - 0.5)
    return max(by_interval, by_chance)


def _to_clean(truth: float, spread: float, strongest: Strongest | None) -> float:
    """Return how many times the pictures show that nothing is there: both ends of the interval lie near 0.5."""
    both = NORMAL.inv_cdf(0.975) + NORMAL.inv_cdf((1 + POWER) / 2)
    factor = _factor(both, spread, AT_MOST - 0.5 - abs(truth - 0.5))
    if strongest is None:
        return factor
    # The best of many numbers that say nothing comes down to 0.5 as its interval narrows.
    return max(factor, ((strongest.high - 0.5) / (AT_MOST - 0.5)) ** 2)


def _factor(deviations: float, spread: float, gap: float) -> float:
    """Return by what factor more pictures so many standard errors become as narrow as a gap; inf for none."""
    return (deviations * spread / gap) ** 2 if gap > 0 else math.inf
