"""A split that a table gives: it is kept as it is, all of it or nothing, and it is refused where it tears a group."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from curate.manifest.balance import TRAIN, VALID, Choice, Key, NoSplit, Wanted, evenly, lot
from imageledger.errors import ManifestError
from imageledger.manifest import Card, card_path
from imageledger.record import OK, Record

GIVEN = "given"
"""What the card of a final manifest says of its split, where a table gave it."""

SHOWN = 3


def is_given(records: Iterable[Record]) -> bool:
    """Tell whether the `ok` rows have a split already; raise ManifestError where some have one and some have none.

    >>> is_given([Record(source="s", member="a", label="real", split="train")])
    True
    """
    count: Counter[bool] = Counter()
    bare: list[str] = []
    for record in records:
        if record.status == OK:
            count[bool(record.split)] += 1
            if not record.split and len(bare) < SHOWN:
                bare.append(record.name)
    if count[True] and count[False]:
        raise ManifestError(
            f"{count[True]} pictures have a split from a table, and {count[False]} have none, such as {bare[0]}",
            "give every picture one in the column split of its table, or take that column away, then curate fetch",
        )
    return count[True] > 0


def was_given(manifest: Path) -> bool:
    """Tell from the card of a final manifest whether its split was given."""
    try:
        return Card.read(card_path(manifest)).settings.get("split") == GIVEN
    except ManifestError:
        return False


def kept(choices: Sequence[Choice], side: dict[Key, str], wanted: Wanted) -> dict[Key, str]:
    """Choose on each side as many pictures of each label as `wanted` says, and return their given side.

    Sources give as evenly as they can, by seed and content, as without a given split. Raises NoSplit where a group, or
    pictures of equal content, lie on both sides, and where a side has too few pictures.
    """
    _refuse_torn(choices, side)
    ranked = sorted(choices, key=lambda choice: (lot(wanted.seed, choice.origin), choice.key))
    split: dict[Key, str] = {}
    for name, count in ((TRAIN, wanted.train), (VALID, wanted.valid)):
        own = [choice for choice in ranked if side[choice.key] == name]
        there = Counter(choice.label for choice in own)
        for label in sorted({choice.label for choice in ranked}):
            if there[label] < count:
                raise NoSplit(
                    f"the table gives {there[label]} {label} pictures to {name}, and {count} are wanted "
                    f"(per_class {wanted.per_class}, valid_fraction {wanted.valid_fraction:g})"
                )
        split |= dict.fromkeys(evenly(own, replace(wanted, per_class=count)), name)
    return split


def _refuse_torn(choices: Sequence[Choice], side: dict[Key, str]) -> None:
    first: dict[str, Choice] = {}
    torn: dict[str, tuple[Choice, Choice]] = {}
    for choice in choices:
        name = choice.group or f"equal content {choice.origin[:12]}"
        other = first.setdefault(name, choice)
        if side[other.key] != side[choice.key]:
            torn.setdefault(name, (other, choice))
    if torn:
        name, pair = next(iter(torn.items()))
        members = " and ".join(f"{choice.key[1]} ({side[choice.key]})" for choice in pair)
        raise NoSplit(
            f"the table puts pictures that belong together on both sides of the split: {members} are of {name}"
            + (f", and {len(torn) - 1} groups more" if len(torn) > 1 else "")
        )
