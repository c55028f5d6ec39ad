"""The one thing to do next, chosen from what has been done: facts in, a sentence and a command out. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from statistics import NormalDist

from audit.report.verdict import COIN
from train.runs import CROSS_VALIDATION, HOLD_OUT, SPLIT

ENOUGH = 100
"""Pictures per class below which the first advice is more pictures: chance alone reaches AUC 0.59 with 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do next, and why, in one sentence; `command` is what to type."""

    sentence: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What has been done so far.

    `stage` is the command of the first stage that is not current ("" when all are), `counts` the chosen pictures per
    class, `accuracy` the value and interval of the run, `audits` the names of the audits of the run and dataset that
    have results, `one_sided` whether every source holds a single class.
    """

    stage: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    run: str = ""
    kind: str = ""
    accuracy: tuple[float, float, float] | None = None
    file_verdict: str = ""
    recipe: str = ""
    whitened: bool = False
    matched: bool = False
    one_sided: bool = False
    generators: int = 0
    mistakes: int = 0
    decided: int = 0
    audits: frozenset[str] = frozenset()


def next_step(done: Done) -> Step:
    """Return the first step that is not done yet, in the order in which each stands on the one before."""
    return next(step for step in (choose(done) for choose in ORDER) if step)


def _stage(done: Done) -> Step | None:
    if not done.stage:
        return None
    if not done.counts:
        return Step(sentence="There are no pictures yet. Fetch some of both classes.", command="curate fetch --help")
    return Step(sentence="The final set is not made from the newest pictures yet.", command="curate run")


def _small(done: Done) -> Step | None:
    fewest = min(done.counts, key=lambda label: done.counts[label])
    if done.counts[fewest] >= ENOUGH:
        return None
    return Step(
        sentence=f"There are {done.counts[fewest]} {fewest} pictures. Below {ENOUGH} per class hardly anything can be "
        f"shown; fetch more {fewest} pictures, from a source that holds both classes if you can.",
        command=f"curate fetch SOURCE --label {fewest}",
    )


def _untrained(done: Done) -> Step | None:
    if done.run:
        return None
    return Step(sentence="No model has been trained on these pictures.", command="train cross-validate --recipe frozen")


def _unprobed(done: Done) -> Step | None:
    if "shortcuts" in done.audits:
        return None
    return Step(
        sentence="What the files give away has not been measured stage by stage.", command="audit shortcuts --stage all"
    )


def _shortcut(done: Done) -> Step | None:
    if done.file_verdict != "SHORTCUT":
        return None
    if done.recipe != "forensic":
        return Step(
            sentence="The files tell the classes apart, and the recipe forensic has not been tried: it makes the "
            "delivery of both classes alike.",
            command="curate normalize --recipe forensic --save",
        )
    if not done.whitened:
        return Step(sentence="The files tell the classes apart, and the backgrounds are still in the pictures.",
                    command="curate whiten")  # fmt: skip
    if not done.matched:
        return Step(sentence="The files tell the classes apart. Choose pictures whose numbers are alike in both "
                    "classes.", command="curate manifest --match all")  # fmt: skip
    if done.one_sided:
        return Step(sentence="Everything that curation can do has been done, and the files still tell the classes "
                    "apart. Each source holds one class only: fetch both classes from the same source.",
                    command="curate fetch SOURCE --labels 'GLOB=LABEL,GLOB=LABEL'")  # fmt: skip
    if "reliance" not in done.audits:
        return Step(sentence="The files still tell the classes apart. Test whether the model goes by them.",
                    command=f"audit reliance {done.run}")  # fmt: skip
    return None


def _split(done: Done) -> Step | None:
    if done.kind != SPLIT:
        return None
    return Step(
        sentence="Only the validation pictures were judged, so the interval is wide. Cross-validation judges every "
        "picture by a model that has not seen it.",
        command="train cross-validate",
    )


def _coin(done: Done) -> Step | None:
    if done.accuracy is None or done.accuracy[1] > COIN or done.accuracy[0] <= COIN:
        return None
    return Step(
        sentence="The model is not shown to be better than a coin. If it is as good as it looks, about "
        f"{needed(done.accuracy[0])} pictures per class would show it four times in five.",
        command="curate fetch SOURCE --label LABEL",
    )


def _undecided(done: Done) -> Step | None:
    if not done.mistakes or done.decided:
        return None
    return Step(
        sentence=f"Look at the {done.mistakes} portraits that the model got wrong, and decide which labels, mattes or "
        "pictures are at fault.",
        command=f"audit review {done.run}",
    )


def _generators(done: Done) -> Step | None:
    if done.kind == HOLD_OUT:
        return None
    if done.generators < 2:
        return Step(
            sentence="All AI pictures are of one generator, so nothing is known about any other. Fetch a second one.",
            command="curate fetch SOURCE --label ai --generator NAME",
        )
    return Step(sentence="How the model does on a generator that it has not seen has not been measured.",
                command="train hold-out")  # fmt: skip


def _unmeasured(done: Done) -> Step | None:
    words = {
        "reliance": "Whether the model goes by how a picture was delivered has not been measured.",
        "robustness": "What recompression and scaling do to the answers has not been measured.",
        "calibration": "Whether the probabilities come true has not been measured.",
    }
    if done.kind != CROSS_VALIDATION:
        return None
    missing = next((name for name in words if name not in done.audits), None)
    return Step(sentence=words[missing], command=f"audit {missing} {done.run}") if missing else None


def _finished(done: Done) -> Step | None:
    return Step(
        sentence="Everything here has been measured. Use the model on new pictures, as long as they come as these did.",
        command=f"train export {done.run}",
    )


def needed(share: float) -> int:
    """Return how many pictures per class show that such an accuracy is more than a coin, with a power of 80 %."""
    normal = NormalDist()
    reach = normal.inv_cdf(0.975) * COIN + normal.inv_cdf(0.8) * (share * (1 - share)) ** 0.5
    return ceil((reach / (share - COIN)) ** 2 / 2)


ORDER: tuple[Callable[[Done], Step | None], ...] = (
    _stage, _small, _untrained, _unprobed, _coin, _shortcut, _split, _undecided, _unmeasured, _generators, _finished,
)  # fmt: skip
