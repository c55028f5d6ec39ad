"""What people said of two pictures: that they are not the same, or that they are. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from imageledger.decisions import PAIR, Decision
from imageledger.types import Key

Places = tuple[int, int]
"""The places of two pictures in a list, the smaller first."""


@dataclass(frozen=True, slots=True)
class Told:
    """Pairs of records that are never joined, and pairs that always are, each with the reason that the copy gets."""

    apart: frozenset[frozenset[Key]] = frozenset()
    same: Mapping[frozenset[Key], str] = field(default_factory=dict)

    def placed(self, folded: Sequence[Iterable[Key]]) -> "Placed":
        """Return the same for pictures that are known by their place; `folded` are the records at each place."""
        at = {key: place for place, keys in enumerate(folded) for key in keys}

        def places(keys: frozenset[Key]) -> Places:
            first, second = sorted(at[key] for key in keys)
            return first, second

        there = {keys: places(keys) for keys in chain(self.apart, self.same) if keys <= at.keys()}
        return Placed(
            apart=frozenset(there[keys] for keys in self.apart if keys in there),
            same={there[keys]: why for keys, why in self.same.items() if keys in there and len({*there[keys]}) == 2},
        )


NOTHING_TOLD = Told()


@dataclass(frozen=True, slots=True)
class Placed:
    """What Told says, of pictures by their places."""

    apart: frozenset[Places] = frozenset()
    same: Mapping[Places, str] = field(default_factory=dict)

    def keeps_apart(self, place: int, others: Iterable[int]) -> bool:
        """Tell whether a picture is said not to be the same as any of the others."""
        return any((min(place, other), max(place, other)) in self.apart for other in others)


def told(pairs: Mapping[frozenset[Key], Decision]) -> Told:
    """Read the decisions about pairs: "pair" joins them, "not-duplicate" and "same-person" keep them apart."""
    same = {keys: f"the same picture, says {made.who}: {made.why}" for keys, made in pairs.items()
            if made.decision == PAIR}  # fmt: skip
    return Told(apart=frozenset(pairs.keys() - same.keys()), same=same)


def split(rows: Sequence[Key], apart: frozenset[frozenset[Key]]) -> list[list[int]]:
    """Divide exact copies, by their numbers, so that none stands with one that it must be kept apart from."""
    parts: list[list[int]] = []
    for number, key in enumerate(rows):
        part = next((part for part in parts if all(frozenset((key, rows[n])) not in apart for n in part)), None)
        if part is None:
            parts.append([number])
        else:
            part.append(number)
    return parts
