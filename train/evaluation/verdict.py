"""What a training came to, in sentences: better than a coin, than the file alone, or learned by heart. Pure.

Every comparison goes by intervals over groups of pictures that the model had not seen. "Not shown" is not "no".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from imageledger.intervals import with_interval
from imageledger.letters import visible
from train.pictures import TRAIN, VALID
from train.runs import CROSS_VALIDATION, HOLD_OUT, SPLIT, Run

BETTER, NOT_BETTER, WORSE = "better-than-a-coin", "not-better-than-a-coin", "worse-than-a-coin"
FILE, NO_BETTER_THAN_FILE = "better-than-the-file", "not-better-than-the-file"
BY_HEART = "learned-by-heart"
CROSS_VALIDATE, MORE_PICTURES = "cross-validate", "more-pictures"

WIDE = 0.2
"""An interval wider than this says little; more pictures to judge by would narrow it."""

CHANCE = 0.05
"""A p-value below this is more than chance, where a model is compared with the file picture by picture."""

Share = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that a training came to: a short code for scripts, and the sentence for people."""

    code: str
    sentence: str


def verdict(run: Run, crossed: str = "") -> list[Said]:
    """Say what a run shows and what it does not, and last what would show more.

    The first is whether the model is better than a coin; of a run that held generators or sources out, on the worst of
    them. Then follow the file alone, where it was measured, and that the training pictures were learned by heart, where
    intervals show it. `crossed` names a cross-validated run of the same pictures, where there is one.
    """
    measured = accuracy(run)
    if measured is None:
        return []
    said = [_beside_coin(run, measured), *_beside_file(run, measured), *_by_heart(run, measured)]
    return [*said, *_what_helps(run, measured, {each.code for each in said}, crossed)]


def sentences(run: Run, crossed: str = "") -> list[str]:
    """Return the sentences of the verdict on a run, in order."""
    return [each.sentence for each in verdict(run, crossed)]


def accuracy(run: Run) -> Share | None:
    """Return the accuracy on pictures that the model had not seen, with its 95 % interval; None where none were judged.

    With folds the interval covers the training sets too.
    """
    figure = run.evaluation.get("accuracy", {})
    if "value" in figure:
        return figure["value"], figure["low"], figure["high"]
    return _share(run.metrics.get(VALID, {}).get("accuracy"))


def beats_file(run: Run) -> bool | None:
    """Tell whether the model is shown to be right more often than the file alone; None where that was not measured.

    It is compared picture by picture; in runs of older versions, which were not, the intervals must lie apart.
    """
    measured = accuracy(run)
    if not run.file_alone or measured is None:
        return None
    if beside := run.file_alone.get("beside"):
        return bool(beside["p"] < CHANCE and beside["low"] > 0)
    return bool(measured[1] > _alone(run)[2])


