"""What `train compare` says of runs."""

from collections.abc import Sequence
from dataclasses import asdict

from imageledger.intervals import p_stated, with_interval
from imageledger.types import Row
from train.compare.judge import SURE, Comparison
from train.evaluation.statistics import Estimate


def conclusion(comparison: Comparison) -> str:
    """Say in one sentence what a comparison shows."""
    first, other, difference = comparison.first, comparison.other, comparison.accuracy
    better, worse, sign = (other, first, 1) if difference.value > 0 else (first, other, -1)
    test = "McNemar" if comparison.first_repeats == comparison.other_repeats == 1 else "sign-flip"
    if comparison.shown:
        ends = sorted((sign * difference.low, sign * difference.high))
        return (
            f"{better} is better than {worse} by {100 * sign * difference.value:.1f} points "
            f"[{100 * ends[0]:.1f}–{100 * ends[1]:.1f}] on {comparison.n} pictures, {test} p {p_stated(comparison.p)}"
        )
    return (
        f"no difference shown between {first} and {other}: {_signed(difference, 100, 1)} points, {test} "
        f"p {p_stated(comparison.p)}; {comparison.n} pictures can only show a difference of about "
        f"{100 * comparison.shows:.0f} points"
    )


def remarks(comparison: Comparison) -> list[str]:
    """Say what a reader must know about a comparison besides its conclusion."""
    pair = f"{comparison.other} against {comparison.first}"
    notes = [f"{pair}: {_pictures(count)} left out: {why}" for why, count in comparison.left_out.items()]
    if max(comparison.first_repeats, comparison.other_repeats) > 1:
        notes.append(
            f"{pair}: means over {comparison.other_repeats} and {comparison.first_repeats} repeats: what one model is "
            "worth, not several together"
        )
    if comparison.groups < comparison.n:
        notes.append(f"{pair}: {comparison.n} pictures in {comparison.groups} groups; a group counts as one draw")
    if not comparison.shown and (comparison.p < SURE or not comparison.accuracy.low <= 0 <= comparison.accuracy.high):
        notes.append(f"{pair}: interval and test disagree; a difference is shown only when both find it")
    return notes


def in_words(comparisons: Sequence[Comparison]) -> list[Row]:
    """Return one row per comparison, for a table: accuracies in %, differences in points, with their intervals."""
    return [
        {
            "run": comparison.other,
            "pictures": comparison.n,
            "accuracy": _percent(comparison.other_accuracy),
            f"accuracy of {comparison.first}": _percent(comparison.first_accuracy),
            "points": _signed(comparison.accuracy, 100, 1),
            "right alone": f"{comparison.other_alone} : {comparison.first_alone}",
            "p": p_stated(comparison.p).removeprefix("= "),
            "AUC": "" if comparison.auc is None else _signed(comparison.auc, 1, 2),
        }
        for comparison in comparisons
    ]


def as_json(comparisons: Sequence[Comparison]) -> list[Row]:
    """Return comparisons as JSON values, each with its conclusion."""
    return [
        {**asdict(comparison), "shown": comparison.shown, "conclusion": conclusion(comparison)}
        for comparison in comparisons
    ]


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"


def _percent(share: Estimate) -> str:
    return with_interval(share.value, share.low, share.high, percent=True)


def _signed(difference: Estimate, times: int, digits: int) -> str:
    numbers = (difference.value, difference.low, difference.high)
    value, low, high = (f"{times * number:+.{digits}f}" for number in numbers)
    return f"{value} [{low} to {high}]"
