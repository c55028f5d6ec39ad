"""Who answered what of which picture: the one table, pictures x models, on which every figure of a run rests.

A model may be asked about a picture that its training did not see; its answer to any other is missing from the table.
Knows no torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np

from imageledger import manifest
from imageledger.config import Project
from imageledger.errors import ManifestError, RunError
from imageledger.record import Record, groups_of
from imageledger.store import Store
from imageledger.types import Bools, Floats, Ints, Key
from train.pictures import DRAWN, TRAIN, VALID
from train.runs import CROSS_VALIDATION, FOLDS, HOLD_OUT, SPLIT, Prediction, Run, find_run, read_predictions
from train.table import Model, Rounds, rounds_of, table_of

CROSS_VALIDATE = "train cross-validate asks about every picture a model that had not seen it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a run and each of its models answered of n pictures, in the order of the run's predictions.

    `predictions` are the answers of the run itself: of its one model, or the mean of those that had not seen the
    picture. `table` holds P(positive) by picture and model (n x models), NaN where the model had seen the picture or
    was never asked. `records` are the rows of the manifest, None where it has no such row; `groups` names what belongs
    together.
    """

    run: Run
    folder: Path
    predictions: tuple[Prediction, ...]
    records: tuple[Record | None, ...]
    groups: tuple[str, ...]
    models: tuple[Model, ...] = ()
    table: Floats = field(default_factory=lambda: np.empty((0, 0)))
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, project: Project, run: str | Path | None = None) -> Self:
        """Read the answers of a run (by name or folder; the last one by default) to all pictures it knows.

        Raises RunError for predictions that are missing, damaged, or no probabilities.
        """
        folder = run if isinstance(run, Path) else find_run(project, run)
        made = Run.load(folder)
        predictions = tuple(read_predictions(folder))
        for prediction in predictions:
            _refuse_unsound(prediction, made)
        models = tuple(_models(folder, made))
        own = {folder: predictions}
        answered = [own.get(model.folder) or list(read_predictions(model.folder)) for model in models]
        records, warnings = records_of(project, made, [prediction.key for prediction in predictions])
        matched = tuple(records.get(prediction.key) for prediction in predictions)
        answers = cls(
            run=made,
            folder=folder,
            predictions=predictions,
            records=matched,
            groups=tuple(
                groups_of([record])[0] if record else "#".join(prediction.key)
                for prediction, record in zip(predictions, matched, strict=True)
            ),
            models=models,
            table=table_of([prediction.key for prediction in predictions], answered),
            warnings=warnings,
        )
        answers.rows_by_key()  # refuses pictures that stand in it twice
        return answers

    def pick(self, rows: Iterable[int]) -> Self:
        """Return the answers to some of the pictures, by their numbers in this table."""
        places = list(rows)
        return replace(
            self,
            predictions=tuple(self.predictions[row] for row in places),
            records=tuple(self.records[row] for row in places),
            groups=tuple(self.groups[row] for row in places),
            table=self.table[places] if len(self.table) else self.table,
        )

    def held_out(self) -> Self:
        """Return the answers to the pictures that the run is judged by; raise RunError when there are none."""
        rows = np.flatnonzero(self.held)
        if not len(rows):
            raise RunError(f"run {self.run.name} has judged no picture of the split {VALID!r}", "train the run again")
        return self.pick(rows.tolist())

    def unchanged(self, store: Store) -> Self:
        """Return the answers to the pictures that still are what the model saw, with a warning about the others."""
        rows = [
            row
            for row, (prediction, record) in enumerate(zip(self.predictions, self.records, strict=True))
            if record and record.file == prediction.file and store.has(record.file)
        ]
        lost = len(self.predictions) - len(rows)
        gone = f"{lost} of {len(self.predictions)} pictures are gone or have changed since, and are left out"
        return replace(self.pick(rows), warnings=(*self.warnings, gone) if lost else self.warnings)

    def known(self) -> list[Record]:
        """Return the records of the pictures; raise RunError when the manifest no longer has one of them."""
        records = [record for record in self.records if record]
        lost = [
            prediction.member
            for prediction, record in zip(self.predictions, self.records, strict=True)
            if record is None
        ]
        if lost:
            raise RunError(
                f"{len(lost)} of {len(self.records)} pictures of run {self.run.name} are no longer in its manifest, "
                f"{lost[0]} the first",
                "train again on the manifest as it is now",
            )
        return records

    @property
    def keys(self) -> list[Key]:
        """The key of each picture."""
        return [prediction.key for prediction in self.predictions]

    @property
    def files(self) -> list[str]:
        """The object of each picture as the model saw it."""
        return [prediction.file for prediction in self.predictions]

    @property
    def labels(self) -> tuple[str, str]:
        """The labels of the run: negative, positive."""
        return self.run.labels

    @property
    def shares(self) -> Floats:
        """The run's own P(positive) of each picture, 0..1."""
        return np.array([prediction.probability for prediction in self.predictions], dtype=np.float64)

    @property
    def positive(self) -> Bools:
        """Whether each picture is of the positive class."""
        return np.array([prediction.label == self.labels[1] for prediction in self.predictions], dtype=bool)

    @property
    def held(self) -> Bools:
        """Whether the run is judged by each picture."""
        return np.array([prediction.split == VALID for prediction in self.predictions], dtype=bool)

    @property
    def trained_on(self) -> Bools:
        """Whether each picture was trained on by the model that answered."""
        return np.array([prediction.split == TRAIN for prediction in self.predictions], dtype=bool)

    @property
    def group_numbers(self) -> Ints:
        """The groups as whole numbers from 0 on, as `train.evaluation.statistics` takes them."""
        return np.asarray(np.unique(np.asarray(self.groups), return_inverse=True)[1])

    @property
    def repeats(self) -> int:
        """How many times the folds were drawn; 1 without folds. Raises RunError for what is no such number."""
        if self.run.kind != CROSS_VALIDATION:
            return 1
        repeats = self.run.settings.get("repeats", 1)
        if type(repeats) is not int or repeats < 1:
            raise RunError(
                f"run {self.run.name}: the number of repeats cannot be {repeats!r}", "train it again under another name"
            )
        return repeats

    @property
    def out_of_fold(self) -> bool:
        """Whether the pictures were held out in turn, rather than in one validation split."""
        return self.run.kind != SPLIT

    @property
    def in_words(self) -> str:
        """Name the pictures: "40 validation pictures", "200 pictures, each judged by a model that had not seen it"."""
        if not self.out_of_fold:
            return f"{len(self.predictions)} validation pictures"
        who = f"{self.repeats} models together" if self.repeats > 1 else "a model"
        return f"{len(self.predictions)} pictures, each judged by {who} that had not seen it"

    @property
    def one_by_one(self) -> str:
        """Name the pictures where each model is judged alone: "200 pictures, each judged by 3 models one by one"."""
        if self.repeats == 1:
            return self.in_words
        return f"{len(self.predictions)} pictures, each judged by {self.repeats} models one by one"

    @property
    def drawn(self) -> bool:
        """Whether any of the pictures was drawn by the built-in source."""
        return any(prediction.source.startswith(DRAWN) for prediction in self.predictions)

    @property
    def fewest(self) -> int:
        """How many pictures the smaller class has."""
        return min(int(self.positive.sum()), int((~self.positive).sum()))

    @property
    def counted(self) -> Bools:
        """Which answers (n x models) the run's own answer is made of: in a hold-out, that of one model alone."""
        there = ~np.isnan(self.table)
        if self.run.kind != HOLD_OUT:
            return there
        own = np.array([prediction.fold or 0 for prediction in self.predictions])
        return np.asarray(there & (own[:, None] == np.array([model.fold for model in self.models])[None]))

    def rows_by_key(self) -> dict[Key, int]:
        """Return the number of each picture; raise RunError when a picture stands in the run twice."""
        rows = {key: row for row, key in enumerate(self.keys)}
        if len(rows) < len(self.predictions):
            raise RunError(f"{self.run.name} holds pictures twice in predictions.jsonl", "train the run again")
        return rows

    def by_model(self) -> list[tuple[Path, list[int]]]:
        """Return the folder of each model with the numbers of the pictures about which it may be asked.

        Raises RunError when nobody may be asked about a picture, because the models of its folds are gone.
        """
        counted = self.counted
        if lost := int((~counted.any(axis=1)).sum()):
            raise self._lost(lost)
        return [
            (model.folder, np.flatnonzero(counted[:, column]).tolist())
            for column, model in enumerate(self.models)
            if counted[:, column].any()
        ]

    def rounds(self) -> Rounds:
        """Return what each repeat answered; a run without repeats has one round, its own answers.

        Raises RunError when the models of a repeat are gone.
        """
        if self.repeats == 1:
            folds = [prediction.fold or 0 for prediction in self.predictions]
            return Rounds(self.shares[None], np.array([folds], dtype=np.intp))
        rounds = rounds_of(self.table, self.models)
        if len(rounds.shares) != self.repeats or np.isnan(rounds.shares).any():
            raise self._lost(int(np.isnan(rounds.shares).any(axis=0).sum()) or len(self.predictions))
        return rounds

    def _lost(self, lost: int) -> RunError:
        return RunError(
            f"no fold in {self.folder / FOLDS} held {lost} of the {len(self.predictions)} pictures out",
            f"the models of the folds are needed; train {self.run.kind} makes them again",
        )


