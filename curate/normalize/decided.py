"""Pictures without a face that a person keeps all the same. Blind to labels."""

from collections.abc import Callable, Collection, Iterable

from curate.faces.words import NO_FACE
from curate.history import normalized
from imageledger import decisions
from imageledger.decisions import Decisions
from imageledger.record import OK, Record
from imageledger.types import Key


def kept_faceless(decided: Decisions, records: Iterable[Record]) -> frozenset[Key]:
    """Return the records that a person keeps though no face was found in them."""
    there = decisions.concerned(decided, records).values()
    fates = {record.key: decisions.fate(record, decided) for record in there}
    return frozenset(key for key, made in fates.items() if made is not None and made.despite == NO_FACE)


def as_said(
    record: Record, *, kept: Collection[Key], work: Callable[[Record], Record], lenient: Callable[[Record], Record]
) -> Record:
    """Normalize one record; where a person keeps it, in the `lenient` way, which asks for no face."""
    return lenient(record) if record.key in kept else work(record)


def overtaken(records: Iterable[Record], kept: Collection[Key], *, rejects_faceless: bool) -> frozenset[Key]:
    """Return the normalized rows that are not what people say now."""
    if not rejects_faceless:
        return frozenset()
    return frozenset(
        record.key
        for record in records
        if (record.reason == NO_FACE and record.key in kept)
        or (record.status == OK and normalized(record).faces == 0 and record.key not in kept)
    )
