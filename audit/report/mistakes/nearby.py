"""The training pictures nearest to mistaken ones, by the network that answered."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from audit.report.mistakes.near import Near, nearest
from imageledger.config import Project
from imageledger.errors import LedgerError
from imageledger.types import Track
from train.answers import Answers
from train.pictures import TRAIN, Picture
from train.runs import Prediction, read_predictions

MOST = 400
"""At most so many training pictures of each class are looked through, as good as by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """The nearest training pictures by row; `missing` says why there are none."""

    found: Mapping[int, tuple[Near, Sequence[Prediction]]] = field(default_factory=dict)
    missing: str = ""

    def of(self, row: int) -> list[tuple[Prediction, float]]:
        """Return the nearest picture of each class, negative first, and how alike it is."""
        if row not in self.found:
            return []
        near, known = self.found[row]
        pairs = zip(near.rows, near.alike, strict=True)
        return [(known[place], alike) for place, alike in pairs if place is not None]

    def counted(self, row: int, positive: bool) -> tuple[int, int] | None:
        """Return how many of the nearest are of the other class than that of the picture, of how many."""
        if row not in self.found:
            return None
        hits, total = self.found[row][0].counted
        return (total - hits if positive else hits), total


def nearby(answers: Answers, rows: Sequence[int], project: Project, track: Track) -> Nearby:
    """Find the nearest training pictures of some rows; of several models, the first that had not seen the picture."""
    if not rows or not all(answers.files[row] for row in rows):
        return Nearby(missing="the run was trained on a folder" if rows else "")
    try:
        from train.models.held_out import models_by_key
        from train.network.described import described

        places = models_by_key(answers)
        by_model = defaultdict(list)
        for row in rows:
            by_model[places[answers.keys[row]][0]].append(row)
        found: dict[int, tuple[Near, Sequence[Prediction]]] = {}
        cache = project.root / "data" / "features"
        for folder, own in track(list(by_model.items()), len(by_model), "looking for the nearest training pictures"):
            known = _some(answers, project, list(read_predictions(folder)))
            asked = [answers.predictions[row] for row in own]
            seen, features = (
                described(folder, [_picture(project, one) for one in part], cache) for part in (asked, known)
            )
            positive = np.array([one.label == answers.labels[1] for one in known])
            apart = [frozenset(n for n, one in enumerate(known) if one.file == other.file) for other in asked]
            for row, near in zip(own, nearest(seen, features, positive, apart), strict=True):
                found[row] = (near, known)
    except (ImportError, OSError, RuntimeError, LedgerError) as error:
        return Nearby(missing=str(error))
    return Nearby(found=found)


def _some(answers: Answers, project: Project, predictions: Sequence[Prediction]) -> list[Prediction]:
    """Choose training pictures that are there by the names of their objects."""
    there = sorted(
        (one for one in predictions if one.split == TRAIN and one.file and project.store.has(one.file)),
        key=lambda one: one.file,
    )
    return [one for label in answers.labels for one in [other for other in there if other.label == label][:MOST]]


def _picture(project: Project, one: Prediction) -> Picture:
    return Picture(
        source=one.source, member=one.member, label=one.label, split=one.split, path=project.store.path(one.file),
        file=one.file,
    )  # fmt: skip
