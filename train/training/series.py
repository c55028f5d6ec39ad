"""Several trainings in one run, each in a folder of its own that is whole or not there: a kill costs one of them."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imageledger import seal
from imageledger.config import Project
from imageledger.errors import RunError
from train.config import TrainSettings
from train.pictures import TRAIN, VALID, Picture
from train.runs import FOLDS, Prediction, Run, read_predictions
from train.training import task as training
from train.training.partial import draft
from train.training.task import Task

if TYPE_CHECKING:
    from train.network.fit import Tell

FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training of a series: the folder of its own, and pictures, whose split says which of them it learns from."""

    name: str
    pictures: Sequence[Picture]
    settings: TrainSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One training of a series that is finished, now or earlier (`kept`)."""

    name: str
    run: Run
    predictions: Sequence[Prediction]
    kept: bool


@contextmanager
def opened(
    project: Project, todo: Task, settings: TrainSettings, name: str, kind: str, protocol: Mapping[str, Any]
) -> Iterator[Path]:
    """Hand out the folder of a run that carries on where the same job was killed; other jobs begin anew.

    A job is what `training.job_of` says.
    """
    job = training.job_of(kind, project.declared.labels, todo, settings, **protocol)
    with draft(project.runs, name, f"train {kind}", job) as folder:
        yield folder


def each(
    folder: Path,
    run_name: str,
    labels: Sequence[str],
    todo: Task,
    trainings: Sequence[Training],
    tell: "Tell",
) -> Iterator[Done]:
    """Do the trainings that are not done yet, and yield them all in order, each once its folder is whole.

    `tell` counts the batches of all trainings together.
    """
    for number, item in enumerate(trainings, 1):
        place = folder / FOLDS / item.name
        kept = (place / "run.json").is_file()
        if not kept:
            _refuse_one_class(item, labels)
            with _whole(place) as inside:
                own = replace(todo, pictures=item.pictures, folder=None)
                made = training.fill(
                    inside, f"{run_name}/{FOLDS}/{item.name}", labels, own, item.settings,
                    _counting(tell, number - 1, len(trainings)), figures=False,
                )  # fmt: skip
                made.save(inside)
        yield Done(name=item.name, run=Run.load(place), predictions=list(read_predictions(place)), kept=kept)


def with_split(pictures: Sequence[Picture], train: Iterable[int], valid: Iterable[int]) -> list[Picture]:
    """Return the pictures of two sets of rows, in the order of the rows, under the splits that these names say."""
    side = dict.fromkeys(train, TRAIN) | dict.fromkeys(valid, VALID)
    return [replace(pictures[row], split=side[row]) for row in sorted(side)]


def take_final(folder: Path) -> None:
    """Give the run the weights and the history of its final training, whose folder then goes."""
    place = folder / FOLDS / FINAL
    for name in ("weights.safetensors", "history.csv"):
        shutil.copyfile(place / name, folder / name)
    shutil.rmtree(place)


def of_fold(prediction: Prediction, fold: int) -> Prediction:
    """Return a prediction of one fold as the run that the fold belongs to states it."""
    return replace(prediction, split=VALID, fold=fold)


@contextmanager
def _whole(place: Path) -> Iterator[Path]:
    """Hand out a folder that gets its real name at the end, with what a kill has left of it: the job is the same."""
    from train.network import checkpoint

    begun = place.with_name(f".{place.name}.part")
    shutil.rmtree(place, ignore_errors=True)
    begun.mkdir(parents=True, exist_ok=True)
    yield begun
    checkpoint.clear(begun)
    seal.write(begun)
    os.replace(begun, place)


def _counting(tell: "Tell", before: int, trainings: int) -> "Tell":
    def counted(done: int, total: int, _: Any) -> None:
        tell(before * total + done, trainings * total, None)

    return counted


def _refuse_one_class(item: Training, labels: Sequence[str]) -> None:
    there = {picture.label for picture in item.pictures if picture.split == TRAIN}
    if absent := [label for label in labels if label not in there]:
        raise RunError(f"training {item.name} has no {absent[0]} picture to learn from", "add pictures, in more groups")
