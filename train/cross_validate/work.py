"""`train cross-validate` without its console: a model a fold, each picture judged by one that had not seen it.

After Kohavi (1995), A study of cross-validation and bootstrap for accuracy estimation; folds are stratified and keep
groups whole. The run carries on, fold by fold, where the same command was killed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from imageledger.config import Project
from imageledger.errors import ConfigError
from imageledger.intervals import share_in_words
from imageledger.types import Key
from train.config import TrainSettings
from train.evaluation import figures as evaluation_figures
from train.evaluation.evaluate import evaluate
from train.evaluation.metrics import answer, mean_of, score
from train.folds import folds_of
from train.models import card as model_card
from train.pictures import VALID, Picture, refuse_parted_copies
from train.runs import CROSS_VALIDATION, Prediction, Run, fold_folder, write_predictions
from train.table import Model, rounds_of, table_of
from train.training import series
from train.training import task as training
from train.training.series import FINAL, Done, Training
from train.training.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many folds, and how often they are drawn anew; raises ConfigError for numbers that mean nothing."""

    folds: int = 5
    repeats: int = 1

    def __post_init__(self) -> None:
        """Refuse one fold and no repeat."""
        if self.folds < 2 or self.repeats < 1:
            raise ConfigError(f"{self.folds} folds, {self.repeats} times, judge nothing", "--folds 5 --repeats 1")


def cross_validate(
    project: Project,
    todo: Task,
    settings: TrainSettings,
    plan: Plan,
    name: str,
    tell: Callable[..., None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Path, Run]:
    """Train a model a fold and one on all pictures, write the run's folder, and return it with what run.json holds.

    Every picture, of whatever split, is judged once a repeat. `tell` hears of batches done and batches in all, `say`
    of every training that is done. Raises RunError where folds cannot be drawn, and as `training.train` does.
    """
    settings, labels = training.located(project, settings), project.declared.labels
    refuse_parted_copies(todo.pictures)
    drawn = [_folds(todo.pictures, plan.folds, settings.seed + repeat) for repeat in range(plan.repeats)]
    protocol = {"folds": plan.folds, "repeats": plan.repeats}
    with series.opened(project, todo, settings, name, CROSS_VALIDATION, protocol) as folder:
        todo_list = _trainings(todo.pictures, drawn, settings)
        done = {}
        for one in series.each(folder, name, labels, todo, todo_list, tell, say):
            done[one.name] = one
            say(fold_in_words(one, plan))
        keys = [picture.key for picture in todo.pictures]
        models = [Model(folder=fold_folder(folder, fold, repeat), repeat=repeat, fold=fold)
                  for repeat, folds in enumerate(drawn, 1) for fold in range(1, len(folds) + 1)]  # fmt: skip
        answered = [done[model.name].predictions for model in models]
        predictions = together(keys, models, answered, labels)
        write_predictions(folder, predictions)
        groups = [picture.group for picture in todo.pictures]
        evaluation = evaluate(
            predictions, labels, groups, rounds=rounds_of(table_of(keys, answered), models), seed=settings.seed
        )
        final = done[FINAL].run
        run = replace(
            final, name=name, kind=CROSS_VALIDATION, settings={**final.settings, **protocol},
            metrics=score(predictions, labels), evaluation=evaluation,
            file_alone=training.file_alone(project, todo, say),
        )  # fmt: skip
        evaluation_figures.write(folder / "figures", predictions, labels, groups, evaluation, seed=settings.seed)
        series.take_final(folder)
        run.save(folder)
        model_card.write(project, run, folder)
    return project.runs / name, run


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


def _folds(pictures: Sequence[Picture], number: int, seed: int) -> list[tuple[int, ...]]:
    return folds_of([picture.label for picture in pictures], [picture.group for picture in pictures], number, seed)


def _trainings(
    pictures: Sequence[Picture], drawn: Sequence[Sequence[tuple[int, ...]]], settings: TrainSettings
) -> list[Training]:
    everything = range(len(pictures))
    found = [
        Training(
            name=f"{repeat}-{fold}",
            pictures=series.with_split(pictures, set(everything) - set(held), held),
            settings=replace(settings, seed=settings.seed + repeat - 1),
        )
        for repeat, folds in enumerate(drawn, 1)
        for fold, held in enumerate(folds, 1)
    ]
    return [*found, Training(name=FINAL, pictures=series.with_split(pictures, everything, ()), settings=settings)]


def fold_in_words(done: Done, plan: Plan) -> str:
    """Say how a fold went, in one line."""
    kept = " (kept from before)" if done.kept else ""
    if done.name == FINAL:
        return f"final model: trained on all {len(done.predictions)} pictures{kept}"
    repeat, _, fold = done.name.partition("-")
    often = f"repeat {repeat} of {plan.repeats}, " if plan.repeats > 1 else ""
    right = done.run.metrics[VALID]["accuracy"]
    return f"{often}fold {fold} of {plan.folds}: {share_in_words(right['hits'], right['n'])} right{kept}"
