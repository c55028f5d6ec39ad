"""Which pictures stages took for copies of a picture, or keep together with it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from audit.report.mistakes.section import Copy
from imageledger.record import Record

MOST = 4
"""So many copies of a picture are named."""


@dataclass(frozen=True, slots=True)
class Copies:
    """The rows of a manifest by what they belong to."""

    together: Mapping[str, Sequence[Record]]

    @classmethod
    def of(cls, rows: Iterable[Record]) -> Self:
        """Gather rows by cluster and by group."""
        together: dict[str, list[Record]] = defaultdict(list)
        for record in rows:
            for name in _names(record):
                together[name].append(record)
        return cls(together)

    def of_record(self, record: Record) -> Sequence[Copy]:
        """Return the copies of a record, the most alike first."""
        found = {other.key: other for name in _names(record) for other in self.together.get(name, ())}
        others = [other for key, other in found.items() if key != record.key]
        others.sort(key=lambda other: (-other.similarity, other.key))
        return [Copy(member=one.member, status=one.status, similarity=one.similarity) for one in others[:MOST]]


def _names(record: Record) -> list[str]:
    cluster = f"copy of {record.duplicate_of or record.name}"
    return [cluster, f"group {record.group}"] if record.group else [cluster]
