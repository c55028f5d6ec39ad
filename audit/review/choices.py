"""The buttons of the desk: which key decides what, and what becomes of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.review.desk import overruled
from imageledger import decisions
from imageledger.record import Record


@dataclass(frozen=True)
class Choice:
    """One button: its key, what it decides, its words, and what the next `curate run` does then."""

    key: str
    kind: str
    words: str
    then: str


OF_ONE = (
    Choice("1", decisions.KEEP, "Keep", "it stays as it is, whatever copies of it there are"),
    Choice("2", decisions.RELABEL, "Wrong label", "it gets the other label"),
    Choice("3", decisions.LEAVE_OUT, "Leave out", "it is rejected, and another picture takes its place"),
    Choice("4", decisions.BAD_MATTE, "Bad matte", "another backend cuts it out, or it is rejected"),
    Choice("8", decisions.UNSURE, "Unsure", "nothing changes; the queue unsure keeps it"),
)
OF_TWO = (
    Choice("5", decisions.NOT_DUPLICATE, "Not a duplicate", "the two are never joined"),
    Choice("6", decisions.PAIR, "Is a pair: the same picture", "they are one picture: the better one stays"),
    Choice("7", decisions.SAME_PERSON, "Same person", "both stay, in one group and on one side of the split"),
)


def choices(records: Sequence[Record], other_label: str) -> list[Choice]:
    """Return the buttons for an item; those about a single picture mean `records[0]` in their words."""
    first, pair = records[0], len(records) == 2
    found = []
    for choice in OF_ONE:
        words = choice.words
        if choice.kind == decisions.RELABEL and not pair:
            words = f"Wrong label: it is {other_label}"
        if choice.kind == decisions.KEEP and not pair and overruled(first):
            words = "Keep it all the same"
        if choice.kind != decisions.BAD_MATTE or any(record.matte for record in records):
            found.append(Choice(choice.key, choice.kind, words, choice.then))
    return sorted([*found, *(OF_TWO if pair else ())], key=lambda choice: choice.key)
