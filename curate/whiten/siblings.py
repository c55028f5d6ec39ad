"""Another picture of a burst takes the place of one that cannot be cut out. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from imageledger.record import DUPLICATE, OK, Record

Key = tuple[str, str]


class Families:
    """Pictures of which dedupe kept the best: the kept one, and its copies from the largest down.

    Copies of another label are none: a person has to decide about those. The rows are read twice.
    """

    def __init__(self, rows: Callable[[], Iterable[Record]]) -> None:
        copies: dict[str, list[Record]] = {}
        for record in rows():
            if record.status == DUPLICATE:
                copies.setdefault(record.duplicate_of, []).append(record)
        kept = {record.name: record for record in rows() if record.status == OK and record.name in copies}
        self.members = {
            name: [kept[name], *sorted((one for one in others if one.label == kept[name].label), key=_rank)]
            for name, others in copies.items()
            if name in kept
        }
        self.keys = {record.key for members in self.members.values() for record in members}

    def promoted(self, results: Mapping[Key, Record]) -> frozenset[Key]:
        """Return the copies that must be tried: each whose better ones all came out of the stage set aside.

        `results` are the rows of `keys` that the stage has worked on.
        """
        return frozenset(key for members in self.members.values() for key in _tried(members, results))


def _tried(members: Sequence[Record], results: Mapping[Key, Record]) -> Iterator[Key]:
    """Yield the copies to try in turn; one of the very pixels that failed would fail as well."""
    failed: set[str] = set()
    for number, record in enumerate(members):
        if number and record.file in failed:
            continue
        if number:
            yield record.key
        done = results.get(record.key)
        if done is None or done.status == OK:
            return
        failed.add(record.file)


def brought_in(record: Record, promoted: Collection[Key]) -> Record:
    """Return a copy that is to be tried as an `ok` row, and every other row as it is."""
    return replace(record, status=OK, reason="", duplicate_of="", similarity=0.0) if record.key in promoted else record


def _rank(record: Record) -> tuple[int, Key]:
    return -record.width * record.height, record.key
