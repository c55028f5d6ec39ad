"""The first stage: read the pictures of all sources into the store, one row each."""

import hashlib
import heapq
import logging
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from curate.fetch.select import Selection, open_entry, select
from curate.history import Fetched, noted
from curate.pictures.formats import SUFFIXES, sniff, what_is
from curate.sources import BadMember, Source, Stamped, ledger, licences, stamps
from curate.sources.entries import base, check, write
from curate.sources.table import Facts
from imageledger import manifest
from imageledger.config import FILE, Project, SourceEntry
from imageledger.errors import ConfigError
from imageledger.record import Record
from imageledger.stage import MADE_BY_A_STEP, Outcome, Stage, Work, run_seeds
from imageledger.types import Track, untracked

logger = logging.getLogger(__name__)

STAGE = Stage(name="fetch", version=1)
WORKERS = 8
"""Files read or downloaded at once: fetching waits for disks and networks, not for cores."""


def fetch(
    project: Project,
    named: Sequence[SourceEntry] = (),
    *,
    workers: int | None = None,
    track: Track = untracked,
) -> Outcome:
    """Fetch the named sources, or all declared ones, and write fetched.jsonl.

    Named sources are declared in imageledger.toml once they have been fetched; the rows of the other declared
    sources are kept as they are. Warnings and facts for people go to the logger.
    Raises ConfigError for entries that cannot be used and SourceError for a source that cannot be had.
    """
    entries = named or project.sources
    if not entries:
        raise ConfigError(f"no source is declared in {project.root / FILE}", "curate fetch SOURCE --label real")
    check(entries, project)
    selections = sorted((select(entry, project) for entry in entries), key=lambda selection: selection.address)
    check([replace(selection.entry, address=selection.address) for selection in selections], project)
    outcome = _run(project, selections, _others(project, selections) if named else None, workers, track)
    if named:
        write(project, [replace(selection.entry, address=selection.source.address) for selection in selections])
    for selection in selections:
        ledger.note(
            project, selection.address,
            licence=selection.licence, digest=selection.source.digest, pictures=len(selection.chosen),
        )  # fmt: skip
    _keep_stamps(project, selections)
    return outcome


def _run(
    project: Project,
    selections: Sequence[Selection],
    others: Callable[[], Iterable[Record]] | None,
    workers: int | None,
    track: Track,
) -> Outcome:
    kept: Callable[[], Iterable[Record]] = others or (lambda: ())
    unchanged = {s.address for s in selections if _is_unchanged(s, project)}
    fresh = {selection.address for selection in selections} - unchanged
    alike = {
        (s.address, member)
        for s in selections
        if isinstance(s.source, Stamped)
        for member, _ in s.source.stamps.items() & stamps.read(project, s.address).items()
    }
    count, digest = _count_and_digest(selections, kept())
    return run_seeds(
        STAGE, _work(project, {selection.address: selection.source for selection in selections}),
        lambda: heapq.merge(kept(), seeds(project, selections), key=lambda record: record.key),
        count=count, input_digest=digest, output=project.manifest("fetch"), dataset=project.dataset,
        store=project.store, workers=workers or WORKERS, threads=True,
        reusable=lambda record: record.source not in fresh or record.key in alike, track=track,
    )  # fmt: skip


def _keep_stamps(project: Project, selections: Sequence[Selection]) -> None:
    """Keep the stamps of pictures that were read; a file that could not be may be readable next time."""
    read = {record.key for record in manifest.read(project.manifest("fetch")) if record.file}
    for selection in selections:
        if isinstance(selection.source, Stamped):
            own = {name: text for name, text in selection.source.stamps.items() if (selection.address, name) in read}
            stamps.write(project, selection.address, own)


def _is_unchanged(selection: Selection, project: Project) -> bool:
    digest = selection.source.digest
    return bool(digest) and ledger.entry(project, selection.address).get("digest") == digest


