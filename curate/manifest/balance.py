"""Choose equally many pictures of each class and split them, groups whole: pure, and decided by content."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Key = tuple[str, str]
Sums = Mapping[str, int]
"""A number of pictures for each label."""

TRAIN, VALID = "train", "valid"


class NoSplit(Exception):
    """No split of these groups has the wanted counts; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One picture that may be chosen: an `ok` row with an origin (its content) and, where known, a group."""

    key: Key
    label: str
    source: str
    origin: str
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many pictures of each label, which share of them for validation, and the seed of all chance."""

    per_class: int
    valid_fraction: float
    seed: int

    @property
    def valid(self) -> int:
        """Return how many pictures of each label are for validation (halves round up)."""
        return int(self.per_class * self.valid_fraction + 0.5)

    @property
    def train(self) -> int:
        """Return how many pictures of each label are for training."""
        return self.per_class - self.valid


@dataclass(frozen=True, slots=True)
class _Block:
    """Pictures that must stay on one side, how many of each label, and where their turn comes."""

    choices: tuple[Choice, ...]
    sizes: Mapping[str, int]
    turn: tuple[float, str]


def missing(choices: Iterable[Choice], labels: Sequence[str], per_class: int) -> dict[str, int]:
    """Return, for each label that has too few pictures, how many are missing."""
    there = Counter(choice.label for choice in choices)
    return {label: per_class - there[label] for label in labels if there[label] < per_class}


def divide(choices: Iterable[Choice], wanted: Wanted) -> dict[Key, str]:
    """Return "train" or "valid" for every chosen picture; the others are not mentioned.

    Exactly `per_class` pictures of each label, exactly `valid` of them for validation, spread as evenly over
    the sources of a label as these have pictures, and no group on both sides. Which ones is decided by
    sha256 of seed and content, so the order of the input is irrelevant and new pictures move few others.
    Expects at least `per_class` pictures of each label. Raises NoSplit when the groups allow no such split.
    """
    ranked = sorted(choices, key=lambda choice: (lot(wanted.seed, choice.origin), choice.key))
    labels = sorted({choice.label for choice in ranked})
    blocks = _blocks(ranked, wanted)
    spanning = any(len(block.sizes) > 1 for block in blocks)
    valid: set[Key] = set()
    for together in [labels] if spanning else [[label] for label in labels]:
        chosen = _validation([block for block in blocks if set(block.sizes) <= set(together)], together, wanted)
        valid.update(choice.key for block in chosen for choice in block.choices)
    split: dict[Key, str] = {}
    for label in labels:
        own = [choice for choice in ranked if choice.label == label]
        given: Counter[str] = Counter()
        sides = (
            (VALID, wanted.valid, [c for c in own if c.key in valid]),
            (TRAIN, wanted.train, [c for c in own if c.key not in valid]),
        )
        for side, count, eligible in sides:
            split.update((choice.key, side) for choice in _evenly(eligible, count, given, wanted.seed))
    return split


def lot(seed: int, text: str) -> str:
    """Return where something stands in the order that seed and content alone decide."""
    return hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()


def _blocks(ranked: Sequence[Choice], wanted: Wanted) -> list[_Block]:
    """Put groups together, in the order in which they are offered a place in validation.

    A picture's turn is its rank within its source, in units of what that source has to give, so that all
    sources come up equally often. Pictures of equal content stay together even without a group.
    """
    members: dict[str, list[Choice]] = defaultdict(list)
    turns: dict[str, tuple[float, str]] = {}
    places: Counter[tuple[str, str]] = Counter()
    due = quotas(ranked, wanted)
    for choice in ranked:
        cell = choice.label, choice.source
        name = f"group {choice.group}" if choice.group else f"origin {choice.origin}"
        turn = ((places[cell] + 0.5) / max(due[cell], 0.5), lot(wanted.seed, choice.origin))
        places[cell] += 1
        members[name].append(choice)
        turns[name] = min(turn, turns.get(name, turn))
    return sorted(
        (
            _Block(tuple(choices), Counter(choice.label for choice in choices), turns[name])
            for name, choices in members.items()
        ),
        key=lambda block: block.turn,
    )