def records_of(project: Project, run: Run, keys: Iterable[Key]) -> tuple[dict[Key, Record], tuple[str, ...]]:
    """Find the records of pictures in the manifest a run was trained on, streaming it once, and what to warn of.

    A manifest that has changed since, or is gone, is a warning: pictures are joined by key. Runs on a folder have none.
    """
    wanted = set(keys)
    if not run.manifest or not wanted:
        return {}, ()
    path = project.root / run.manifest
    try:
        changed = manifest.digest(path) != run.manifest_digest
        records = {record.key: record for record in manifest.read(path) if record.key in wanted}
    except (OSError, ManifestError) as error:
        what = f"{run.manifest} is gone" if not path.is_file() else f"{run.manifest} cannot be read: {error}"
        return {}, (f"{what}: the history of the pictures is unknown, and each counts as a group of its own",)
    if not changed:
        return records, ()
    return records, (
        f"{run.manifest} has changed since {run.name} was trained: its pictures are found again by source and member",
    )


def _models(folder: Path, run: Run) -> Iterable[Model]:
    """Yield the models of a run that are there, by repeat and fold."""
    if run.kind == SPLIT:
        yield Model(folder=folder)
        return
    models = []
    for path in (folder / FOLDS).glob("*-*/run.json"):
        repeat, _, fold = path.parent.name.partition("-")
        if repeat.isdecimal() and fold.isdecimal():
            models.append(Model(folder=path.parent, repeat=int(repeat), fold=int(fold)))
    yield from sorted(models, key=lambda model: (model.repeat, model.fold))


def _refuse_unsound(prediction: Prediction, run: Run) -> None:
    if prediction.label not in run.labels:
        raise RunError(
            f"predictions.jsonl names the class {prediction.label!r}, but the run's labels are {', '.join(run.labels)}",
            "train the run again",
        )
