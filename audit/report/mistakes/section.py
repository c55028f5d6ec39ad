"""The section of mistaken pictures: cards grouped by cause, thumbnails of the rest, and its content as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.pictures import Entry, Shown
from audit.report.mistakes.attended import Looked
from audit.report.mistakes.causes import Cause, Proposal
from audit.report.mistakes.compared import Outside
from imageledger.types import Key
from train.runs import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number of a picture beside its class: what it measures, the value, the median, and spreads away from it."""

    words: str
    value: float
    median: float
    away: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """The nearest training picture of one class, and how alike it is (cosine, -1..1)."""

    label: str
    member: str
    shown: Shown
    alike: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A picture of the same cluster or group, what became of it, and how alike it is (0..1; 0 where nobody said)."""

    member: str
    status: str
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything about one mistaken picture; `heat` is where the model looked."""

    entry: Entry
    anchor: str
    proposals: Sequence[Proposal]
    heat: Shown
    looked: Looked | None
    numbers: Sequence[Number]
    neighbours: Sequence[Neighbour]
    copies: Sequence[Copy]

    @property
    def cause(self) -> Cause:
        """The likeliest cause."""
        return self.proposals[0].cause

    @property
    def prediction(self) -> Prediction:
        """What the model said."""
        return self.entry.prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumb:
    """A mistaken picture that is not shown in full."""

    prediction: Prediction
    shown: Shown
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """The pictures of one class that were called the other, the surest mistakes first."""

    actual: str
    called: str
    total: int
    cards: Sequence[Card]
    rest: Sequence[Thumb]

    @property
    def groups(self) -> Sequence[tuple[Cause, Sequence[Card]]]:
        """The cards by cause, in the order of causes."""
        found = {cause: [card for card in self.cards if card.cause == cause] for cause in Cause}
        return [(cause, cards) for cause, cards in found.items() if cards]

    @property
    def counts(self) -> Sequence[tuple[Cause, int]]:
        """How many mistakes, shown or not, have each cause."""
        named = [card.cause for card in self.cards] + [thumb.cause for thumb in self.rest]
        return [(cause, named.count(cause)) for cause in Cause if cause in named]


@dataclass(frozen=True, slots=True, kw_only=True)
class MistakesSection:
    """All mistakes of a run on pictures that its models had not seen, negative class first.

    `attention` compares the classes; `lines` say what a person must know to read the section.
    """

    directions: Sequence[Direction]
    positive: str
    attention: Outside | None
    lines: Sequence[str]
    anchor: str = "mistakes"
    title: str = "Misclassified pictures"
    template: str = "report/mistakes/section.html"
    style: str = "report/mistakes/style.css"

    @property
    def causes(self) -> Mapping[Key, str]:
        """The likeliest cause of each mistake."""
        shown = {card.prediction.key: str(card.cause) for one in self.directions for card in one.cards}
        return shown | {thumb.prediction.key: str(thumb.cause) for one in self.directions for thumb in one.rest}

    @property
    def links(self) -> Mapping[Key, str]:
        """The place on the page of each mistake that is shown in full."""
        return {card.prediction.key: card.anchor for one in self.directions for card in one.cards}

    def data(self) -> Mapping[str, Any]:
        """Return numbers, names and sentences."""
        return {
            "attention": None if self.attention is None else {
                "outside the face": dict(zip(self.attention.labels, map(list, self.attention.means), strict=True)),
                "difference": list(self.attention.difference), "evenly spread": list(self.attention.area),
            },
            "lines": list(self.lines),
            **{f"{one.actual} called {one.called}": _direction(one) for one in self.directions},
        }  # fmt: skip


def _direction(one: Direction) -> dict[str, Any]:
    return {
        "mistakes": one.total, "causes": {str(cause): count for cause, count in one.counts},
        "pictures": [_card(card) for card in one.cards]
        + [{**_named(thumb.prediction), "causes": [{"cause": str(thumb.cause)}]} for thumb in one.rest],
    }  # fmt: skip


def _card(card: Card) -> dict[str, Any]:
    looked = card.looked
    return {
        **_named(card.prediction),
        "causes": [{"cause": str(one.cause), "evidence": one.evidence} for one in card.proposals],
        "attention outside the face": looked.outside_face if looked else None,
        "attention outside the person": looked.outside_person if looked else None,
        "numbers": [{"number": one.words, "value": one.value, "median": one.median, "spreads": one.away}
                    for one in card.numbers],
        "nearest": [{"label": one.label, "member": one.member, "alike": one.alike} for one in card.neighbours],
        "copies": [{"member": one.member, "status": one.status, "similarity": one.similarity} for one in card.copies],
    }  # fmt: skip


def _named(prediction: Prediction) -> dict[str, Any]:
    return {
        "source": prediction.source, "member": prediction.member, "probability": prediction.probability,
        "loss": prediction.loss,
    }  # fmt: skip
