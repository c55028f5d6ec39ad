"""What a model's probability is worth: one temperature, fitted on pictures that the model had not seen.

Temperature scaling after Guo, Pleiss, Sun and Weinberger (2017): logits are divided by one number, which changes no
verdict at one half and no ranking. Pure functions, but for reading and writing calibration.json. Knows no torch.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from curate.evidence.permuted import folds_of
from imageledger import seal
from imageledger.errors import RunError
from imageledger.foreign import json_of
from imageledger.store import write_whole
from imageledger.types import Bools, Floats
from train.runs import CROSS_VALIDATION, HOLD_OUT, SPLIT

FILE = "calibration.json"
UNSURE = "unsure"
KINDS = (SPLIT, CROSS_VALIDATION, HOLD_OUT)

ENOUGH = 100
"""With fewer pictures than this a temperature is a rough guess, and the commands say so."""
FEWEST = 10
"""With fewer pictures of a class than this none is fitted."""

COLDEST, HOTTEST = 0.05, 20.0
"""Temperatures outside this range are not looked for."""
_BOUNDS = math.log(COLDEST), math.log(HOTTEST)
LOOSE = 0.7
"""Spread of the prior on the logarithm of the temperature. Without any, a model that is right on every picture would
get the temperature 0 and be certain for ever: in drawn sets of 40 to 200 pictures of which it is right on 99 %, the
log loss of new pictures rose by 0.03 to 0.6. With this one by at most 0.02, and where there are mistakes to learn from
no more than without."""

WRONG_AT_MOST = 0.2
"""A verdict is given only where the calibrated probability of being wrong is at most this,"""
MISSED = 0.1
"""and at most so many of the pictures of either class may get the wrong verdict: see `unsure_band`."""

EDGE = 1e-6
"""Probabilities are kept this far from 0 and 1, so that every logit is a number (at most 13.8)."""
DROP = 1.92
"""Half the 95th percentile of chi-squared with one degree of freedom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The contents of calibration.json.

    `temperature` with its 95 % `interval` divides the logits; calibrated probabilities of `low`..`high` are unsure.
    It was fitted on `n` pictures, `fewest` of the smaller class, that the model had not seen: those of the folds or
    sources that were held out, or, for the kind "split", the validation pictures. `figures` says what it changed.
    """

    temperature: float
    interval: tuple[float, float]
    low: float
    high: float
    n: int
    fewest: int
    kind: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no fit can give: ValueError says which number."""
        numbers = (self.temperature, *self.interval, self.low, self.high)
        if not all(type(value) in (int, float) and math.isfinite(value) for value in numbers):
            raise ValueError("temperature, interval, low and high must be numbers")
        if not COLDEST <= self.temperature <= HOTTEST:
            raise ValueError(f"a temperature of {self.temperature}, not between {COLDEST} and {HOTTEST}")
        if len(self.interval) != 2 or not 0 < self.interval[0] <= self.interval[1]:
            raise ValueError(f"{list(self.interval)} is not an interval of temperatures")
        if not 0 <= self.low <= 0.5 <= self.high <= 1:
            raise ValueError(f"the band {self.low}..{self.high} does not lie around one half, within 0..1")
        if type(self.n) is not int or type(self.fewest) is not int or not 1 <= self.fewest <= self.n:
            raise ValueError(f"fitted on {self.n} pictures, {self.fewest} of the smaller class")
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is not a kind of run")

    @property
    def rough(self) -> bool:
        """Whether it was fitted on too few pictures to lean on."""
        return self.n < ENOUGH

    def of(self, probability: float) -> float:
        """Return the calibrated P(positive), 0..1, for the probability of a model."""
        return float(calibrated(np.array([probability]), self.temperature)[0])

    def verdict(self, share: float, labels: tuple[str, str]) -> str:
        """Return the label that a calibrated P(positive) is enough for, or "unsure", the ends of the band included."""
        if self.low <= share <= self.high:
            return UNSURE
        return labels[1] if share >= 0.5 else labels[0]

    def save(self, folder: Path) -> Path:
        """Write calibration.json into the folder of a run, whole or not at all."""
        path = folder / FILE
        write_whole(path, (json.dumps(seal.sealed(asdict(self)), indent=2, allow_nan=False) + "\n").encode())
        return path

    @classmethod
    def of_json(cls, values: Any) -> Self:
        """Make one of parsed JSON; ValueError or TypeError for anything that is no calibration."""
        known = {spec.name for spec in fields(cls)}
        if not isinstance(values, dict) or set(values) != known:
            raise ValueError(f"it must be an object with {', '.join(sorted(known))}, and nothing else")
        if not isinstance(values["interval"], list) or not isinstance(values["figures"], dict):
            raise ValueError("interval must be a list, figures an object")
        return cls(**{**values, "interval": tuple(values["interval"])})


def read(folder: Path) -> Calibration | None:
    """Read the calibration of a run, None where there is none; raise RunError for a damaged one."""
    path = folder / FILE
    try:
        return Calibration.of_json(seal.opened(json_of(path.read_bytes())))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:  # JSON and UTF-8 errors are ValueErrors
        raise RunError(f"{path} is damaged: {error}", "audit calibration writes it again") from error


