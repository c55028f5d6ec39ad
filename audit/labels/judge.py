"""Which labels may be wrong? Confident learning (Northcutt, Jiang and Chuang 2021) on out-of-fold predictions.

A label is suspected when a model that had not seen the picture is sure of the other label. A
picture that the model finds hard looks the same, so a person looks at the suspects: nothing is relabelled here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit.labels.clean import Clean, flags
from audit.labels.file_witness import Witness
from audit.words import other_label
from imageledger.counted import Counted
from imageledger.extras import need
from imageledger.types import Bools, Floats, Key
from train.answers import Answers
from train.runs import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One picture whose label may be wrong; rank 1 is the most suspicious.

    `quality` is cleanlab's self-confidence, the out-of-fold probability of its label (0..1). With the file as a second
    witness, `by_file` is that probability by its file, and `quality` the lower of the two. `flagged` tells whether
    confident learning counts it among the wrong labels, by the thresholds of the classes.
    """

    rank: int
    prediction: Prediction
    suggested: str
    quality: float
    flagged: bool
    by_file: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLabels:
    """The suspects of one run, the most suspicious first, and how many pictures a person has decided on.

    `witness` is what the files as fetched say, or None without --with-file; where they do not tell the classes apart,
    no suspect goes by it. `clean` says how many suspects there would be if every label were right.
    """

    answers: Answers
    suspects: tuple[Suspect, ...]
    decided: int
    witness: Witness | None = None
    clean: Clean | None = None

    @property
    def heard(self) -> Witness | None:
        """The files, where they are a witness: they tell the classes apart."""
        return self.witness if self.witness and self.witness.tells else None

    @property
    def flagged(self) -> int:
        """How many of the suspects confident learning counts as wrong labels."""
        return sum(suspect.flagged for suspect in self.suspects)

    @property
    def mistaken(self) -> Counted:
        """For how many of all pictures model and label differ."""
        return Counted((self.answers.shares >= 0.5) != self.answers.positive, self.answers.groups)


def judge(answers: Answers, decided: Collection[Key], witness: Witness | None = None) -> RunLabels:
    """Rank the labels of a run; pictures that a person has `decided` on are left out.

    Files that do not tell the classes apart are no witness, and change nothing.
    """
    quality, flagged = confident(answers.shares, answers.positive)
    by_file = None
    if witness and witness.tells:
        by_file, flagged_by_file = confident(witness.shares, answers.positive)
        quality, flagged = np.minimum(quality, by_file), flagged | flagged_by_file
    ranked = rank(answers.predictions, answers.labels, quality, flagged, by_file)
    open_ = [suspect for suspect in ranked if suspect.prediction.key not in decided]
    suspects = tuple(replace(suspect, rank=number) for number, suspect in enumerate(open_, 1))
    return RunLabels(answers=answers, suspects=suspects, decided=len(ranked) - len(suspects), witness=witness)


def confident(shares: Floats, positive: Bools) -> tuple[Floats, Bools]:
    """Return cleanlab's label quality (n, 0..1) and whether each label counts as wrong (n), for P(positive)."""
    rating, both = need("cleanlab.rank", "labels"), np.stack([1 - shares, shares], axis=1)
    quality = rating.get_label_quality_scores(positive.astype(int), both, method="self_confidence")
    return np.asarray(quality, dtype=np.float64), flags(shares, positive)


def rank(
    predictions: Sequence[Prediction], labels: tuple[str, str], quality: Floats, flagged: Bools,
    by_file: Floats | None = None,
) -> list[Suspect]:  # fmt: skip
    """Rank the pictures to which the model, or the file, would give the other label, the most suspicious first."""
    doubted = [
        n
        for n, prediction in enumerate(predictions)
        if (prediction.probability >= 0.5) != (prediction.label == labels[1])
        or (by_file is not None and by_file[n] < 0.5)
    ]
    doubted.sort(key=lambda n: (quality[n], predictions[n].key))
    return [
        Suspect(
            rank=number, prediction=predictions[n], suggested=other_label(labels, predictions[n].label),
            quality=float(quality[n]), flagged=bool(flagged[n]),
            by_file=None if by_file is None else float(by_file[n]),
        )
        for number, n in enumerate(doubted, 1)
    ]  # fmt: skip
