"""What `train hold-out` does: it tests a model on a generator, or a source, that it was not trained on.

There is one model per part, trained without it and judged on it, beside pictures of the other class that it has not
seen either: the worst part tells what to expect of the next generation of fakes.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from imageledger.config import Project
from imageledger.counted import Counted
from imageledger.errors import RunError
from imageledger.types import Key, Track, untracked
from train.config import TrainSettings
from train.evaluation import foreign
from train.evaluation.evaluate import evaluate
from train.evaluation.foreign import Asked
from train.evaluation.metrics import score
from train.evaluation.unseen import Figure
from train.evaluation.verdict import least_learned
from train.folds import Part, hold_out_parts
from train.hold_out import figure
from train.models import card
from train.pictures import Picture, groups_by_key, refuse_parted_copies
from train.runs import HOLD_OUT, Prediction, Run, write_predictions
from train.table import Rounds
from train.training import series
from train.training import task as training
from train.training.progress import batches
from train.training.series import Done, Training
from train.training.settings import ready

logger = logging.getLogger(__name__)

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
    manifest: Path | None = None,
    *,
    by: str = GENERATOR,
    name: str | None = None,
    settings: TrainSettings,
    track: Track = untracked,
) -> Run:
    """Train a model without each part in turn, write the run's folder, and return the contents of run.json.

    The run holds one prediction per picture that was held out, by the model that was trained without its part. It
    carries on where the same command was killed. Raises RunError as `divide` and `train.run.work.run` do.
    """
    settings, labels = ready(project, settings), project.declared.labels
    name = training.run_name(project, settings, name, "without")
    task = training.task(project, manifest)
    logger.info("run %s: %s on %d pictures, leaving out each %s", name, settings.arch, len(task.pictures), by)
    refuse_parted_copies(task.pictures)
    divided = divide(task.pictures, labels, by, settings.seed)
    for kind, label in divided.bound.items():
        logger.info("%s cannot be left out: it holds all %s pictures", kind, label)
    with series.opened(project, task, settings, name, HOLD_OUT, {"by": by}) as place:
        done: list[Done] = []
        with batches(track) as tell:
            for each in series.each(place, name, labels, task, _trainings(task.pictures, divided, settings), tell):
                logger.info("%s", part_in_words(divided.parts[len(done)], task.pictures, each))
                done.append(each)
        predictions = together(task.pictures, divided.parts, done)
        write_predictions(place, predictions)
        groups = groups_by_key(task.pictures)
        judged = evaluate(
            predictions, labels, [groups[row.key] for row in predictions], rounds=by_model(predictions),
            seed=settings.seed,
        )  # fmt: skip
        parts = evaluated(task.pictures, labels, divided, done, by, settings.seed)
        run = replace(
            done[0].run, name=name, kind=HOLD_OUT, settings={**done[0].run.settings, "by": by},
            metrics=score(predictions, labels, groups), evaluation={**judged, "by": by, "parts": parts,
                        "train_accuracy": least_learned(each.run.metrics for each in done)},
            early_stopping={},
            file_alone=training.file_alone(project, task, predictions, by_model(predictions), track=track),
        )  # fmt: skip
        figure.write(place / "figures", run)
        run.save(place)
        card.write(project, run, place)
    return run


def part_in_words(part: Part, pictures: Sequence[Picture], done: Done) -> str:
    """Say how the model fared on the part that it was trained without, in one line."""
    groups = groups_by_key(pictures[row] for row in part.own)
    own = [row for row in done.predictions if row.key in groups]
    right = Counted(np.array([row.label == row.predicted for row in own], dtype=bool), [groups[row.key] for row in own])
    kept = " (kept from before)" if done.kept else ""
    return f"without {part.name}: {right} of its pictures recognised{kept}"


def together(pictures: Sequence[Picture], parts: Sequence[Part], done: Sequence[Done]) -> list[Prediction]:
    """Return one prediction per held-out picture: by its own part's model, else by the one it was held out beside."""
    by_row: dict[int, Prediction] = {}
    for rows_of in (lambda part: part.beside, lambda part: part.own):
        for fold, (part, each) in enumerate(zip(parts, done, strict=True), 1):
            answers = {prediction.key: prediction for prediction in each.predictions}
            for row in rows_of(part):
                by_row[row] = series.of_fold(answers[pictures[row].key], fold)
    return [by_row[row] for row in sorted(by_row)]


def by_model(predictions: Sequence[Prediction]) -> Rounds | None:
    """Return the answers with the model that gave each, so that no scores of two models are compared."""
    folds = np.array([[prediction.fold or 0 for prediction in predictions]], dtype=np.intp)
    if len(np.unique(folds)) < 2:
        return None
    return Rounds(np.array([[prediction.probability for prediction in predictions]]), folds)


