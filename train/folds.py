"""Which pictures are held out together: stratified folds, an inner split, and parts to leave out. Groups stay whole.

Pure: labels, groups and kinds in, numbers of rows out (0 is the first). No group ever stands on both sides, so that
no model is judged on a near-duplicate, or another picture of a person, that it was trained on.
"""

import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imageledger.errors import RunError

Rows = tuple[int, ...]

INNER = 5
"""An inner split holds out one in so many of the training pictures."""
NOBODY = ""
SEEN = 5
"""Beside a part that is left out, one in so many pictures of every other part is held out too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the pictures (a generator, a source) that a model is trained without.

    `own` are its pictures; `beside` others that the model does not see either, though it knows the parts they come
    from; it is trained on `rest`. Pictures in none of them share a group with a picture that is held out.
    """

    name: str
    own: Rows
    beside: Rows
    rest: Rows


def folds_of(labels: Sequence[str], groups: Sequence[str], number: int, seed: int) -> list[Rows]:
    """Divide rows into folds with as equal shares of every label as the groups allow; each row is in one fold.

    Raises RunError when a label has fewer groups than there are folds, or a fold would lack a label.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    _refuse_few(labels, groups, number)
    empty = np.zeros(len(labels))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        if len(set(groups)) == len(groups):  # the same, but off by one picture at most
            divided = StratifiedKFold(number, shuffle=True, random_state=seed).split(empty, labels)
        else:
            divided = StratifiedGroupKFold(number, shuffle=True, random_state=seed).split(empty, labels, groups)
        folds = [tuple(int(row) for row in held) for _, held in divided]
    for held in folds:
        if absent := set(labels) - {labels[row] for row in held}:
            raise RunError(
                f"no {number} folds keep every group whole and hold {sorted(absent)[0]} pictures each: its largest "
                f"group has {_largest(labels, groups, sorted(absent)[0])}",
                "a smaller number for --folds, or more pictures",
            )
    return folds


def inner_split(labels: Sequence[str], groups: Sequence[str], seed: int) -> Rows:
    """Return the rows, about one in INNER, that choose among the epochs of a training and are not trained on."""
    fewest = min(_group_counts(labels, groups).values(), default=0)
    if fewest < 2:
        raise RunError(
            "early stopping holds out a fifth of the training pictures, and one class has only a single group of them",
            "train without --early-stopping",
        )
    return folds_of(labels, groups, min(INNER, fewest), seed)[0]


def hold_out_parts(
    labels: Sequence[str], groups: Sequence[str], kinds: Sequence[str], names: Sequence[str], seed: int
) -> list[Part]:
    """Return one Part for every name in `names`, a kind of picture (`kinds` has that of each row, "" for none).

    Of a class that a part lacks as large a share is held out beside it as the part is of its own class, so that what
    is trained on stays balanced; each picture beside one part at most. Of every other part one picture in SEEN is
    held out too, each beside one part at most: they tell what the model makes of kinds that it knows.
    """
    lots = _lots(groups, seed)
    own = {name: [row for row, kind in enumerate(kinds) if kind == name] for name in names}
    beside: dict[str, set[int]] = {name: set() for name in names}
    for label in sorted(set(labels)):
        without = [name for name in names if label not in {labels[row] for row in own[name]}]
        rows = [row for row, row_label in enumerate(labels) if row_label == label]
        wanted = {name: len(own[name]) / (len(labels) - len(rows)) for name in without}
        for name, shared in _dealt(rows, groups, lots, wanted, _tied(groups, own, without)).items():
            beside[name].update(shared)
    for name in names:
        others = [other for other in names if other != name]
        for other, shared in _slices(own[name], groups, lots, others).items():
            beside[other].update(shared)
    return [_part(name, own[name], beside[name], groups) for name in names]


def _part(name: str, own: Sequence[int], beside: Iterable[int], groups: Sequence[str]) -> Part:
    inside = set(own)
    held = inside | set(beside)
    torn = {groups[row] for row in held}
    rest = tuple(row for row, group in enumerate(groups) if group not in torn)
    return Part(name=name, own=tuple(own), beside=tuple(sorted(held - inside)), rest=rest)


def _dealt(
    rows: Iterable[int],
    groups: Sequence[str],
    lots: Mapping[str, int],
    wanted: Mapping[str, float],
    tied: Mapping[str, str],
) -> dict[str, list[int]]:
    """Deal whole groups to parts, the largest first, each to the part furthest below its share (0..1) of the rows.

    What the shares leave over is dealt to nobody.
    """
    shares = {name: share for name, share in {**wanted, NOBODY: 1 - sum(wanted.values())}.items() if share > 1e-9}
    dealt: dict[str, list[int]] = {name: [] for name in shares}
    members: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        members[groups[row]].append(row)
    for group in sorted(members, key=lambda group: (-len(members[group]), lots[group])):
        name = tied.get(group) or min(shares, key=lambda name: (len(dealt[name]) / shares[name], -shares[name], name))
        dealt[name].extend(members[group])
    return {name: shared for name, shared in dealt.items() if name != NOBODY}


def _tied(groups: Sequence[str], own: Mapping[str, Sequence[int]], names: Iterable[str]) -> dict[str, str]:
    """Return the groups that have pictures of a part: the others of the group are held out beside that one."""
    return {groups[row]: name for name in names for row in own[name]}


def _slices(
    rows: Iterable[int], groups: Sequence[str], lots: Mapping[str, int], others: Sequence[str]
) -> dict[str, list[int]]:
    """Divide the groups of a part into slices, and give one to each of the other parts."""
    slices = max(SEEN, len(others))
    members: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        members[groups[row]].append(row)
    filled: list[list[int]] = [[] for _ in range(slices)]
    for group in sorted(members, key=lambda group: (-len(members[group]), lots[group])):
        min(filled, key=len).extend(members[group])
    return dict(zip(others, filled, strict=False))


def _lots(groups: Sequence[str], seed: int) -> dict[str, int]:
    """Draw an order of the groups that the order of the rows does not decide."""
    names = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    return {name: int(place) for name, place in zip(names, order, strict=True)}


def _refuse_few(labels: Sequence[str], groups: Sequence[str], number: int) -> None:
    counts = _group_counts(labels, groups)
    label = min(sorted(counts), key=lambda label: counts[label])
    if counts[label] < number:
        pictures = Counter(labels)[label]
        grouped = f" in {counts[label]} groups that stay together" if pictures > counts[label] else ""
        most = f"--folds {counts[label]}" if counts[label] > 1 else "more pictures"
        raise RunError(f"{label} has {pictures} pictures{grouped}, too few for {number} folds", most)


def _group_counts(labels: Sequence[str], groups: Sequence[str]) -> Counter[str]:
    return Counter(label for label, _ in set(zip(labels, groups, strict=True)))


def _largest(labels: Sequence[str], groups: Sequence[str], label: str) -> int:
    pairs = zip(labels, groups, strict=True)
    return max(Counter(group for row_label, group in pairs if row_label == label).values())