def logit(probabilities: Floats) -> Floats:
    """Return the log odds of probabilities, which are kept EDGE away from 0 and 1."""
    inside = np.clip(probabilities, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def calibrated(probabilities: Floats, temperature: float | Floats) -> Floats:
    """Return P(positive), 0..1, once the logits are divided by a temperature (one for all, or one per picture)."""
    return np.asarray(1 / (1 + np.exp(-logit(probabilities) / temperature)))


def fit_temperature(probabilities: Floats, positive: Bools, rounds: int = 1) -> float:
    """Return the temperature with the smallest negative log-likelihood, under a loose prior around 1.

    Of pictures that several models answered one by one (`rounds` answers a picture), each answer counts as that share
    of a picture: so the temperature is that of one model, not of their mean. Raises ValueError when a class has no
    picture.
    """
    from scipy.optimize import minimize_scalar

    if positive.all() or not positive.any():
        raise ValueError("a temperature needs pictures of both classes")
    towards = _towards(probabilities, positive)
    optimum = minimize_scalar(lambda heat: _cost(heat, towards, rounds), bounds=_BOUNDS, method="bounded",
                            options={"xatol": 1e-5})  # fmt: skip
    return math.exp(float(optimum.x))


def temperature_interval(
    probabilities: Floats, positive: Bools, groups: NDArray[np.intp], temperature: float, rounds: int = 1
) -> tuple[float, float]:
    """Return the 95 % interval around a fitted temperature: where the log-likelihood is at most 1.92 lower.

    Groups of pictures that agree count as less than so many pictures: the drop is multiplied by the design effect of
    the score. In drawn sets of 40 to 200 pictures it held the truth in 92-98 %; a bootstrap did in 85-91 %.
    """
    from scipy.optimize import brentq

    towards, best = _towards(probabilities, positive), math.log(temperature)
    cooled = towards / temperature
    score = cooled / (1 + np.exp(cooled))
    alone = float(score @ score)
    together = float(np.square(np.bincount(groups, weights=score)).sum())
    effect = max(1.0, together / alone / rounds) if alone else 1.0

    def beyond(heat: float) -> float:
        return _cost(heat, towards, rounds) - _cost(best, towards, rounds) - DROP * effect

    low, high = (float(brentq(beyond, best, end)) if beyond(end) > 0 else end for end in _BOUNDS)
    return math.exp(low), math.exp(high)


def unsure_band(shares: Floats, positive: Bools, rounds: int = 1) -> tuple[float, float]:
    """Return low..high: the calibrated P(positive) at which no verdict is given.

    Two conditions, and the wider one counts. A verdict is wrong with a probability of at most WRONG_AT_MOST, as far as
    the calibration is right: this speaks of the one picture, and gives 0.2..0.8. And of the pictures of either class
    at most MISSED get the verdict of the other one: this speaks of many pictures, holds for any model and any
    calibration as long as new pictures are like these (class-conditional split conformal prediction, Vovk 2012, with
    its n + 1), and opens the band for a model that is certain and wrong. Both ends are 0 or 1 where a class has too few
    pictures (9) for the second one ever to hold. Of `rounds` answers a picture, each counts as that share of one.
    """
    high = _conformal(shares[~positive], rounds)
    low = 1 - _conformal(1 - shares[positive], rounds)
    return min(WRONG_AT_MOST, low), max(1 - WRONG_AT_MOST, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossFitted:
    """What calibration does to pictures that did not take part in it: one calibrated P and one band per picture."""

    shares: Floats
    low: Floats
    high: Floats
    temperatures: tuple[float, ...]


def cross_fitted(
    probabilities: Floats, positive: Bools, groups: Sequence[str], seed: int = 42, rounds: int = 1
) -> CrossFitted:
    """Fit temperature and band on four fifths of the groups and apply them to the rest, for every fifth."""
    shares, low, high = (np.full(len(positive), np.nan) for _ in range(3))
    temperatures = []
    for held in folds_of(positive, groups, seed):
        rest = np.setdiff1d(np.arange(len(positive)), held)
        temperatures.append(fit_temperature(probabilities[rest], positive[rest], rounds))
        known = calibrated(probabilities[rest], temperatures[-1])
        low[held], high[held] = unsure_band(known, positive[rest], rounds)
        shares[held] = calibrated(probabilities[held], temperatures[-1])
    return CrossFitted(shares=shares, low=low, high=high, temperatures=tuple(temperatures))


def brier(shares: Floats, positive: Bools) -> Floats:
    """Return the Brier score of each picture, 0..1: the squared distance from what it is."""
    return np.asarray((shares - positive) ** 2)


def log_loss(shares: Floats, positive: Bools) -> Floats:
    """Return the negative log-likelihood of each picture, in nats; at most 13.8."""
    return np.asarray(np.logaddexp(0.0, np.where(positive, -1.0, 1.0) * logit(shares)))


def _towards(probabilities: Floats, positive: Bools) -> Floats:
    """Return the logits, larger for being right."""
    return np.asarray(np.where(positive, 1.0, -1.0) * logit(probabilities))


def _cost(heat: float, towards: Floats, rounds: int) -> float:
    """Return the negative log-likelihood at the logarithm of a temperature, and that of the prior."""
    return float(np.logaddexp(0.0, -towards * math.exp(-heat)).sum()) / rounds + 0.5 * (heat / LOOSE) ** 2


def _conformal(against: Floats, rounds: int) -> float:
    """Return the value that at most MISSED of new ones exceed; 1 where there are too few pictures to say."""
    rank = math.ceil((len(against) // rounds + 1) * (1 - MISSED)) * rounds
    return float(np.sort(against)[rank - 1]) if 0 < rank <= len(against) else 1.0