def _work(project: Project, opened: Mapping[str, Source]) -> Work:
    """Return the work of the stage; a kept row whose object is gone makes its source be opened again."""
    sources, guard = dict(opened), threading.Lock()

    def source_of(address: str) -> Source:
        with guard:
            if address not in sources:
                entry = next((e for e in project.sources if base(e.address) == base(address)), None)
                sources[address] = open_entry(replace(entry or SourceEntry(address=address), address=address), project)
            return sources[address]

    def work(record: Record) -> Record:
        try:
            content = source_of(record.source).read(record.member)
        except BadMember as error:
            return record.failed(error.reason, error.status, STAGE.step(record))
        kind = sniff(content)
        if not kind:
            return record.failed(
                f"not a picture: {what_is(content)}", step=STAGE.step(record, **noted(Fetched(bytes=len(content))))
            )
        name = project.store.put(content, SUFFIXES[kind])
        note = Fetched(bytes=len(content), format=kind)
        return record.after(STAGE.step(record, **noted(note)), origin=name, file=name)

    return work


def seeds(project: Project, selections: Sequence[Selection]) -> Iterator[Record]:
    """Yield a row for each chosen member, before its bytes are read."""
    for selection in selections:
        entry = selection.entry
        for member, label in selection.chosen:
            fact = selection.facts.get(member.name, Facts())
            pair = f"pair:{fact.pair}" if fact.pair else pair_of(entry, member.name)
            yield Record(
                source=selection.address,
                member=member.name,
                label=label,
                generator=fact.generator or _generator(entry, label, project),
                licence=licences.spdx([fact.licence]) if fact.licence else selection.licence,
                group=f"group:{fact.group}" if fact.group else pair,
                pair=pair,
                split=fact.split,
            )


def pair_of(entry: SourceEntry, member: str) -> str:
    r"""Name the pair of a picture, a photograph and its twin of the other class, by what its path has in common.

    `entry.pair` is a regular expression with one group, such as "(\d+)"; equal text names one pair, across sources.
    Raises ConfigError for one that is none.
    """
    if not entry.pair:
        return ""
    try:
        shared = re.search(entry.pair, member)
        return f"pair:{shared[1]}" if shared else ""
    except (re.error, IndexError) as error:
        raise ConfigError(
            f"pair = {entry.pair!r} of {entry.address} is no regular expression with one group: {error}",
            r"for example pair = '(\d+)', which pairs real/17.jpg with ai/17.png",
        ) from error


def _generator(entry: SourceEntry, label: str, project: Project) -> str:
    """Name what made a picture: the generator that is declared, or a camera for the other class."""
    return entry.generator if label == project.declared.labels[-1] else "camera"


def _others(project: Project, selections: Sequence[Selection]) -> Callable[[], Iterable[Record]]:
    """Return the rows of the declared sources that were not named, as seeds that reuse will fill again."""
    path = project.manifest("fetch")
    named = {base(selection.source.address) for selection in selections}
    declared = {unicodedata.normalize("NFC", entry.address) for entry in project.sources}
    blank: dict[str, Any] = {name: getattr(Record(source="", member="", label=""), name) for name in MADE_BY_A_STEP}

    def rows() -> Iterator[Record]:
        if path.is_file():
            for record in manifest.read(path):
                if base(record.source) not in named and declared & {record.source, base(record.source)}:
                    yield replace(record, steps=(), **blank)

    return rows


def _count_and_digest(selections: Sequence[Selection], kept: Iterable[Record]) -> tuple[int, str]:
    """Count the rows to come and name what they are made from: the job's identity, free of clocks and paths."""
    seen, count = hashlib.sha256(), 0
    for selection in selections:
        seen.update(f"{selection.address}\0{selection.source.digest}\0{selection.licence}\0".encode())
        seen.update(f"{selection.entry.generator}\n{selection.entry.pair}".encode())
        for member, label in selection.chosen:
            fact = selection.facts.get(member.name, "")
            seen.update(f"{member.name}\0{member.size}\0{label}\n{fact or ''}".encode())
            count += 1
    for record in kept:
        seen.update(f"{record.to_line()}\n".encode())
        count += 1
    return count, f"sha256:{seen.hexdigest()}"
