"""Is one model better than another? Asked of the same pictures, judged by both without having seen them. No torch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from imageledger.errors import RunError
from imageledger.intervals import holm
from imageledger.types import Bools, Floats, Ints
from train.answers import Answers
from train.evaluation import statistics
from train.evaluation.statistics import Estimate
from train.pictures import TRAIN, VALID
from train.table import Rounds

SURE = 0.05
POWER = 2.8
"""Standard errors of a difference that would be shown in four of five such comparisons (1.96 + 0.84)."""


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


def compare(answers: Sequence[Answers], *, seed: int = 42) -> list[Comparison]:
    """Compare every run with the first one, on the pictures that both judged without having trained on them.

    Raises RunError when there are fewer than two runs, when they share no such picture, or disagree about labels.
    """
    if len(answers) < 2:
        raise RunError("a comparison needs two runs", "train compare FIRST OTHER")
    comparisons = [_compare(answers[0], other, seed) for other in answers[1:]]
    corrected = holm([comparison.p for comparison in comparisons])
    return [replace(comparison, p=p) for comparison, p in zip(comparisons, corrected, strict=True)]


def _compare(first: Answers, other: Answers, seed: int) -> Comparison:
    mine, theirs, left_out = _paired(first, other)
    group = np.asarray(np.unique(np.asarray(_groups(mine, theirs)), return_inverse=True)[1])
    positive = mine.positive
    rounds = [mine.rounds(), theirs.rounds()]
    stretches = [_stretch(side.folds[0]) for side in rounds]
    right = [((side.shares > 0.5) == positive).astype(np.float64) for side in rounds]
    apart = _pairs(*right)
    accuracy, error = statistics.difference(apart, group, max(stretches), seed=seed)
    alone = apart.sum(axis=0)
    areas: list[Estimate | None] = [None, None, None]
    if positive.any() and not positive.all():
        areas = list(_areas(rounds, positive, group, stretches, seed))
    return Comparison(
        first=first.run.name, other=other.run.name, n=len(positive), groups=int(group.max()) + 1, accuracy=accuracy,
        first_accuracy=statistics.share(right[0], group, stretches[0]),
        other_accuracy=statistics.share(right[1], group, stretches[1]),
        first_alone=int((alone < 0).sum()), other_alone=int((alone > 0).sum()),
        p=statistics.sign_flip(alone.astype(np.intp), group), shows=POWER * error,
        first_auc=areas[0], other_auc=areas[1], auc=areas[2], left_out=left_out,
        first_repeats=len(right[0]), other_repeats=len(right[1]),
    )  # fmt: skip


def _paired(first: Answers, other: Answers) -> tuple[Answers, Answers, dict[str, int]]:
    """Return the answers of both runs to the same pictures, in the order of the first, and why others were left out."""
    if first.labels != other.labels:
        raise RunError(
            f"{first.run.name} tells {' from '.join(first.labels)}, {other.run.name} {' from '.join(other.labels)}",
            "compare runs of the same labels, in the same order",
        )
    known, rows = first.rows_by_key(), other.rows_by_key()
    both = [(row, rows[key]) for key, row in known.items() if key in rows]
    pairs = [(first.predictions[row], other.predictions[place]) for row, place in both]
    if unlike := [pair for pair in pairs if pair[0].label != pair[1].label]:
        mine, theirs = unlike[0]
        raise RunError(
            f"{mine.member} is {mine.label} in {first.run.name} and {theirs.label} in {other.run.name}; "
            f"{len(unlike)} labels differ",
            "train both on the same manifest",
        )
    held = [places for places, (mine, theirs) in zip(both, pairs, strict=True) if mine.split == theirs.split == VALID]
    same = [places for places in held if first.files[places[0]] == other.files[places[1]]]
    splits = Counter((mine.split, theirs.split) for mine, theirs in pairs)
    reasons = {
        f"trained on by {first.run.name}": splits[TRAIN, VALID],
        f"trained on by {other.run.name}": splits[VALID, TRAIN],
        "trained on by both": splits[TRAIN, TRAIN],
        "other pixels (a different file)": len(held) - len(same),
        "in only one of the runs": len(known.keys() ^ rows.keys()),
    }
    left_out = {why: count for why, count in reasons.items() if count}
    if not same:
        why = "; ".join(f"{count} {why}" for why, count in left_out.items())
        raise RunError(
            f"{first.run.name} and {other.run.name} share no picture that both judged without having trained on it: "
            f"{why}",
            "train both on the same manifest; train cross-validate judges all of its pictures",
        )
    return first.pick(row for row, _ in same), other.pick(row for _, row in same), left_out


def _groups(mine: Answers, theirs: Answers) -> list[str]:
    """Return the group of each picture, by whichever run's manifest still has it."""
    pictures = zip(mine.records, mine.groups, theirs.groups, strict=True)
    return [group if record else other for record, group, other in pictures]


def _stretch(folds: Ints) -> float:
    """Return the correction for folds that share training pictures; 1 without folds."""
    number = len(np.unique(folds))
    return statistics.correction(1, number - 1) if number > 1 else 1.0


def _areas(
    rounds: Sequence[Rounds], positive: Bools, group: Ints, stretches: Sequence[float], seed: int
) -> tuple[Estimate, Estimate, Estimate]:
    """Estimate both AUCs and their difference; each picture contributes its influence on it."""
    areas, influences = [], []
    for side, stretch in zip(rounds, stretches, strict=True):
        areas.append(statistics.auc(side.shares, positive, group, side.folds, stretch))
        placed = [
            statistics.placed(shares, positive, folds) for shares, folds in zip(side.shares, side.folds, strict=True)
        ]
        influences.append(np.array([area + len(positive) * influence for area, influence in placed]))
    return areas[0], areas[1], statistics.difference(_pairs(*influences), group, max(stretches), seed=seed)[0]


def _pairs(first: Floats, other: Floats) -> Floats:
    """Return every round of the other less every round of the first, picture by picture: rounds x n."""
    return np.asarray(other[:, None] - first[None]).reshape(-1, first.shape[1])
