"""The training pictures nearest to mistaken ones, by the network that answered."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from audit.report.mistakes.kept import Lines
from audit.report.mistakes.near import nearest
from imageledger.config import Project
from imageledger.errors import LedgerError
from imageledger.types import Track
from train.answers import Answers
from train.pictures import TRAIN, Picture
from train.runs import Prediction, read_predictions

NEAREST = "nearest.jsonl"

MOST = 400
"""At most so many training pictures of each class are looked through, as good as by chance."""


@dataclass(frozen=True, slots=True)
class Close:
    """A training picture: its label, its name in its source, its object, and how alike it is (cosine, -1..1)."""

    label: str
    member: str
    file: str
    alike: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """By row the nearest training picture of each class, and how many of the nearest are positive, of how many.

    `missing` says why there are none.
    """

    found: Mapping[int, tuple[Sequence[Close], tuple[int, int]]] = field(default_factory=dict)
    missing: str = ""

    def of(self, row: int) -> Sequence[Close]:
        """Return the nearest picture of each class, negative first."""
        return self.found[row][0] if row in self.found else ()

    def counted(self, row: int, positive: bool) -> tuple[int, int] | None:
        """Return how many of the nearest are of the other class than that of the picture, of how many."""
        if row not in self.found:
            return None
        hits, total = self.found[row][1]
        return (total - hits if positive else hits), total


def nearby(answers: Answers, rows: Sequence[int], project: Project, track: Track) -> Nearby:
    """Find the nearest training pictures of some rows; of several models, the first that had not seen the picture.

    What was found before by the same models is not looked for again.
    """
    if not rows or not all(answers.files[row] for row in rows):
        return Nearby(missing="the run was trained on a folder" if rows else "")
    lines = Lines(answers, NEAREST)
    found = {row: near for row in rows if (near := _kept(lines.values.get(answers.files[row]))) is not None}
    todo = [row for row in rows if row not in found]
    try:
        for row, near in _looked_for(answers, todo, project, track) if todo else ():
            found[row] = near
            lines.add(answers.files[row], {"nearest": [asdict(one) for one in near[0]], "counted": list(near[1])})
    except (ImportError, OSError, RuntimeError, LedgerError) as error:
        return Nearby(found=found, missing=str(error))
    return Nearby(found=found)


def _kept(value: Any) -> tuple[Sequence[Close], tuple[int, int]] | None:
    """Read what was found before; None for what is no such thing."""
    try:
        hits, total = (int(count) for count in value["counted"])
        close = [Close(str(one["label"]), str(one["member"]), str(one["file"]), float(one["alike"]))
                 for one in value["nearest"]]  # fmt: skip
        return close, (hits, total)
    except (TypeError, KeyError, ValueError):
        return None


def _looked_for(
    answers: Answers, rows: Sequence[int], project: Project, track: Track
) -> Iterator[tuple[int, tuple[Sequence[Close], tuple[int, int]]]]:
    from train.models.held_out import models_by_key
    from train.network.described import described

    places, by_model = models_by_key(answers), defaultdict(list)
    for row in rows:
        by_model[places[answers.keys[row]][0]].append(row)
    cache = project.root / "data" / "features"
    for folder, own in track(list(by_model.items()), len(by_model), "looking for the nearest training pictures"):
        known = _some(answers, project, list(read_predictions(folder)))
        asked = [answers.predictions[row] for row in own]
        seen, features = (described(folder, [_picture(project, one) for one in part], cache) for part in (asked, known))
        positive = np.array([one.label == answers.labels[1] for one in known])
        apart = [frozenset(n for n, one in enumerate(known) if one.file == other.file) for other in asked]
        for row, near in zip(own, nearest(seen, features, positive, apart), strict=True):
            pairs = [(known[place], alike) for place, alike in zip(near.rows, near.alike, strict=True)
                     if place is not None]  # fmt: skip
            yield row, ([Close(one.label, one.member, one.file, alike) for one, alike in pairs], near.counted)


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
