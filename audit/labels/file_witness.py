"""What the files as fetched say about labels: a second witness beside the model, with faults of its own.

The format of a file, its size, its JPEG tables and their traces depend on its source. A picture whose file is like
those of the other class was probably filed under the wrong label. A picture of the other class within a source looks
like its source, so its file says nothing about its label.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from curate.evidence.measure import FETCHED, measure
from curate.evidence.probe import jointly
from curate.nuisance import for_files
from imageledger.config import Project
from imageledger.record import Record
from imageledger.types import Bools, Floats, Track, untracked
from train.evaluation.temperature import cross_fitted

COIN = 0.5
"""The AUC of files that say nothing of the classes."""

FEWEST = 10
"""So many pictures of each class a probe needs."""

PERMUTATIONS = 20
"""Few, because the scores are used and the verdict is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """P(positive) of each picture by its file, out of fold and calibrated, and the AUC of the files on the labels.

    `low` and `high` are the ends of the 95 % interval of the AUC.
    """

    shares: Floats = field(repr=False)
    auc: float
    low: float
    high: float

    @property
    def tells(self) -> bool:
        """Whether the files tell the classes apart at all: else they say nothing about a label."""
        return self.low > COIN


def ask(
    project: Project,
    records: Sequence[Record],
    positive: Bools,
    groups: Sequence[str],
    track: Track = untracked,
) -> Witness:
    """Measure the files as fetched, and probe how well they separate the labels (`positive`)."""
    table = measure(project, records, for_files(), stage=FETCHED, track=track)
    seed = project.declared.seed
    probe = jointly(table.columns, table.values, positive, groups, seed=seed, permutations=PERMUTATIONS,
                    track=track)  # fmt: skip
    shares = 1 / (1 + np.exp(-probe.scores))
    return Witness(
        shares=cross_fitted(shares, positive, groups, seed).shares, auc=probe.auc, low=probe.low, high=probe.high
    )  # fmt: skip