def least_learned(metrics: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return, of several trainings, the training accuracy that was lowest, as `metrics.score` has it; {} for none."""
    known = [each[TRAIN]["accuracy"] for each in metrics if TRAIN in each]
    return min(known, key=lambda share: share["interval"][0], default={})


def _beside_coin(run: Run, measured: Share) -> Said:
    if run.kind == HOLD_OUT and (parts := [part for part in run.evaluation["parts"] if "low" in part["auc"]]):
        return _parts_beside_coin(run.evaluation["by"], parts)
    label, base = _constant(run)
    coin = "a coin" if base <= 0.5 else f"always answering {visible(label)}, which is right about {100 * base:.0f} %"
    right = f"it is right about {_percent(measured)} of {_judged(run)} pictures that it had not seen"
    if measured[1] > base:
        return Said(code=BETTER, sentence=f"Better than {coin}: {right}.")
    if measured[2] < base:
        return Said(
            code=WORSE,
            sentence=f"Worse than {coin}: {right}. Labels that are mixed up, or copies across the split, do that; "
            "audit leaks looks for them.",
        )
    return Said(code=NOT_BETTER, sentence=f"Not shown to be better than {coin}: {right}.")


def _parts_beside_coin(by: str, parts: list[Mapping[str, Any]]) -> Said:
    unshown = [part for part in parts if part["auc"]["low"] <= 0.5]
    if not unshown:
        worst = min(parts, key=lambda part: part["auc"]["low"])
        auc = with_interval(worst["auc"]["value"], worst["auc"]["low"], worst["auc"]["high"])
        return Said(
            code=BETTER,
            sentence=f"Better than a coin on every {by} that it had not seen: AUC {auc} on the worst, "
            f"{visible(worst['name'])}.",
        )
    named = ", ".join(visible(part["name"]) for part in unshown[:3]) + (", …" if len(unshown) > 3 else "")
    of = f"{len(unshown)} of {len(parts)}"
    return Said(
        code=NOT_BETTER, sentence=f"Not shown to be better than a coin on {of} it had not seen, by {by}: {named}."
    )


def _beside_file(run: Run, measured: Share) -> list[Said]:
    better = beats_file(run)
    if better is None:
        return []
    alone = f"a probe of the file alone, which sees no face, is right about {_percent(_alone(run))}"
    if beside := run.file_alone.get("beside"):
        apart = (100 * beside[name] for name in ("difference", "low", "high"))
        alone += f" (picture by picture, the model is {with_interval(*apart, digits=0, signed=True)} points ahead)"
    if better:
        return [Said(code=FILE, sentence=f"Better than the file alone: {alone}.")]
    return [Said(code=NO_BETTER_THAN_FILE, sentence=f"Not shown to be better than the file alone: {alone}.")]


def _by_heart(run: Run, measured: Share) -> list[Said]:
    learned = _share(run.metrics.get(TRAIN, {}).get("accuracy") or run.evaluation.get("train_accuracy"))
    if learned is None or learned[1] <= measured[2]:
        return []
    return [
        Said(
            code=BY_HEART,
            sentence=f"Learned by heart: it is right about {_percent(learned)} of its training pictures, and about "
            f"{_percent(measured)} of others. Only the second figure says what it has understood.",
        )
    ]


def _what_helps(run: Run, measured: Share, codes: set[str], crossed: str) -> list[Said]:
    undecided = codes & {NOT_BETTER, NO_BETTER_THAN_FILE} or measured[2] - measured[1] > WIDE
    if not undecided:
        return []
    if run.kind == SPLIT and TRAIN in run.metrics:
        judged, every = _judged(run), _judged(run) + run.metrics[TRAIN]["accuracy"]["n"]
        by_all = f"all {every} pictures rather than {judged}, each by a model that had not seen it"
        who = f"Run {visible(crossed)} has judged" if crossed else "train cross-validate judges"
        return [Said(code=CROSS_VALIDATE, sentence=f"{who} {by_all}.")]
    if run.kind == CROSS_VALIDATION:
        return [
            Said(
                code=MORE_PICTURES,
                sentence="All pictures have been judged: only more pictures show more. Four times as many halve the "
                "interval.",
            )
        ]
    return []


def _constant(run: Run) -> tuple[str, float]:
    """Return the label of the larger class, and its share: what always giving this answer would reach."""
    confusion = run.metrics.get(VALID, {}).get("confusion", {})
    sizes = {label: sum(row.values()) for label, row in confusion.items()}
    if not sum(sizes.values()):
        return "", 0.5
    label = max(sizes, key=lambda name: sizes[name])
    return label, sizes[label] / sum(sizes.values())


def _judged(run: Run) -> int:
    return int(run.metrics[VALID]["accuracy"]["n"])


def _alone(run: Run) -> Share:
    figure = run.file_alone["valid" if run.kind == SPLIT else "all"]
    return figure["hits"] / max(figure["n"], 1), figure["low"], figure["high"]


def _share(figure: Mapping[str, Any] | None) -> Share | None:
    if not figure:
        return None
    low, high = figure["interval"]
    return figure["share"], low, high


def _percent(share: Share) -> str:
    return with_interval(*share, percent=True)
