"""The pictures by which a run may be judged: those that no model it speaks of had seen in training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.pictures import records_of
from audit.words import DRAWN
from imageledger.config import Project
from imageledger.errors import RunError
from imageledger.record import Record, groups_of
from train.runs import SPLIT, Prediction, Run, read_predictions

VALID = "valid"
CROSS_VALIDATE = "train cross-validate judges every picture by a model that had not seen it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a run said of the pictures that it may be judged by, in the order of its manifest.

    `records` holds their rows by key, as far as the manifest still has them; `groups` names what belongs together.
    """

    run: Run
    folder: Path
    predictions: Sequence[Prediction]
    records: Mapping[tuple[str, str], Record]
    groups: Sequence[str]
    warnings: tuple[str, ...] = ()

    @property
    def shares(self) -> NDArray[np.float64]:
        """P(positive) of each picture, 0..1."""
        return np.array([one.probability for one in self.predictions])

    @property
    def positive(self) -> NDArray[np.bool_]:
        """Whether each picture is of the positive class."""
        return np.array([one.label == self.run.labels[1] for one in self.predictions])

    @property
    def group_numbers(self) -> NDArray[np.intp]:
        """The groups as whole numbers from 0 on, as `train.evaluation.statistics` takes them."""
        return np.unique(np.asarray(self.groups), return_inverse=True)[1]

    @property
    def out_of_fold(self) -> bool:
        """Whether every picture was held out once, rather than one validation split."""
        return self.run.kind != SPLIT

    @property
    def in_words(self) -> str:
        """Name the pictures: "40 validation pictures", "200 pictures, each judged by a model that had not seen it"."""
        n, repeats = len(self.predictions), self.run.settings.get("repeats", 1)
        if repeats > 1:
            return f"{n} pictures, each judged by {repeats} models together that had not seen it"
        if self.out_of_fold:
            return f"{n} pictures, each judged by a model that had not seen it"
        return f"{n} validation pictures"

    @property
    def drawn(self) -> bool:
        """Whether any of the pictures was drawn by the built-in source."""
        return any(one.source.startswith(DRAWN) for one in self.predictions)

    @property
    def fewest(self) -> int:
        """How many pictures the smaller class has."""
        return min(int(self.positive.sum()), int((~self.positive).sum()))


def judged(project: Project, folder: Path) -> Judged:
    """Read a run and the pictures that it may be judged by, with their rows; raise RunError when there are none."""
    run = Run.load(folder)
    predictions = [one for one in read_predictions(folder) if one.split == VALID]
    if not predictions:
        raise RunError(f"run {run.name} has judged no picture of the split {VALID!r}", "train the run again")
    for one in predictions:
        _refuse_unsound(one, run)
    found = records_of(project, run, predictions)
    names = [f"{one.source}#{one.member}" for one in predictions]
    known = [found.records.get(one.key) for one in predictions]
    groups = [groups_of([record])[0] if record else name for record, name in zip(known, names, strict=True)]
    return Judged(
        run=run, folder=folder, predictions=predictions, records=found.records, groups=groups, warnings=found.warnings
    )


def _refuse_unsound(one: Prediction, run: Run) -> None:
    if one.label not in run.labels:
        raise RunError(
            f"predictions.jsonl names the class {one.label!r}, but the run's labels are {', '.join(run.labels)}",
            "train the run again",
        )
    if type(one.probability) not in (int, float) or not 0 <= one.probability <= 1:
        raise RunError(f"a prediction for {one.member!r} has no probability of 0..1", "train the run again")
