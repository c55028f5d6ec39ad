"""`train hold-out` without its console: what a model makes of a generator, or a source, that it has never met.

One model a part, trained without it and judged on it, beside pictures of the other class that it has not seen either:
the worst part says what to expect of the next generation of fakes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imageledger.config import Project
from imageledger.errors import RunError
from imageledger.intervals import share_in_words
from train.config import TrainSettings
from train.evaluation.evaluate import evaluate
from train.evaluation.metrics import score
from train.evaluation.unseen import Figure
from train.folds import Part, hold_out_parts
from train.hold_out import figure as hold_out_figure
from train.models import card as model_card
from train.pictures import Picture, refuse_parted_copies
from train.runs import HOLD_OUT, Prediction, Run, write_predictions
from train.training import series
from train.training import task as training
from train.training.series import Done, Training
from train.training.task import Task

GENERATOR, SOURCE = "generator", "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """The parts that can be left out, what each picture is of ("" for none), and the kinds that cannot be left out."""

    parts: Sequence[Part]
    kinds: Sequence[str]
    bound: Mapping[str, str]


def divide(pictures: Sequence[Picture], labels: Sequence[str], by: str, seed: int) -> Divided:
    """Divide pictures by generator or source; raise RunError, saying why it matters, when nothing can be left out."""
    kinds = _generators(pictures, labels) if by == GENERATOR else [picture.source for picture in pictures]
    names = sorted(set(kinds) - {""})
    bound = {name: label for name in names for label in labels if _only(pictures, kinds, name, label)}
    free = [name for name in names if name not in bound]
    if not free:
        raise _nothing_to_leave_out(by, names, bound, labels)
    groups = [picture.group for picture in pictures]
    parts = hold_out_parts([picture.label for picture in pictures], groups, kinds, free, seed)
    return Divided(parts=parts, kinds=kinds, bound=bound)


def hold_out(
    project: Project,
    todo: Task,
    settings: TrainSettings,
    by: str,
    name: str,
    tell: Callable[..., None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Path, Run]:
    """Train a model a part, without it, write the run's folder, and return it with the contents of run.json.

    The run holds one prediction a picture that was held out, by the model that was trained without its part. It
    carries on where the same command was killed. Raises RunError as `divide` and `training.train` do.
    """
    settings, labels = training.located(project, settings), project.declared.labels
    refuse_parted_copies(todo.pictures)
    divided = divide(todo.pictures, labels, by, settings.seed)
    for kind, label in divided.bound.items():
        say(f"{kind} cannot be left out: it holds all {label} pictures, so what other {label} ones do stays unknown")
    with series.opened(project, todo, settings, name, HOLD_OUT, {"by": by}) as folder:
        done: list[Done] = []
        for one in series.each(folder, name, labels, todo, _trainings(todo.pictures, divided, settings), tell, say):
            say(part_in_words(divided.parts[len(done)], todo.pictures, one))
            done.append(one)
        predictions = together(todo.pictures, divided.parts, done)
        write_predictions(folder, predictions)
        groups = {picture.key: picture.group for picture in todo.pictures}
        judged = evaluate(predictions, labels, [groups[one.key] for one in predictions], seed=settings.seed)
        parts = told(todo.pictures, labels, divided, done, settings.seed)
        run = replace(
            done[0].run, name=name, kind=HOLD_OUT, settings={**done[0].run.settings, "by": by},
            metrics=score(predictions, labels), evaluation={**judged, "by": by, "parts": parts}, early_stopping={},
            file_alone=training.file_alone(project, todo, say),
        )  # fmt: skip
        hold_out_figure.write(folder / "figures", run)
        run.save(folder)
        model_card.write(project, run, folder)
    return project.runs / name, run


def part_in_words(part: Part, pictures: Sequence[Picture], done: Done) -> str:
    """Say how the model fared on the part that it was trained without, in one line."""
    own = {pictures[row].key for row in part.own}
    right = sum(one.label == one.predicted for one in done.predictions if one.key in own)
    kept = " (kept from before)" if done.kept else ""
    return f"without {part.name}: {share_in_words(right, len(own))} of it recognised{kept}"


def together(pictures: Sequence[Picture], parts: Sequence[Part], done: Sequence[Done]) -> list[Prediction]:
    """Return one prediction a picture that was held out: of its own part's model, or else of the one it was beside."""
    by_row: dict[int, Prediction] = {}
    for rows_of in (lambda part: part.beside, lambda part: part.own):
        for fold, (part, one) in enumerate(zip(parts, done, strict=True), 1):
            said = {prediction.key: prediction for prediction in one.predictions}
            for row in rows_of(part):
                by_row[row] = series.of_fold(said[pictures[row].key], fold)
    return [by_row[row] for row in sorted(by_row)]