def evaluated(
    pictures: Sequence[Picture], labels: Sequence[str], divided: Divided, done: Sequence[Done], by: str, seed: int
) -> list[dict[str, Any]]:
    """Return what each part came to, the worst first, as run.json holds it.

    Of sources, `apart` is what the model that was trained without the part makes of its pictures beside those of the
    same label that it had not seen either, from parts that it knows: an AUC by label, with a sentence.
    `unseen` is the recall of the part's pictures by the model that was trained without it (the balanced accuracy, of
    a part with both classes), `seen` that of those of them that models which know the part had not seen, `other` the
    recall of the held-out pictures of the other class, `auc` of the part among these.
    """
    results = []
    answers = [{row.key: row for row in each.predictions} for each in done]

    def evaluation(asked: Iterable[tuple[int, int]]) -> dict[str, Any]:
        """Evaluate what the model of a training answered for a picture, for pairs (training, row)."""
        pairs = list(asked)
        if not pairs:
            return {}
        rows = [answers[training][pictures[row].key] for training, row in pairs]
        return evaluate(rows, labels, [pictures[row].group for _, row in pairs], seed=seed)

    for number, part in enumerate(divided.parts):
        own = {pictures[row].label for row in part.own}
        beside = [row for row in part.beside if pictures[row].label not in own]
        judged = evaluation((number, row) for row in (*part.own, *beside))
        known = {
            row: (place, row)
            for place, other in enumerate(divided.parts) if place != number
            for row in other.beside if divided.kinds[row] == part.name
        }  # fmt: skip
        seen = evaluation(known.values())
        label = own.pop() if len(own) == 1 else ""
        rest = next((other for other in labels if other != label), "") if label else ""
        results.append({
            "name": part.name, "label": label, "pictures": len(part.own), "trained_on": len(part.rest),
            "unseen": _figure(judged, label), "seen": _figure(seen, label),
            "other": judged["recall"][rest] if rest else {}, "auc": judged["auc"],
            **({"apart": apart(pictures, labels, part, answers[number])} if by == SOURCE else {}),
        })  # fmt: skip
    return sorted(results, key=lambda part: part["unseen"].get("value", 1.0))


def apart(
    pictures: Sequence[Picture], labels: Sequence[str], part: Part, answers: Mapping[Key, Prediction]
) -> list[dict[str, Any]]:
    """Ask for each label whether the model tells the part that it never met from parts that it knows."""
    told = []
    for label in labels:
        own, known = ([row for row in rows if pictures[row].label == label] for rows in (part.own, part.beside))
        if min(len(own), len(known)) < foreign.FEWEST:
            continue
        both = [*own, *known]
        groups = np.unique([pictures[row].group for row in both], return_inverse=True)[1]
        asked = Asked(
            shares=np.array([answers[pictures[row].key].probability for row in both]),
            foreign=np.arange(len(both)) < len(own), groups=groups, models=np.zeros(len(both), dtype=np.intp),
        )  # fmt: skip
        judged = foreign.judge(asked, positive=label == labels[1])
        told.append({
            "label": label, "verdict": judged.verdict, "value": judged.auc.value, "low": judged.auc.low,
            "high": judged.auc.high, "own": len(own), "known": len(known),
            "sentence": foreign.in_words(judged, label, (labels[0], labels[1]), f"of {part.name}"),
        })  # fmt: skip
    return told


def _trainings(pictures: Sequence[Picture], divided: Divided, settings: TrainSettings) -> list[Training]:
    return [
        Training(
            name=f"1-{fold}",
            pictures=series.with_split(pictures, part.rest, (*part.own, *part.beside)),
            settings=settings,
        )
        for fold, part in enumerate(divided.parts, 1)
    ]


def _figure(evaluated: Mapping[str, Any], label: str) -> Figure:
    if not evaluated:
        return {}
    return evaluated["recall"][label] if label else evaluated["balanced_accuracy"]


def _generators(pictures: Sequence[Picture], labels: Sequence[str]) -> list[str]:
    """Return what made each picture of the positive class, "" for the others."""
    made = [picture for picture in pictures if picture.label == labels[-1]]
    if unnamed := sum(not picture.generator for picture in made):
        raise RunError(
            f"{unnamed} of {len(made)} {labels[-1]} pictures do not say what made them, so they may come from the "
            "generator that is left out",
            "set generator = in their [[source]] of imageledger.toml, then curate run",
        )
    return [picture.generator if picture.label == labels[-1] else "" for picture in pictures]


def _only(pictures: Sequence[Picture], kinds: Sequence[str], name: str, label: str) -> bool:
    """Tell whether all pictures of a class are of one kind, so that nothing of it is left without them."""
    return {kind for picture, kind in zip(pictures, kinds, strict=True) if picture.label == label} == {name}


def _nothing_to_leave_out(by: str, names: Sequence[str], bound: Mapping[str, str], labels: Sequence[str]) -> RunError:
    if by == GENERATOR:
        return RunError(
            f"all {labels[-1]} pictures were made by {names[0]}: without it there is nothing to train on, and how the "
            "model treats a generator that it has not seen stays unknown, which is where such models fail",
            'add a [[source]] with pictures of another generator, such as generator = "sd15", then curate run',
        )
    held = ", ".join(f"{name} holds all {label} pictures" for name, label in bound.items())
    return RunError(
        f"no source can be left out: {held}; whether a model learns faces or these sources cannot be told",
        "add a second source of each class to imageledger.toml, then curate run",
    )
