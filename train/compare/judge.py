"""Is one model better than another? Asked of the same pictures, judged by both without having seen them. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from imageledger.errors import RunError
from imageledger.intervals import holm
from imageledger.types import Floats
from train.evaluation import statistics
from train.evaluation.statistics import Estimate
from train.pictures import TRAIN, VALID
from train.runs import Prediction

Key = tuple[str, str]
SURE = 0.05
POWER = 2.8
"""Standard errors of a difference that would be shown in four of five such comparisons (1.96 + 0.84)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One run to compare: its name, its labels (negative, positive), and all that it said.

    `repeats` holds what each repeat of a cross-validation said of each picture (by key), where there are several: the
    mean over them tells what one model is worth, `predictions` what they would be worth together.
    """

    name: str
    labels: tuple[str, str]
    predictions: Sequence[Prediction]
    repeats: Mapping[Key, Sequence[Prediction]] = field(default_factory=dict)

    def rounds(self, rows: Sequence[Prediction]) -> list[list[Prediction]]:
        """Return what was said of the pictures of some of its predictions, one list a repeat."""
        return [list(one) for one in zip(*(self.repeats.get(row.key, [row]) for row in rows), strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the pictures that two runs judged say of them; differences are other minus first, shares in 0..1.

    `first_alone` and `other_alone` count the pictures that one got right and the other wrong; of repeated runs
    those that it got right more often, and accuracies are means over the repeats. `p` is that of McNemar's exact test
    (flips of the signs of groups, and of what all repeats of a picture say together), corrected after Holm (1979) for
    being one of several.
    `shows` is the smallest difference of accuracy that as many pictures would show in four of five cases.
    `left_out` counts the other pictures by reason.
    """

    first: str
    other: str
    n: int
    groups: int
    first_accuracy: Estimate
    other_accuracy: Estimate
    accuracy: Estimate
    first_alone: int
    other_alone: int
    p: float
    shows: float
    first_auc: Estimate | None
    other_auc: Estimate | None
    auc: Estimate | None
    left_out: Mapping[str, int]
    first_repeats: int = 1
    other_repeats: int = 1

    @property
    def shown(self) -> bool:
        """Whether a difference is shown: by the test, and by the interval."""
        return self.p < SURE and not self.accuracy.low <= 0 <= self.accuracy.high


def compare(
    sides: Sequence[Side], groups: Mapping[Key, str] | None = None, *, seed: int = 42
) -> list[Comparison]:  # fmt: skip
    """Compare every run with the first one, on the pictures that both judged without having trained on them.

    `groups` names the group of a picture by its key; a picture that is not in it is a group of its own. Raises
    RunError when there are fewer than two runs, when they share no such picture, or disagree about labels.
    """
    if len(sides) < 2:
        raise RunError("a comparison needs two runs", "train compare FIRST OTHER")
    found = [_compare(sides[0], other, groups or {}, seed) for other in sides[1:]]
    corrected = holm([one.p for one in found])
    return [replace(one, p=p) for one, p in zip(found, corrected, strict=True)]


def conclusion(one: Comparison) -> str:
    """Say in one sentence what a comparison shows."""
    points = 100 * one.accuracy.value
    test = "McNemar" if one.first_repeats == one.other_repeats == 1 else "sign-flip"
    interval = f"[{100 * one.accuracy.low:.1f} to {100 * one.accuracy.high:.1f}]"
    if one.shown:
        better, worse = (one.other, one.first) if points > 0 else (one.first, one.other)
        if points < 0:
            interval = f"[{-100 * one.accuracy.high:.1f} to {-100 * one.accuracy.low:.1f}]"
        return (
            f"{better} is better than {worse} by {abs(points):.1f} points {interval} on {one.n} pictures, "
            f"{test} p {_p(one.p)}"
        )
    return (
        f"no difference shown between {one.first} and {one.other}: {points:+.1f} points {interval}, {test} "
        f"p {_p(one.p)}; {one.n} pictures could only have shown one of about {100 * one.shows:.0f} points"
    )


def remarks(one: Comparison) -> list[str]:
    """Say what a reader must know about a comparison besides its conclusion."""
    pair = f"{one.other} against {one.first}"
    said = [f"{pair}: {_pictures(count)} left out: {why}" for why, count in one.left_out.items()]
    if max(one.first_repeats, one.other_repeats) > 1:
        said.append(
            f"{pair}: means over {one.other_repeats} and {one.first_repeats} repeats, so what one model is worth, "
            "not several together"
        )
    if one.groups < one.n:
        said.append(f"{pair}: {one.n} pictures in {one.groups} groups; a group counts as one draw")
    if not one.shown and (one.p < SURE or not one.accuracy.low <= 0 <= one.accuracy.high):
        said.append(f"{pair}: interval and test do not agree; a difference is shown when both find it")
    return said