def told(
    pictures: Sequence[Picture], labels: Sequence[str], divided: Divided, done: Sequence[Done], seed: int
) -> list[dict[str, Any]]:
    """Return what each part came to, the worst first, as run.json holds it.

    `unseen` is the recall of the part's pictures by the model that was trained without it (the balanced accuracy, of
    a part with both classes), `seen` that of those of them that models which know the part had not seen, `other` the
    recall of the held-out pictures of the other class, `auc` of the part among these.
    """
    found = []
    for number, part in enumerate(divided.parts):
        own = {pictures[row].label for row in part.own}
        beside = [row for row in part.beside if pictures[row].label not in own]
        judged = _evaluated(pictures, labels, [(number, row) for row in (*part.own, *beside)], done, seed)
        known = [
            (place, row)
            for place, other in enumerate(divided.parts) if place != number
            for row in other.beside if divided.kinds[row] == part.name
        ]  # fmt: skip
        seen = _evaluated(pictures, labels, list({row: (place, row) for place, row in known}.values()), done, seed)
        label = own.pop() if len(own) == 1 else ""
        rest = next((other for other in labels if other != label), "") if label else ""
        found.append({
            "name": part.name, "label": label, "pictures": len(part.own), "trained_on": len(part.rest),
            "unseen": _figure(judged, label), "seen": _figure(seen, label),
            "other": judged["recall"][rest] if rest else {}, "auc": judged["auc"],
        })  # fmt: skip
    return sorted(found, key=lambda one: one["unseen"].get("value", 1.0))


def _trainings(pictures: Sequence[Picture], divided: Divided, settings: TrainSettings) -> list[Training]:
    return [
        Training(
            name=f"1-{fold}",
            pictures=series.with_split(pictures, part.rest, (*part.own, *part.beside)),
            settings=settings,
        )
        for fold, part in enumerate(divided.parts, 1)
    ]


def _evaluated(
    pictures: Sequence[Picture],
    labels: Sequence[str],
    asked: Sequence[tuple[int, int]],
    done: Sequence[Done],
    seed: int,
) -> dict[str, Any]:
    """Evaluate what the model of a training said of a picture, for pairs (training, row)."""
    if not asked:
        return {}
    said = [{one.key: one for one in trained.predictions} for trained in done]
    predictions = [said[place][pictures[row].key] for place, row in asked]
    return evaluate(predictions, labels, [pictures[row].group for _, row in asked], seed=seed)


def _figure(evaluated: Mapping[str, Any], label: str) -> Figure:
    if not evaluated:
        return {}
    return evaluated["recall"][label] if label else evaluated["balanced_accuracy"]


def _generators(pictures: Sequence[Picture], labels: Sequence[str]) -> list[str]:
    """Return what made each picture of the positive class, "" for the others."""
    made = [picture for picture in pictures if picture.label == labels[-1]]
    if unnamed := sum(not picture.generator for picture in made):
        raise RunError(
            f"{unnamed} of {len(made)} {labels[-1]} pictures do not say what made them, and one of them may come from "
            "the generator that is left out",
            "set generator = in their [[source]] of imageledger.toml, then curate run",
        )
    return [picture.generator if picture.label == labels[-1] else "" for picture in pictures]


def _only(pictures: Sequence[Picture], kinds: Sequence[str], name: str, label: str) -> bool:
    """Tell whether all pictures of a class are of one kind, so that nothing of it is left without them."""
    return {kind for picture, kind in zip(pictures, kinds, strict=True) if picture.label == label} == {name}


def _nothing_to_leave_out(by: str, names: Sequence[str], bound: Mapping[str, str], labels: Sequence[str]) -> RunError:
    if by == GENERATOR:
        return RunError(
            f"all {labels[-1]} pictures were made by {names[0]}: without it there is nothing to train on, so nobody "
            "can say what happens on a generator that the model has not met, which is where such models fail",
            'add a [[source]] with pictures of another generator, such as generator = "sd15", then curate run',
        )
    held = ", ".join(f"{name} all {label} ones" for name, label in bound.items())
    return RunError(
        f"no source can be left out: {held}; so nobody can say whether the model knows faces or these sources",
        "add a second source of each class to imageledger.toml, then curate run",
    )
