"""Divide candidates into disjoint parts before anything is chosen, so that one part can judge what another chose."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from curate.evidence.transfer import FEWEST
from curate.manifest.balance import Choice, Key, lot

PARTS = 2
"""Each part chooses alone, and the other one judges: more parts would choose among fewer candidates."""


def parts_of(choices: Sequence[Choice], seed: int) -> dict[Key, int]:
    """Return the part, 0..PARTS - 1, of every candidate: groups whole, labels and sources as even as these allow.

    Decided by content and seed, so that the order of the rows is irrelevant, and whoever has the candidates can say
    again who was in which part.
    """
    members: dict[str, list[Choice]] = defaultdict(list)
    for choice in sorted(choices, key=lambda choice: (lot(seed, choice.origin), choice.key)):
        members[group_name(choice)].append(choice)
    held: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(PARTS)]
    parts: dict[Key, int] = {}
    for group in sorted(members.values(), key=lambda group: (-len(group), lot(seed + 1, group[0].origin))):
        cells = [cell for choice in group for cell in ((choice.label, choice.source), (choice.label,))]
        part = min(range(PARTS), key=lambda part: (sum(held[part][cell] for cell in cells), part))
        held[part].update(cells)
        parts.update((choice.key, part) for choice in group)
    return parts


def group_name(choice: Choice) -> str:
    """Name what must stay on one side: the group, or pictures of the same content."""
    return f"group {choice.group}" if choice.group else f"origin {choice.origin}"


def division(choices: Sequence[Choice], per_class: int, seed: int) -> tuple[dict[Key, int], list[int]] | None:
    """Return the part of every candidate, and how many pictures of each label each part chooses.

    As even as the candidates of the parts allow. None where a part would choose fewer than FEWEST of a label: then all
    candidates choose together, and nobody is left to judge.
    """
    parts = parts_of(choices, seed)
    held = [Counter(choice.label for choice in choices if parts[choice.key] == part) for part in range(PARTS)]
    labels = {choice.label for choice in choices}
    room = [min(counts[label] for label in labels) for counts in held]
    wanted = [min(room[part], per_class // PARTS + (part < per_class % PARTS)) for part in range(PARTS)]
    for part in range(PARTS):
        wanted[part] += min(room[part] - wanted[part], per_class - sum(wanted))
    return (parts, wanted) if sum(wanted) == per_class and min(wanted) >= FEWEST else None
