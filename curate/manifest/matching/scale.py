"""Bring nuisance features to one scale without looking at a label, and say how far apart pictures lie on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from imageledger.types import Floats

SHRINKAGE = 0.5
"""How far a covariance is drawn towards its diagonal: with as many features as pictures it would otherwise call every
noise a difference."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """Features on one scale: `matrix` is float64, pictures x columns, mean 0 and variance about 1.

    `families` names the family of each column, `names` the feature; a column that says whether a number applies at
    all is called "<feature> applies".
    """

    families: tuple[str, ...]
    names: tuple[str, ...]
    matrix: Floats

    def of(self, family: str) -> Floats:
        """Return the columns of one family."""
        return self.matrix[:, [name == family for name in self.families]]


def normal_scores(columns: Mapping[str, Sequence[str]], values: Mapping[str, Floats]) -> Scaled:
    """Replace each number by the normal quantile of its rank among all pictures; ties share one.

    Ranks make outliers harmless and one scale of all units (van der Waerden, 1952). A number that does not apply
    (NaN) becomes 0, the middle, and gets a column of its own; columns that are the same for all are left out.
    """
    families, names, scores, known = [], [], [], set()
    for family, features in columns.items():
        whole = _whole(values[family])
        for place, feature in enumerate(features):
            column = values[family][:, place]
            there = np.isfinite(column)
            made = {feature: whole[place]} if place in whole else {feature: _scores(column, there)}
            if there.any() and not there.all():
                made[f"{feature} applies"] = _scores(there * 1.0, np.ones(len(there), dtype=bool))
            for name, score in made.items():
                if score.size and score.std() > 0 and score.tobytes() not in known:
                    known.add(score.tobytes())
                    families.append(family)
                    names.append(name)
                    scores.append(score)
    rows = next((len(table) for table in values.values()), 0)
    matrix = np.array(scores).T if scores else np.zeros((rows, 0))
    return Scaled(tuple(families), tuple(names), matrix)


def likeness(matrix: Floats, spread: Floats) -> Floats:
    """Return the inner products of all pictures in the metric of a shrunken covariance, pictures x pictures.

    The covariance is drawn towards the diagonal by SHRINKAGE (Ledoit and Wolf, 2004, with a fixed share). Rounded, so
    that the last bit of a sum never decides which picture is chosen.
    """
    if not matrix.shape[1]:
        return np.zeros((len(matrix), len(matrix)))
    level = np.diag(np.diag(spread) + 1e-3)
    metric = np.linalg.inv((1 - SHRINKAGE) * spread + SHRINKAGE * level)
    inner: Floats = np.round(matrix @ metric @ matrix.T, 6)
    return (inner + inner.T) / 2


def spread_within(matrix: Floats, classes: Sequence[NDArray[np.bool_]]) -> Floats:
    """Return the covariance of the columns within some classes of pictures, averaged over the classes."""
    centred = [matrix[side] - matrix[side].mean(axis=0) for side in classes]
    return np.mean([part.T @ part / len(part) for part in centred], axis=0).reshape(matrix.shape[1], -1)


def distances(inner: Floats) -> Floats:
    """Return the distances of all pictures from their inner products, pictures x pictures."""
    lengths = np.diag(inner)
    return np.sqrt(np.maximum(lengths[:, None] + lengths[None, :] - 2 * inner, 0))


def _whole(table: Floats) -> dict[int, Floats]:
    """Return the scores of the columns that every picture has, ranked together, which is much faster."""
    from scipy.stats import rankdata  # slow to load, and this module comes with every Python call

    places = np.flatnonzero(np.isfinite(table).all(axis=0))
    if not len(places) or not len(table):
        return {}
    quantiles = ndtri((rankdata(table[:, places], axis=0) - 0.5) / len(table)).T
    return {int(place): _standard(np.ascontiguousarray(row)) for place, row in zip(places, quantiles, strict=True)}


def _scores(column: Floats, there: NDArray[np.bool_]) -> Floats:
    from scipy.stats import rankdata

    scores = np.zeros(len(column))
    if there.any():
        scores[there] = _standard(ndtri((rankdata(column[there]) - 0.5) / there.sum()))
    return scores


def _standard(quantiles: Floats) -> Floats:
    """Bring quantiles to mean 0 and variance 1; to 0 where they do not vary."""
    spread = quantiles.std()
    return np.asarray(np.round((quantiles - quantiles.mean()) / spread, 6) if spread > 1e-9 else 0.0 * quantiles)
