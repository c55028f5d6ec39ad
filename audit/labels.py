"""Which labels may be wrong? Confident learning (Northcutt, Jiang and Chuang 2021) on out-of-fold predictions.

A label is suspected when a model that had not seen the picture is sure of the other one. What a model finds hard looks
the same, so suspects are for a person to look at: nothing is ever relabelled here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.judged import Judged, judged
from audit.losses import other_label
from imageledger import decisions
from imageledger.config import Project
from imageledger.decisions import RELABEL
from imageledger.errors import RunError
from imageledger.extras import need
from train.run import CROSS_VALIDATION, Prediction

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

FEWEST = 10
"""Pictures of a class below which nothing is suspected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One picture whose label may be wrong; rank 1 is the most suspicious.

    `quality` is cleanlab's self-confidence, the out-of-fold probability of the label it has (0..1). `flagged` tells
    whether confident learning counts it among the wrong labels, by the thresholds of the classes.
    """

    rank: int
    prediction: Prediction
    suggested: str
    quality: float
    flagged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One audit of one run: its suspects, most suspicious first, and how many a person has decided on before."""

    judged: Judged
    suspects: tuple[Suspect, ...]
    decided: int
    decisions: str
    warnings: tuple[str, ...] = ()

    @property
    def flagged(self) -> int:
        """How many of the suspects confident learning counts as wrong labels."""
        return sum(one.flagged for one in self.suspects)

    @property
    def mistaken(self) -> int:
        """How many of all pictures the model calls something else than they are labelled."""
        return len(self.suspects) + self.decided


def look(project: Project, folder: Path) -> Audit:
    """Rank the labels of a cross-validated run; pictures that a person has decided on are left out.

    Raises RunError for another kind of run and for too few pictures, MissingExtra without cleanlab.
    """
    seen = judged(project, folder)
    if seen.run.kind != CROSS_VALIDATION:
        raise RunError(
            f"run {seen.run.name} was not cross-validated: of most labels only a model speaks that had learned them",
            "train cross-validate judges every picture by a model that had not seen it; then audit labels NAME",
        )
    if seen.fewest < FEWEST:
        raise RunError(f"the smaller class of run {seen.run.name} has {seen.fewest} pictures", f"{FEWEST} are needed")
    path = project.folder / decisions.FILE
    decided = decisions.read(path)
    quality, flagged = confident(seen.shares, seen.positive)
    ranked = rank(seen.predictions, seen.run.labels, quality, flagged)
    kept = [one for one in ranked if one.prediction.key not in decided]
    suspects = tuple(
        Suspect(
            rank=number, prediction=one.prediction, suggested=one.suggested, quality=one.quality, flagged=one.flagged
        )
        for number, one in enumerate(kept, 1)
    )
    return Audit(
        judged=seen, suspects=suspects, decided=len(ranked) - len(kept), warnings=seen.warnings,
        decisions=within(project, path),
    )  # fmt: skip


def within(project: Project, path: Path) -> str:
    """Write a path as seen from the project folder; one that lies elsewhere stays as it is."""
    whole = path.resolve()
    return whole.relative_to(project.root).as_posix() if whole.is_relative_to(project.root) else str(whole)


def confident(shares: Floats, positive: Bools) -> tuple[Floats, Bools]:
    """Return cleanlab's label quality (n, 0..1) and whether each label counts as wrong (n), for P(positive)."""
    rating, filtering = need("cleanlab.rank", "labels"), need("cleanlab.filter", "labels")
    both, labels = np.stack([1 - shares, shares], axis=1), positive.astype(int)
    quality = rating.get_label_quality_scores(labels, both, method="self_confidence")
    flagged = filtering.find_label_issues(labels, both, filter_by="prune_by_noise_rate", n_jobs=1)
    return np.asarray(quality, dtype=np.float64), np.asarray(flagged, dtype=bool)


def rank(predictions: Sequence[Prediction], labels: tuple[str, str], quality: Floats, flagged: Bools) -> list[Suspect]:
    """Rank the pictures that the model calls something else than they are labelled, lowest quality first."""
    doubted = [n for n, one in enumerate(predictions) if (one.probability >= 0.5) != (one.label == labels[1])]
    doubted.sort(key=lambda n: (quality[n], predictions[n].key))
    return [
        Suspect(
            rank=number, prediction=predictions[n], suggested=other_label(labels, predictions[n].label),
            quality=float(quality[n]), flagged=bool(flagged[n]),
        )
        for number, n in enumerate(doubted, 1)
    ]  # fmt: skip


def proposed(suspects: Sequence[Suspect], run: str, who: str = "") -> list[Mapping[str, str]]:
    """Return a decision for each suspect, as a line of decisions.jsonl; without `who` it is not a valid one yet."""
    return [
        {
            "source": one.prediction.source, "member": one.prediction.member, "decision": RELABEL,
            "label": one.suggested, "who": who,
            "why": f"audit labels {run}: suspect {one.rank}, a model that had not seen it gives {one.prediction.label} "
            f"a probability of {one.quality:.2f}",
        }
        for one in suspects
    ]  # fmt: skip
