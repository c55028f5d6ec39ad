"""Why pictures were set aside, in few lines: reasons that differ only in numbers and names are counted together."""

import re
from collections.abc import Iterable, Iterator, Mapping

SHOWN = 5
_VARIES = re.compile(r"[0-9][0-9a-f.]*|\S+[:#/]\S+")


def lines(reasons: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yield for each label the SHOWN most frequent kinds of reasons, and how many pictures have other reasons."""
    for label, counts in sorted(reasons.items()):
        kinds = kinds_of(counts)
        for reason, count in kinds[:SHOWN]:
            yield f"  {label}: {count} × {reason}"
        if rest := sum(count for _, count in kinds[SHOWN:]):
            yield f"  {label}: {rest} for other reasons, listed in the manifest"


def kinds_of(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    """Count reasons by kind, most frequent first; what differs within a kind is written as a range or as "…"."""
    shown = [(words, sum(reasons[reason] for reason in kind)) for words, kind in grouped(reasons).items()]
    return sorted(shown, key=lambda pair: (-pair[1], pair[0]))


def grouped(reasons: Iterable[str]) -> dict[str, list[str]]:
    """Return the reasons of each kind, under the words that stand for the kind.

    >>> grouped(["matte: covers 97 % of the picture", "matte: covers 3 % of the picture"])
    {'matte: covers 3–97 % of the picture': ['matte: covers 97 % of the picture', 'matte: covers 3 % of the picture']}
    """
    kinds: dict[str, list[str]] = {}
    for reason in dict.fromkeys(reasons):
        kinds.setdefault(_VARIES.sub("…", reason), []).append(reason)
    return {_together(kind): kind for kind in kinds.values()}


def _together(kind: list[str]) -> str:
    words = [_range(place) for place in zip(*map(_VARIES.findall, kind), strict=True)]
    return _VARIES.sub(lambda _: words.pop(0), kind[0])


def _range(values: tuple[str, ...]) -> str:
    if len(set(values)) == 1:
        return values[0]
    if all(value.isdecimal() for value in values):
        return f"{min(values, key=int)}–{max(values, key=int)}"
    return "…"
