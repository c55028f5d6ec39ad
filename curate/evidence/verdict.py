"""What a probe found, and the three verdicts on it.

With few pictures neither a difference nor its absence can be shown: "no difference found" is not "no difference".
CLEAN is an equivalence test that passed: the whole interval lies near 0.5, above it and below it.
"""

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

from imageledger.types import Bools, Floats

SHORTCUT, CLEAN, INCONCLUSIVE = "SHORTCUT", "CLEAN", "INCONCLUSIVE"
ALL = "all"
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

    @property
    def worst(self) -> Told:
        """The lesson that tells more."""
        return max(self.chosen, self.candidates, key=lambda told: told.auc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one family gives away.

    `auc` with its 95 % interval `low`..`high` is that of the better `model`; `chance` is the 95th percentile of the
    AUC under permuted labels, `p` the corrected p-value. `needed` is the number of pictures of each class that would
    probably decide, 0 where they are decided. `measured` is the share of pictures (0..1) that have any of the numbers.
    `scores` are out-of-fold, one a picture; larger means positive.

    Of pictures that were chosen by numbers, all of these come from probes that share no picture with the choice:
    `transfer` has both kinds, and `inside` what the cross-validation inside the set says, which is not to be quoted.
    `unjudged` says that there are too few pictures for such probes: then nothing is CLEAN.
    """

    family: str
    features: int
    auc: float
    low: float
    high: float
    model: Literal["linear", "trees"]
    p: float
    chance: float
    verdict: str
    needed: int
    strongest: Strongest | None
    measured: float
    scores: Floats
    inside: Told | None = None
    transfer: Transfer | None = None
    unjudged: bool = False

    @property
    def below_chance(self) -> bool:
        """Whether the AUC is below 0.5 for certain, which no honest cross-validation of unpaired pictures gives."""
        return self.high < CERTAINLY_BELOW


def judged(result: Probe, positive: Bools) -> Probe:
    """Give the verdict on a probe, and how many pictures of each class would decide where there is none.

    SHORTCUT: corrected p below SURE and the interval above AT_LEAST. CLEAN: the interval inside 1 - AT_MOST..AT_MOST,
    that of the strongest feature too, corrected p above UNSURE, and NEARLY_ALL pictures measured; never where pictures
    that were chosen by numbers are judged inside the set.
    """
    if result.p < SURE and result.low > AT_LEAST:
        return replace(result, verdict=SHORTCUT, needed=0)
    strongest = result.strongest
    told = [result.transfer.chosen, result.transfer.candidates] if result.transfer else [result]
    near = all(each.low > 1 - AT_MOST and each.high < AT_MOST for each in told)
    near = near and (strongest is None or strongest.high < AT_MOST)
    if near and not result.unjudged and result.p > UNSURE and result.measured >= NEARLY_ALL:
        return replace(result, verdict=CLEAN, needed=0)
    each = min(int(positive.sum()), int((~positive).sum()))
    return replace(result, verdict=INCONCLUSIVE, needed=0 if near else _needed(result, each))


def _needed(result: Probe, each: int) -> int:
    """Scale the width of the intervals by 1/sqrt(n) until they clear one of the two limits, or the p-value does.

    0 where no number of pictures would: the probe lies as near to a limit as the limit itself.
    """
    if result.low > AT_LEAST and result.p < 0.5:  # the p-value alone is missing: its z grows with sqrt(n)
        reached = NormalDist().inv_cdf(1 - result.p)
        return min(MOST, max(each + 1, math.ceil(each * (NormalDist().inv_cdf(1 - SURE) / reached) ** 2)))
    area = max(result.auc, 0.5)
    shortcut = _factor(result.low, result.high, area - AT_LEAST)
    clean = _factor(result.low, result.high, AT_MOST - area)
    if result.strongest:  # the best of many numbers that say nothing comes down to 0.5 as its interval narrows
        clean = max(clean, ((result.strongest.high - 0.5) / (AT_MOST - 0.5)) ** 2)
    least = min(shortcut, clean)
    return min(MOST, max(each + 1, math.ceil(each * least))) if math.isfinite(least) else 0


def _factor(low: float, high: float, gap: float) -> float:
    """Return by what factor more pictures half of an interval becomes as narrow as a gap; inf where there is none."""
    return ((high - low) / 2 / gap) ** 2 if gap > 0 else math.inf