def in_words(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return one row a comparison, for a table: accuracies in %, differences in points, with their intervals."""
    return [
        {
            "run": one.other,
            "pictures": one.n,
            "accuracy": _percent(one.other_accuracy),
            f"of {one.first}": _percent(one.first_accuracy),
            "points": _points(one.accuracy),
            "alone right": f"{one.other_alone} : {one.first_alone}",
            "p": _p(one.p).removeprefix("= "),
            "AUC": "" if one.auc is None else f"{one.auc.value:+.3f} [{one.auc.low:+.3f} {one.auc.high:+.3f}]",
        }
        for one in comparisons
    ]


def plain(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return comparisons as JSON values, each with its conclusion."""
    return [{**asdict(one), "shown": one.shown, "conclusion": conclusion(one)} for one in comparisons]


def _compare(first: Side, other: Side, groups: Mapping[Key, str], seed: int) -> Comparison:
    ones, others, left_out = _paired(first, other)
    names = [groups.get(row.key) or "\0".join(row.key) for row in ones]
    group = np.asarray(np.unique(np.asarray(names), return_inverse=True)[1])
    positive = np.array([row.label == first.labels[1] for row in ones])
    said = [side.rounds(rows) for side, rows in ((first, ones), (other, others))]
    stretches = [_stretch(rounds[0]) for rounds in said]
    right = [np.array([[row.predicted == row.label for row in one] for one in rounds], dtype=float) for rounds in said]
    apart = _pairs(*right)
    accuracy, error = statistics.difference(apart, group, max(stretches), seed=seed)
    alone = apart.sum(axis=0)
    areas: list[Estimate | None] = [None, None, None]
    if positive.any() and not positive.all():
        areas = list(_areas(said, positive, group, stretches, seed))
    return Comparison(
        first=first.name, other=other.name, n=len(ones), groups=len(set(names)), accuracy=accuracy,
        first_accuracy=statistics.share(right[0], group, stretches[0]),
        other_accuracy=statistics.share(right[1], group, stretches[1]),
        first_alone=int((alone < 0).sum()), other_alone=int((alone > 0).sum()),
        p=statistics.sign_flip(alone.astype(np.intp), group), shows=POWER * error,
        first_auc=areas[0], other_auc=areas[1], auc=areas[2], left_out=left_out,
        first_repeats=len(right[0]), other_repeats=len(right[1]),
    )  # fmt: skip


def _paired(first: Side, other: Side) -> tuple[list[Prediction], list[Prediction], dict[str, int]]:
    """Return the rows of both runs on the same pictures, in the order of the first, and why others were left out."""
    if first.labels != other.labels:
        raise RunError(
            f"{first.name} tells {' from '.join(first.labels)}, {other.name} {' from '.join(other.labels)}",
            "compare runs of the same labels, in the same order",
        )
    known, theirs = _by_key(first), _by_key(other)
    both = [key for key in known if key in theirs]
    if unlike := [key for key in both if known[key].label != theirs[key].label]:
        raise RunError(
            f"{unlike[0][1]} is {known[unlike[0]].label} in {first.name} and {theirs[unlike[0]].label} in "
            f"{other.name}; {len(unlike)} labels differ",
            "train both on the same manifest",
        )
    judged = [key for key in both if known[key].split == theirs[key].split == VALID]
    same = [key for key in judged if known[key].file == theirs[key].file]
    seen = [
        (f"trained on by {side.name}", sum(rows[key].split == TRAIN and facing[key].split == VALID for key in both))
        for side, rows, facing in ((first, known, theirs), (other, theirs, known))
    ]
    reasons = [
        *seen,
        ("trained on by both", sum(known[key].split == theirs[key].split == TRAIN for key in both)),
        ("other pixels (a different file)", len(judged) - len(same)),
        ("in one of the runs only", len(known.keys() ^ theirs.keys())),
    ]
    left_out = {why: count for why, count in reasons if count}
    if not same:
        told = "; ".join(f"{count} {why}" for why, count in left_out.items())
        raise RunError(
            f"{first.name} and {other.name} share no picture that both judged without having trained on it: {told}",
            "train both on the same manifest; train cross-validate judges all of its pictures",
        )
    return [known[key] for key in same], [theirs[key] for key in same], left_out


def _by_key(side: Side) -> dict[Key, Prediction]:
    rows = {row.key: row for row in side.predictions}
    if len(rows) < len(side.predictions):
        raise RunError(f"{side.name} holds pictures twice in predictions.jsonl", "train the run again")
    return rows


def _stretch(rows: Sequence[Prediction]) -> float:
    """Return the correction for folds that share training pictures; 1 without folds."""
    folds = len({row.fold for row in rows})
    return statistics.correction(1, folds - 1) if folds > 1 else 1.0


def _areas(
    said: Sequence[Sequence[Sequence[Prediction]]], positive: Any, group: Any, stretches: Sequence[float], seed: int
) -> tuple[Estimate, Estimate, Estimate]:
    """Estimate both AUCs and their difference; each picture contributes its influence on it."""
    areas, influences = [], []
    for rounds, stretch in zip(said, stretches, strict=True):
        scores = np.array([[row.probability for row in rows] for rows in rounds])
        folds = np.array([[row.fold or 0 for row in rows] for rows in rounds], dtype=np.intp)
        areas.append(statistics.auc(scores, positive, group, folds, stretch))
        found = [statistics.placed(one, positive, fold) for one, fold in zip(scores, folds, strict=True)]
        influences.append(np.array([area + len(positive) * influence for area, influence in found]))
    return areas[0], areas[1], statistics.difference(_pairs(*influences), group, max(stretches), seed=seed)[0]


def _pairs(first: Floats, other: Floats) -> Floats:
    """Return every round of the other less every round of the first, picture by picture: rounds x n."""
    return np.asarray(other[:, None] - first[None]).reshape(-1, first.shape[1])


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _percent(one: Estimate) -> str:
    return f"{100 * one.value:.1f} [{100 * one.low:.1f}-{100 * one.high:.1f}]"


def _points(one: Estimate) -> str:
    return f"{100 * one.value:+.1f} [{100 * one.low:+.1f} {100 * one.high:+.1f}]"
