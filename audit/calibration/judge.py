"""Is a probability of 0.9 right nine times in ten, before and after one temperature? A judged run in, figures out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from audit.calibration.bins import Bin, bins_of
from imageledger.errors import RunError
from imageledger.types import Bools, Floats, Ints
from train.answers import CROSS_VALIDATE, Answers
from train.evaluation import temperature as calibrating
from train.evaluation.calibration_error import Calibration as Error
from train.evaluation.calibration_error import calibration_error
from train.evaluation.statistics import drawn_again, share
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
    """How many answers about the pictures of one class give the right verdict, none, or the wrong one.

    `intervals` are the 95 % Wilson intervals of these three shares, over groups.
    """

    label: str
    right: int
    unsure: int
    wrong: int
    intervals: tuple[tuple[float, float], ...]

    @property
    def total(self) -> int:
        """The answers about the class."""
        return self.right + self.unsure + self.wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCalibration:
    """What calibration does to one run; all of it but `calibration` was measured on pictures held out of the fit.

    `answers` are those that the run is judged by; with repeats, `shares` holds what each of several models says of
    every picture, one after the other, and `positive` the truth: a model is used alone, so it is calibrated alone.
    `before` and `after` are the bins of the reliability figure, `errors` the calibration errors of both.
    """

    answers: Answers
    shares: Floats
    positive: Bools
    calibration: Calibration
    changes: tuple[Change, ...]
    verdicts: tuple[Verdicts, ...]
    before: tuple[Bin, ...]
    after: tuple[Bin, ...]
    errors: tuple[Error, Error]


def judge(answers: Answers) -> RunCalibration:
    """Calibrate a run on the pictures it is judged by; raise RunError for too few pictures of a class."""
    if answers.fewest < FEWEST:
        raise RunError(
            f"the smaller class of {answers.in_words} has {answers.fewest}: too few for a temperature",
            f"at least {FEWEST} of each class are needed; {CROSS_VALIDATE}",
        )
    each, seed = answers.rounds().shares, answers.run.seed
    rounds, shares = len(each), each.ravel()
    positive, groups = np.tile(answers.positive, rounds), np.tile(answers.group_numbers, rounds)
    crossed = calibrating.cross_fitted(shares, positive, [str(group) for group in groups], seed, rounds)
    changes = compared(shares, crossed.shares, positive, groups, seed)
    verdicts = given(crossed, positive, groups, answers.labels)
    before, after = (tuple(bins_of(values, positive, groups, seed)) for values in (shares, crossed.shares))
    first, second = (calibration_error(values, positive, groups, seed=seed) for values in (shares, crossed.shares))
    figures = {
        "scores": {change.name: _intervals(change) for change in changes},
        "calibration_error": {"before": first.error.value, "after": second.error.value, "band": list(second.band)},
        "verdicts": {verdict.label: [verdict.right, verdict.unsure, verdict.wrong] for verdict in verdicts},
    }
    temperature = calibrating.fit_temperature(shares, positive, rounds)
    low, high = calibrating.unsure_band(calibrating.calibrated(shares, temperature), positive, rounds)
    return RunCalibration(
        answers=answers,
        shares=shares,
        positive=positive,
        calibration=Calibration(
            temperature=temperature, low=low, high=high, n=each.shape[1], fewest=answers.fewest, kind=answers.run.kind,
            interval=calibrating.temperature_interval(shares, positive, groups, temperature, rounds), figures=figures,
        ),
        changes=changes,
        verdicts=verdicts,
        before=before,
        after=after,
        errors=(first, second),
    )  # fmt: skip


def compared(before: Floats, after: Floats, positive: Bools, groups: Ints, seed: int) -> tuple[Change, ...]:
    """Score both, and their difference on the same pictures, with one bootstrap over whole groups."""
    drawn = np.stack([weights / weights.sum() for weights in drawn_again(groups, seed)])

    def figure(losses: Floats) -> Figure:
        low, high = np.quantile(drawn @ losses, (0.025, 0.975))
        return Figure(value=float(losses.mean()), low=float(low), high=float(high))

    changes = []
    for name, score in SCORES.items():
        first, second = score(before, positive), score(after, positive)
        changes.append(Change(name=name, before=figure(first), after=figure(second), change=figure(second - first)))
    return tuple(changes)


def given(crossed: CrossFitted, positive: Bools, groups: Ints, labels: tuple[str, str]) -> tuple[Verdicts, ...]:
    """Count the verdicts that pictures get by a temperature and a band that were fitted without them."""
    above, below = crossed.shares > crossed.high, crossed.shares < crossed.low
    verdicts = []
    for label, side in zip(labels, (~positive, positive), strict=True):
        right, wrong = (above, below) if label == labels[1] else (below, above)
        kinds = [kind[side] for kind in (right, ~(right | wrong), wrong)]
        own = np.unique(groups[side], return_inverse=True)[1]
        shares = [share(kind[None, :].astype(np.float64), own) for kind in kinds]
        counts = [int(kind.sum()) for kind in kinds]
        verdicts.append(
            Verdicts(label=label, right=counts[0], unsure=counts[1], wrong=counts[2],
                     intervals=tuple((each.low, each.high) for each in shares))
        )  # fmt: skip
    return tuple(verdicts)


def _intervals(change: Change) -> dict[str, list[float]]:
    figures = {"before": change.before, "after": change.after, "change": change.change}
    return {name: [figure.value, figure.low, figure.high] for name, figure in figures.items()}
