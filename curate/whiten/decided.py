"""Pictures whose matte a person has judged: another backend is tried, or a refused matte is taken. Blind to labels."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from curate.faces.words import by_matte
from curate.history import noted, whitened
from curate.matting import BACKENDS, backend
from curate.matting.matte import Asked, Cutter
from imageledger import decisions
from imageledger.decisions import Decisions
from imageledger.errors import LedgerError
from imageledger.manifest import versions_of
from imageledger.record import OK, REJECTED, Record
from imageledger.types import Key

logger = logging.getLogger(__name__)

Cut = Callable[[Record, Cutter, str], Record]
"""Whitens one record with a backend; a matte of that name is taken whatever fault it has."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said of the mattes of one picture: those refused, with the reason, and one that is taken.

    The refused matte "" is whichever comes first: such a decision names no matte.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    taken: str = ""

    def refuses(self, matte: str, number: int) -> str:
        """Return why the matte that was made as the `number`-th (from 0) is refused, or ""."""
        return self.refused.get(matte, "") or (self.refused.get("", "") if number == 0 else "")

    def heard(self, cutters: "Cutters") -> str:
        """Return the digest of what is refused and of what can be tried instead; "" where nothing is refused."""
        said = repr((sorted(self.refused.items()), [name for name, _ in cutters]))
        return hashlib.sha256(said.encode()).hexdigest()[:16] if self.refused else ""


Cutters = Sequence[tuple[str, Cutter]]
"""A name and a backend each; that of the project comes first."""


def words_of(decided: Decisions, records: Iterable[Record]) -> dict[Key, Word]:
    """Return what people said of mattes, by record; decisions about other bytes are left out."""
    there = decisions.concerned(decided, records)
    words: dict[Key, Word] = {}
    for key, made in decisions.mattes_of(decided).items():
        if key in there:
            held = {each.matte: f"refused by {each.who}: {each.why}" for each in made
                    if decisions.applied_to(each, there)}  # fmt: skip
            words[key] = Word(refused=held)
    for key, record in there.items():
        last = decisions.fate(record, decided)
        if last is not None and last.decision == decisions.KEEP and last.despite:
            words[key] = replace(words.get(key, Word()), taken=last.matte)
    return {key: word for key, word in words.items() if word.refused or word.taken}


def as_said(record: Record, *, words: Mapping[Key, Word], cut: Cut, cutters: Cutters) -> Record:
    """Whiten one record; where a person refused its matte, with the next of the cutters that gives another one.

    The step notes which cutter was used, and the mattes that did not do. Where none is left, the picture is rejected,
    with the reason of the person.
    """
    word = words.get(record.key, Word())
    tried: list[str] = []
    for number, (name, cutter) in enumerate(cutters):
        made = cut(record, cutter, word.taken)
        why = word.refuses(made.matte, number) if made.matte else ""
        if not why and (made.status == OK or not tried or not made.matte):
            return _noting(made, word, cutters, tried, name if tried else "")
        tried.append(made.matte)
        last = made.failed(f"matte: {why}; no other backend is available", REJECTED) if why else made
    return _noting(last, word, cutters, tried, "")


def others(chosen: str, asked: Asked) -> list[tuple[str, Cutter]]:
    """Return the backends other than the chosen one that can be used here, each with its name and versions.

    Nothing is downloaded for them.
    """
    found = []
    for name in BACKENDS.names():
        if name != chosen:
            try:
                found.append((signature(name), backend(name).prepare(replace(asked, download=False))))
            except LedgerError as error:
                logger.info("Backend %s is not available: %s; %s", name, error.what, error.hint)
    return found


def signature(name: str) -> str:
    """Name a backend with the versions that its mattes depend on: "rembg, rembg 2.0.86"."""
    versions = versions_of(backend(name).packages)
    return ", ".join([name, *(f"{package} {version}" for package, version in sorted(versions.items()))])


def overtaken(records: Iterable[Record], words: Mapping[Key, Word], cutters: Cutters) -> set[Key]:
    """Return the whitened rows that are not what people say now, or were made when other backends could be tried."""
    return {record.key for record in records if not _agrees(record, words.get(record.key, Word()), cutters)}


def unheard(decided: Decisions, records: Iterable[Record]) -> list[str]:
    """Say which refused mattes are not those that whiten makes now: such a decision changes nothing."""
    rows = decisions.concerned(decided, records)
    return [
        f"Not applied: {each.who} refused a matte of {'#'.join(key)} that is no longer made"
        for key, made in decisions.mattes_of(decided).items()
        for each in made
        if key in rows and each.matte not in {*(whitened(rows[key]).refused or ()), rows[key].matte, ""}
    ]


def _agrees(record: Record, word: Word, cutters: Cutters) -> bool:
    note = whitened(record)
    taken = bool(word.taken) and word.taken == record.matte
    wrongly = (note.accepted and not taken) or (taken and by_matte(record) and not word.refuses(record.matte, 0))
    return not wrongly and (note.heard or "") == word.heard(cutters)


def _noting(record: Record, word: Word, cutters: Cutters, tried: Sequence[str], name: str) -> Record:
    if not word.refused or not record.steps:
        return record
    note = replace(
        whitened(record), refused=tuple(tried) or None, cut_by=name or None, heard=word.heard(cutters)
    )  # fmt: skip
    return replace(record, steps=(*record.steps[:-1], replace(record.steps[-1], found=noted(note))))
