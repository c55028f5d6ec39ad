"""What `train cross-validate` does: it trains a model per fold, and judges each picture by one that had not seen it.

After Kohavi (1995), A study of cross-validation and bootstrap for accuracy estimation; folds are stratified and keep
groups whole. The run carries on, fold by fold, where the same command was killed.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from imageledger.config import Project
from imageledger.errors import ConfigError
from imageledger.intervals import share_in_words
from imageledger.types import Key, Track, untracked
from train.config import TrainSettings
from train.evaluation import figures
from train.evaluation.evaluate import evaluate
from train.evaluation.metrics import answer, mean_of, score
from train.evaluation.verdict import least_learned
from train.folds import Rows, folds_of
from train.models import card
from train.pictures import VALID, Picture, groups_by_key, refuse_parted_copies
from train.runs import CROSS_VALIDATION, Prediction, Run, fold_folder, write_predictions
from train.table import Model, rounds_of, table_of
from train.training import series
from train.training import task as training
from train.training.progress import batches
from train.training.series import FINAL, Done, Training
from train.training.settings import ready
from train.training.task import Task

logger = logging.getLogger(__name__)


def cross_validate(
    project: Project,
    manifest: Path | None = None,
    *,
    folder: Path | None = None,
    folds: int = 5,
    repeats: int = 1,
    name: str | None = None,
    settings: TrainSettings,
    track: Track = untracked,
) -> Run:
    """Train a model per fold and one on all pictures, write the run's folder, and return what run.json holds.

    Every picture, of whatever split, is judged once per repeat. Raises ConfigError for fewer than two folds or no
    repeat, RunError where folds cannot be drawn, and as `train.run.work.run` does.
    """
    if folds < 2 or repeats < 1:
        raise ConfigError(f"{folds} folds, {repeats} times, judge nothing", "--folds 5 --repeats 1")
    settings, labels = ready(project, settings), project.declared.labels
    name = training.run_name(project, settings, name, "folds")
    task = training.task(project, manifest, folder)
    often = f", drawn {repeats} times" if repeats > 1 else ""
    logger.info("run %s: %s on %d pictures in %d folds%s", name, settings.arch, len(task.pictures), folds, often)
    refuse_parted_copies(task.pictures)
    drawn = [_folds(task.pictures, folds, settings.seed + repeat) for repeat in range(repeats)]
    protocol = {"folds": folds, "repeats": repeats}
    with series.opened(project, task, settings, name, CROSS_VALIDATION, protocol) as place:
        done = {}
        with batches(track) as tell:
            for each in series.each(place, name, labels, task, _trainings(task.pictures, drawn, settings), tell):
                done[each.name] = each
                logger.info("%s", fold_in_words(each, folds, repeats))
        run = _whole(project, place, name, task, drawn, done, settings, track)
        run = replace(run, settings={**run.settings, **protocol})
        series.take_final(place)
        run.save(place)
        card.write(project, run, place)
    return run


def _whole(
    project: Project, place: Path, name: str, task: Task, drawn: Sequence[Sequence[Rows]], done: Mapping[str, Done],
    settings: TrainSettings, track: Track,
) -> Run:  # fmt: skip
    """Put the answers of the folds together, write them and their figures, and return the run they make."""
    labels, pictures = project.declared.labels, task.pictures
    keys, groups = [picture.key for picture in pictures], [picture.group for picture in pictures]
    models = [Model(folder=fold_folder(place, fold, repeat), repeat=repeat, fold=fold)
              for repeat, folds in enumerate(drawn, 1) for fold in range(1, len(folds) + 1)]  # fmt: skip
    answered = [done[model.name].predictions for model in models]
    predictions = together(keys, models, answered, labels)
    write_predictions(place, predictions)
    rounds = rounds_of(table_of(keys, answered), models)
    evaluation = evaluate(predictions, labels, groups, rounds=rounds, seed=settings.seed)
    figures.write(place / "figures", predictions, labels, groups, evaluation, seed=settings.seed)
    learned = least_learned(done[model.name].run.metrics for model in models)
    return replace(
        done[FINAL].run, name=name, kind=CROSS_VALIDATION, evaluation={**evaluation, "train_accuracy": learned},
        metrics=score(predictions, labels, groups_by_key(pictures)),
        file_alone=training.file_alone(project, task, predictions, rounds, track=track),
    )  # fmt: skip


def together(
    keys: Sequence[Key], models: Sequence[Model], answered: Sequence[Sequence[Prediction]], labels: Sequence[str]
) -> list[Prediction]:
    """Return one prediction per picture: that of the fold that held it out, over repeats the mean of the logits."""
    by_key: dict[Key, list[Prediction]] = {key: [] for key in keys}
    for model, predictions in zip(models, answered, strict=True):
        for prediction in predictions:
            if prediction.split == VALID:
                by_key[prediction.key].append(series.of_fold(prediction, model.fold))
    return [_mean(by_key[key], labels) for key in keys]


def _mean(rounds: Sequence[Prediction], labels: Sequence[str]) -> Prediction:
    first = rounds[0]
    if len(rounds) == 1:
        return first
    return replace(first, **answer(mean_of([prediction.probability for prediction in rounds]), first.label, labels))


def _folds(pictures: Sequence[Picture], number: int, seed: int) -> list[Rows]:
    return folds_of([picture.label for picture in pictures], [picture.group for picture in pictures], number, seed)


def _trainings(pictures: Sequence[Picture], drawn: Sequence[Sequence[Rows]], settings: TrainSettings) -> list[Training]:
    everything = range(len(pictures))
    trainings = [
        Training(
            name=f"{repeat}-{fold}",
            pictures=series.with_split(pictures, set(everything) - set(held), held),
            settings=replace(settings, seed=settings.seed + repeat - 1),
        )
        for repeat, folds in enumerate(drawn, 1)
        for fold, held in enumerate(folds, 1)
    ]
    return [*trainings, Training(name=FINAL, pictures=series.with_split(pictures, everything, ()), settings=settings)]


def fold_in_words(done: Done, folds: int, repeats: int) -> str:
    """Say how a fold went, in one line."""
    kept = " (kept from before)" if done.kept else ""
    if done.name == FINAL:
        return f"final model: trained on all {len(done.predictions)} pictures{kept}"
    repeat, _, fold = done.name.partition("-")
    often = f"repeat {repeat} of {repeats}, " if repeats > 1 else ""
    right = done.run.metrics[VALID]["accuracy"]
    return f"{often}fold {fold} of {folds}: {share_in_words(right['hits'], right['n'], right['interval'])} right{kept}"
