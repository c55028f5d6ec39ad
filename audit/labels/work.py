"""Which labels may be wrong? Confident learning (Northcutt, Jiang and Chuang 2021) on out-of-fold predictions.

A label is suspected when a model that had not seen the picture is sure of the other one. What a model finds hard looks
the same, so suspects are for a person to look at: nothing is ever relabelled here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audit.judged import Judged, judged
from audit.labels.file_witness import Track, Witness, ask
from audit.words import other_label
from imageledger import decisions
from imageledger.config import Project
from imageledger.decisions import RELABEL
from imageledger.errors import RunError
from imageledger.extras import need
from imageledger.record import Record
from imageledger.types import Bools, Floats
from train.runs import CROSS_VALIDATION, Prediction

FEWEST = 10
"""Pictures of a class below which nothing is suspected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One picture whose label may be wrong; rank 1 is the most suspicious.

    `quality` is cleanlab's self-confidence, the out-of-fold probability of the label it has (0..1); where its file was
    asked as well, that is `by_file`, and `quality` is that of the witness who doubts more. `flagged` tells whether
    confident learning counts it among the wrong labels, by the thresholds of the classes.
    """

    rank: int
    prediction: Prediction
    suggested: str
    quality: float
    flagged: bool
    by_file: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One audit of one run: its suspects, most suspicious first, and how many a person has decided on before.

    `witness` is what the files as fetched said, where they were asked.
    """

    judged: Judged
    suspects: tuple[Suspect, ...]
    decided: int
    decisions: str
    witness: Witness | None = None
    warnings: tuple[str, ...] = ()

    @property
    def flagged(self) -> int:
        """How many of the suspects confident learning counts as wrong labels."""
        return sum(one.flagged for one in self.suspects)

    @property
    def mistaken(self) -> int:
        """How many of all pictures the model calls something else than they are labelled."""
        return int(((self.judged.shares >= 0.5) != self.judged.positive).sum())


def look(
    project: Project, folder: Path, *, with_file: bool = False, track: Track = lambda rows, _: rows
) -> Audit:  # fmt: skip
    """Rank the labels of a cross-validated run; pictures that a person has decided on are left out.

    `with_file` asks the files as fetched as well (`audit.labels.work.work.file_witness`). Raises RunError for another
    kind of run, for too few pictures and for a picture that is in the manifest no more, MissingExtra without
    cleanlab.
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
    witness = ask(project, _records(seen), seen.positive, seen.groups, track) if with_file else None
    by_file = None
    if witness:
        by_file, flagged_by_file = confident(witness.shares, seen.positive)
        quality, flagged = np.minimum(quality, by_file), flagged | flagged_by_file
    ranked = rank(seen.predictions, seen.run.labels, quality, flagged, by_file)
    kept = [one for one in ranked if one.prediction.key not in decided]
    suspects = tuple(replace(one, rank=number) for number, one in enumerate(kept, 1))
    return Audit(
        judged=seen, suspects=suspects, decided=len(ranked) - len(kept), warnings=seen.warnings,
        decisions=within(project, path), witness=witness,
    )  # fmt: skip


def _records(seen: Judged) -> list[Record]:
    lost = [one.member for one in seen.predictions if one.key not in seen.records]
    if lost:
        raise RunError(
            f"{len(lost)} of {len(seen.predictions)} pictures of run {seen.run.name} are in its manifest no more, "
            f"{lost[0]} the first: their files cannot be asked",
            "train cross-validate on the manifest as it is, or audit labels without --with-file",
        )
    return [seen.records[one.key] for one in seen.predictions]


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


def rank(
    predictions: Sequence[Prediction], labels: tuple[str, str], quality: Floats, flagged: Bools,
    by_file: Floats | None = None,
) -> list[Suspect]:  # fmt: skip
    """Rank the pictures that the model, or the file, calls something else than they are labelled, the worst first."""
    doubted = [
        n
        for n, one in enumerate(predictions)
        if (one.probability >= 0.5) != (one.label == labels[1]) or (by_file is not None and by_file[n] < 0.5)
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


def proposed(suspects: Sequence[Suspect], run: str, who: str = "") -> list[Mapping[str, str]]:
    """Return a decision for each suspect, as a line of decisions.jsonl; without `who` it is not a valid one yet."""
    return [
        {
            "source": one.prediction.source, "member": one.prediction.member, "decision": RELABEL,
            "label": one.suggested, "who": who,
            "why": f"audit labels {run}: suspect {one.rank}, {_who(one)} gives {one.prediction.label} a probability of "
            f"{one.quality:.2f}",
        }
        for one in suspects
    ]  # fmt: skip


def _who(one: Suspect) -> str:
    """Name the witness who doubts the label more."""
    return "its file as fetched" if one.by_file == one.quality else "a model that had not seen it"
