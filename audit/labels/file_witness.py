"""What the files as fetched say of labels: a second witness beside the model, with faults of its own.

How a file came (its format, size, JPEG tables and their traces) goes by where it came from. A picture whose file is
like those of the other class was likely filed under the wrong label; a picture of the other class within a source
looks like its source, and there the file knows nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curate.evidence.measure import FETCHED, measure
from curate.evidence.probe import jointly
from imageledger.config import Project
from imageledger.record import Record
from imageledger.types import Bools, Floats
from train.evaluation.temperature import cross_fitted

Track = Callable[[Iterable[Any], int], Iterable[Any]]

FAMILIES = ("container", "metadata", "geometry", "jpeg_history", "resampling", "chroma")
"""The families of `curate.nuisance` that go by how a file came rather than by what is in the picture."""

PERMUTATIONS = 20
"""Few: the scores are used, and no verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """P(positive) of each picture by its file, out of fold and calibrated, and how well it tells the given labels."""

    shares: Floats = field(repr=False)
    auc: float


def ask(
    project: Project,
    records: Sequence[Record],
    positive: Bools,
    groups: Sequence[str],
    track: Track = lambda rows, _: rows,
) -> Witness:
    """Measure the files as fetched and probe them against the labels that the pictures have (`positive`)."""
    table = measure(project, records, list(FAMILIES), stage=FETCHED, track=track)
    seed = project.declared.seed
    one = jointly(table.columns, table.values, positive, groups, seed=seed, permutations=PERMUTATIONS)
    shares = 1 / (1 + np.exp(-one.scores))
    return Witness(shares=cross_fitted(shares, positive, groups, seed).shares, auc=one.auc)