def quotas(ranked: Sequence[Choice], wanted: Wanted) -> Counter[tuple[str, str]]:
    """Return how many pictures each (label, source) should give; expects choices in the order of their lots."""
    taken = evenly(ranked, wanted)
    return Counter((choice.label, choice.source) for choice in ranked if choice.key in taken)


def evenly(ranked: Sequence[Choice], wanted: Wanted) -> set[Key]:
    """Return `per_class` pictures of each label, sources in turn; expects choices in the order of their lots."""
    by_label = [[choice for choice in ranked if choice.label == label] for label in {each.label for each in ranked}]
    return {choice.key for own in by_label for choice in _evenly(own, wanted.per_class, Counter(), wanted.seed)}


def _evenly(ranked: Sequence[Choice], count: int, given: Counter[str], seed: int) -> list[Choice]:
    """Take `count` pictures in turn from the source that has given least so far; `given` is carried on."""
    queues: dict[str, list[Choice]] = defaultdict(list)
    for choice in reversed(ranked):
        queues[choice.source].append(choice)
    lots = {source: lot(seed, source) for source in queues}
    taken = []
    for _ in range(count):
        source = min((name for name, queue in queues.items() if queue), key=lambda name: (given[name], lots[name]))
        taken.append(queues[source].pop())
        given[source] += 1
    return taken


def _validation(blocks: Sequence[_Block], labels: Sequence[str], wanted: Wanted) -> list[_Block]:
    """Choose the blocks of the validation side, in turn, so that both sides have enough of every label."""
    room = {}
    for label in labels:
        total = sum(block.sizes.get(label, 0) for block in blocks)
        room[label] = total - wanted.train
    chosen = _in_turn(blocks, labels, wanted.valid, room)
    if chosen is None:
        chosen = _exactly(blocks, labels, wanted.valid, room)
    if chosen is None:
        raise NoSplit(_why(blocks, labels, wanted))
    return chosen


def _in_turn(blocks: Sequence[_Block], labels: Sequence[str], least: int, room: Sums) -> list[_Block] | None:
    """Take each block that is still wanted and fits; None when that does not add up."""
    held = Counter(dict.fromkeys(labels, 0))
    chosen = []
    for block in blocks:
        fits = all(held[label] + size <= room[label] for label, size in block.sizes.items())
        if fits and any(held[label] < least for label in block.sizes):
            chosen.append(block)
            held.update(block.sizes)
    return chosen if all(held[label] >= least for label in labels) else None


def _exactly(blocks: Sequence[_Block], labels: Sequence[str], least: int, room: Sums) -> list[_Block] | None:
    """Find by subset sums the blocks that add up, preferring early ones; None when none do.

    The sums that the blocks from n on can reach are the set bits of one integer: bit b·stride + a for a
    pictures of the first label and b of the second.
    """
    first, *second = labels
    width = room[first] + 1
    stride = 2 * width
    height = room[second[0]] + 1 if second else 1
    inside = sum(((1 << width) - 1) << (row * stride) for row in range(height))

    def shift(block: _Block) -> int | None:
        a = block.sizes.get(first, 0)
        b = block.sizes.get(second[0], 0) if second else 0
        return b * stride + a if a < width and b < height else None

    reach = [1]
    for block in reversed(blocks):
        by = shift(block)
        reach.append(reach[-1] | ((reach[-1] << by) & inside if by is not None else 0))
    reach.reverse()
    goals = [
        b * stride + a
        for b in range(least if second else 0, height)
        for a in range(least, width)
        if reach[0] >> (b * stride + a) & 1
    ]
    if not goals:
        return None
    left, chosen = goals[0], []
    for n, block in enumerate(blocks):
        by = shift(block)
        if by is not None and by <= left and (reach[n + 1] >> (left - by)) & 1:
            chosen.append(block)
            left -= by
    return chosen


def _why(blocks: Sequence[_Block], labels: Sequence[str], wanted: Wanted) -> str:
    parts = []
    for label in labels:
        sizes = sorted((block.sizes[label] for block in blocks if label in block.sizes), reverse=True)
        largest = ", ".join(str(size) for size in sizes[:3])
        parts.append(f"{label} has {sum(sizes)} pictures in {len(sizes)} groups, the largest of {largest}")
    return (
        f"no split keeps every group on one side and has {wanted.train} pictures for training and "
        f"{wanted.valid} for validation of each class: {'; '.join(parts)}"
    )
