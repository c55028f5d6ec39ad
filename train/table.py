"""Pictures x models: P(positive) where a model had not seen the picture, and the same by repeats. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imageledger.types import Floats, Ints, Key
from train.runs import VALID, Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of a run: where it lies, and which fold of which repeat (both from 1) it did not see.

    `fold` is 0 for the model of a single split.
    """

    folder: Path
    repeat: int = 1
    fold: int = 0

    @property
    def name(self) -> str:
        """The name of its folder within that of the run: "REPEAT-FOLD"."""
        return f"{self.repeat}-{self.fold}"


@dataclass(frozen=True, slots=True)
class Rounds:
    """P(positive) of n pictures in each repeat (repeats x n), and the fold that held each picture out (0 for none)."""

    shares: Floats
    folds: Ints


def table_of(keys: Sequence[Key], answered: Sequence[Iterable[Prediction]]) -> Floats:
    """Return P(positive) of n pictures by each of k models (n x k), NaN for pictures that a model did not hold out."""
    rows = {key: row for row, key in enumerate(keys)}
    table = np.full((len(keys), len(answered)), np.nan)
    for column, predictions in enumerate(answered):
        for prediction in predictions:
            if prediction.split == VALID and prediction.key in rows:
                table[rows[prediction.key], column] = prediction.probability
    return table


def rounds_of(table: Floats, models: Sequence[Model]) -> Rounds:
    """Gather a table by repeats: of each, the answer of the fold that held the picture out; NaN where none did."""
    number = np.array([model.repeat for model in models], dtype=np.intp)
    fold = np.array([model.fold for model in models], dtype=np.intp)
    repeats = np.unique(number)
    shares, folds = np.full((len(repeats), len(table)), np.nan), np.zeros((len(repeats), len(table)), dtype=np.intp)
    for place, repeat in enumerate(repeats):
        own = table[:, number == repeat]
        column = (~np.isnan(own)).argmax(axis=1)
        shares[place] = own[np.arange(len(table)), column]
        folds[place] = fold[number == repeat][column]
    return Rounds(shares, folds)
