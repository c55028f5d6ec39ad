"""All pictures of the report: a small picture of each, with what one sorts and filters by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.pictures import Shown, show_object
from audit.report.subject import Subject
from imageledger.record import Record
from imageledger.types import Key, Track, untracked
from train.runs import Prediction

SHOWN = 1000
"""At most so many pictures stand on the page, those that the model got most wrong first."""

SIDE = 88
"""Longer side of a small picture, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One picture: its record, what the run answered (None without one), and the proposed cause of a mistake."""

    record: Record
    shown: Shown
    prediction: Prediction | None = None
    cause: str = ""
    link: str = ""

    @property
    def generator(self) -> str:
        """What made the picture, or its source where that is not known."""
        return self.record.generator or self.record.source

    @property
    def wrong(self) -> bool:
        """Whether the run called it the other class."""
        return self.prediction is not None and self.prediction.predicted != self.prediction.label


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturesSection:
    """The pictures shown, of how many there are, and the values that each filter offers."""

    items: Sequence[Item]
    there: int
    choices: Mapping[str, Sequence[str]]
    positive: str
    anchor: str = "pictures"
    title: str = "All pictures"
    template: str = "report/pictures/section.html"

    @property
    def with_predictions(self) -> bool:
        """Whether a run answered any of the pictures."""
        return any(item.prediction for item in self.items)

    def data(self) -> Mapping[str, Any]:
        """Return a row per picture."""
        return {"there": self.there, "shown": len(self.items), "pictures": [_row(item) for item in self.items]}


def pictures(
    subject: Subject, *, causes: Mapping[Key, str] = {}, links: Mapping[Key, str] = {}, track: Track = untracked
) -> PicturesSection:
    """Show the pictures of the final set, highest loss first; `causes` and `links` come from those got wrong."""
    answers = {prediction.key: prediction for prediction in subject.predictions}
    ordered = sorted(subject.chosen, key=lambda record: _order(record, answers.get(record.key)))
    first = ordered[:SHOWN]
    items = [
        Item(
            record=record, prediction=answers.get(record.key), cause=causes.get(record.key, ""),
            link=links.get(record.key, ""), shown=show_object(subject.project.store, record.file),
        )
        for record in track(first, len(first), "opening pictures")
    ]  # fmt: skip
    return PicturesSection(items=items, there=len(ordered), choices=_choices(items), positive=subject.labels[1])


def _order(record: Record, prediction: Prediction | None) -> tuple[float, Key]:
    return -prediction.loss if prediction else 0.0, record.key


def _choices(items: Sequence[Item]) -> Mapping[str, Sequence[str]]:
    """Return the values of each filter that has more than one."""
    values = {
        "split": {item.record.split for item in items},
        "label": {item.record.label for item in items},
        "called": {item.prediction.predicted for item in items if item.prediction},
        "cause": {item.cause for item in items if item.cause},
        "source": {item.generator for item in items},
    }
    return {name: sorted(found) for name, found in values.items() if len(found) > 1 or (name == "cause" and found)}


def _row(item: Item) -> dict[str, Any]:
    prediction = item.prediction
    return {
        "source": item.record.source, "member": item.record.member, "split": item.record.split,
        "label": item.record.label, "generator": item.record.generator,
        "predicted": prediction.predicted if prediction else None,
        "probability": prediction.probability if prediction else None,
        "loss": prediction.loss if prediction else None, "cause": item.cause,
    }  # fmt: skip
