"""Is a probability of 0.9 right nine times in ten, before and after one temperature? A judged run in, figures out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audit.calibration.bins import Bin, bins_of
from audit.judged import CROSS_VALIDATE, Judged, judged
from imageledger.config import Project
from imageledger.errors import RunError
from imageledger.intervals import wilson
from imageledger.types import Bools, Floats
from train.evaluation import temperature as calibrating
from train.evaluation.calibration_error import Calibration as Error
from train.evaluation.calibration_error import calibration_error
from train.evaluation.statistics import drawn_again
from train.evaluation.temperature import FEWEST, Calibration, CrossFitted

SCORES: dict[str, Callable[[Floats, Bools], Floats]] = {"brier": calibrating.brier, "log_loss": calibrating.log_loss}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A mean over pictures, with the 95 % interval of a bootstrap over groups."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One score before and after calibration (smaller is better), and the paired difference: after less before."""

    name: str
    before: Figure
    after: Figure
    change: Figure

    @property
    def verdict(self) -> str:
        """BETTER, WORSE, or NOT DECIDED where the interval of the difference holds 0."""
        return "BETTER" if self.change.high < 0 else "WORSE" if self.change.low > 0 else "NOT DECIDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What became of the pictures of one class: the right verdict, no verdict, the wrong one."""

    label: str
    right: int
    unsure: int
    wrong: int

    @property
    def total(self) -> int:
        """The pictures of the class."""
        return self.right + self.unsure + self.wrong

    @property
    def intervals(self) -> tuple[tuple[float, float], ...]:
        """The 95 % Wilson intervals of the three shares."""
        return tuple(wilson(count, self.total) for count in (self.right, self.unsure, self.wrong))


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What calibration does to one run; all of it but `calibration` was found on pictures held out of the fit.

    `before` and `after` are the bins of the reliability figure, `errors` the calibration errors of both.
    """

    judged: Judged
    calibration: Calibration
    changes: tuple[Change, ...]
    verdicts: tuple[Verdicts, ...]
    before: tuple[Bin, ...]
    after: tuple[Bin, ...]
    errors: tuple[Error, Error]


def look(project: Project, folder: Path) -> Audit:
    """Calibrate a run on the pictures it may be judged by.

    Raises RunError for too few pictures of a class and for predictions that cannot be read.
    """
    seen = judged(project, folder)
    if seen.fewest < FEWEST:
        raise RunError(
            f"the smaller class of {seen.in_words} has {seen.fewest}: too few for a temperature",
            f"at least {FEWEST} of each class are needed; {CROSS_VALIDATE}",
        )
    shares, positive, seed = seen.shares, seen.positive, seen.run.seed
    crossed = calibrating.cross_fitted(shares, positive, seen.groups, seed)
    changes = compared(shares, crossed.shares, positive, seen.groups, seed)
    verdicts = given(crossed, positive, seen.run.labels)
    before, after = (tuple(bins_of(values, positive, seed)) for values in (shares, crossed.shares))
    first, second = (
        calibration_error(values, positive, seen.group_numbers, seed=seed) for values in (shares, crossed.shares)
    )
    figures = {
        "scores": {one.name: _plain(one) for one in changes},
        "calibration_error": {"before": first.error.value, "after": second.error.value, "band": list(second.band)},
        "verdicts": {one.label: [one.right, one.unsure, one.wrong] for one in verdicts},
    }
    return Audit(
        judged=seen,
        calibration=_fitted(seen, figures),
        changes=changes,
        verdicts=verdicts,
        before=before,
        after=after,
        errors=(first, second),
    )


def compared(before: Floats, after: Floats, positive: Bools, groups: Sequence[str], seed: int) -> tuple[Change, ...]:
    """Score both, and their difference on the same pictures, with one bootstrap over whole groups."""
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    drawn = np.stack([weights / weights.sum() for weights in drawn_again(group, seed)])

    def figure(losses: Floats) -> Figure:
        low, high = np.quantile(drawn @ losses, (0.025, 0.975))
        return Figure(value=float(losses.mean()), low=float(low), high=float(high))

    found = []
    for name, score in SCORES.items():
        first, second = score(before, positive), score(after, positive)
        found.append(Change(name=name, before=figure(first), after=figure(second), change=figure(second - first)))
    return tuple(found)


def given(crossed: CrossFitted, positive: Bools, labels: tuple[str, str]) -> tuple[Verdicts, ...]:
    """Count the verdicts that pictures get by a temperature and a band that were fitted without them."""
    above, below = crossed.shares > crossed.high, crossed.shares < crossed.low
    found = []
    for label, side in zip(labels, (~positive, positive), strict=True):
        right, wrong = (above, below) if label == labels[1] else (below, above)
        hits, misses = int(right[side].sum()), int(wrong[side].sum())
        found.append(Verdicts(label=label, right=hits, wrong=misses, unsure=int(side.sum()) - hits - misses))
    return tuple(found)


def _fitted(seen: Judged, figures: dict[str, Any]) -> Calibration:
    shares, positive = seen.shares, seen.positive
    temperature = calibrating.fit_temperature(shares, positive)
    low, high = calibrating.unsure_band(calibrating.calibrated(shares, temperature), positive)
    interval = calibrating.temperature_interval(shares, positive, seen.group_numbers, temperature)
    return Calibration(
        temperature=temperature, interval=interval, low=low, high=high,
        n=len(shares), fewest=seen.fewest, kind=seen.run.kind, figures=figures,
    )  # fmt: skip


def _plain(one: Change) -> dict[str, list[float]]:
    return {name: [figure.value, figure.low, figure.high]
            for name, figure in (("before", one.before), ("after", one.after), ("change", one.change))}  # fmt: skip
