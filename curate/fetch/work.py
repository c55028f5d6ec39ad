"""The first stage: read the pictures of all sources into the store, one row each."""

import hashlib
import heapq
import logging
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from curate.history import Fetched, noted
from curate.pictures.formats import SUFFIXES, claims_picture, sniff, what_is
from curate.sources import BadMember, Labelled, Member, Remote, Source, ledger, licences, open_source
from curate.sources.choose import label_of, sample, wanted
from curate.sources.entries import base, check, write
from imageledger import manifest
from imageledger.config import FILE, Project, SourceEntry
from imageledger.errors import ConfigError, SourceError
from imageledger.record import Record
from imageledger.stage import MADE_BY_A_STEP, Outcome, Stage, Work, run_seeds
from imageledger.types import Track, untracked

logger = logging.getLogger(__name__)

STAGE = Stage(name="fetch", version=1)
WORKERS = 8
"""Files read or downloaded at once: fetching waits for disks and networks, not for cores."""

LARGE = 1024**3
"""From how many bytes on a limited source is downloaded file by file rather than whole."""

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Selection:
    """One opened source and what was chosen from it: (member, label) pairs, sorted by member."""

    entry: SourceEntry
    source: Source
    licence: str
    chosen: Sequence[tuple[Member, str]]

    @property
    def address(self) -> str:
        """The canonical address as rows carry it."""
        return unicodedata.normalize("NFC", self.source.address)


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
    selections = sorted((_select(entry, project) for entry in entries), key=lambda selection: selection.address)
    check([replace(selection.entry, address=selection.address) for selection in selections], project)
    outcome = _run(project, selections, _others(project, selections) if named else None, workers, track)
    if named:
        write(project, [replace(selection.entry, address=selection.source.address) for selection in selections])
    for selection in selections:
        ledger.note(
            project, selection.address,
            licence=selection.licence, digest=selection.source.digest, pictures=len(selection.chosen),
        )  # fmt: skip
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
    count, digest = _count_and_digest(selections, kept())
    return run_seeds(
        STAGE, _work(project, {selection.address: selection.source for selection in selections}),
        lambda: heapq.merge(kept(), _seeds(project, selections), key=lambda record: record.key),
        count=count, input_digest=digest, output=project.manifest("fetch"), dataset=project.dataset,
        store=project.store, workers=workers or WORKERS, threads=True,
        reusable=lambda record: record.source not in fresh, track=track,
    )  # fmt: skip


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
                sources[address] = _open(replace(entry or SourceEntry(address=address), address=address), project)
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


def _seeds(project: Project, selections: Sequence[Selection]) -> Iterator[Record]:
    for selection in selections:
        entry = selection.entry
        for member, label in selection.chosen:
            pair = pair_of(entry, member.name)
            yield Record(
                source=selection.address,
                member=member.name,
                label=label,
                generator=_generator(entry, label, project),
                licence=selection.licence,
                group=pair,
                pair=pair,
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
            seen.update(f"{member.name}\0{member.size}\0{label}\n".encode())
            count += 1
    for record in kept:
        seen.update(f"{record.to_line()}\n".encode())
        count += 1
    return count, f"sha256:{seen.hexdigest()}"


def _open(entry: SourceEntry, project: Project) -> Source:
    source = open_source(entry.address, project)
    if entry.limit and isinstance(source, Remote) and source.size > LARGE:
        return source.file_by_file()
    return source


def _select(entry: SourceEntry, project: Project) -> Selection:
    source = _open(entry, project)
    licence = licences.spdx([entry.licence or source.licence])
    _judge_licence(source.address, licence, project)
    if not (entry.label or entry.labels) and isinstance(source, Labelled):
        entry = replace(entry, labels=dict(source.labels))
    if not (entry.label or entry.labels):
        one, other = project.declared.labels
        raise ConfigError(
            f"{source.address}: no label says what its pictures are",
            f"--label {one}, or --labels '{one}/**={one},{other}/**={other}'",
        )
    members = [member for member in source.members() if wanted(member.name, entry.include, entry.exclude)]
    labelled = _labelled(source.address, members, entry)
    pictures = _pictures(source, labelled)
    chosen = {
        name
        for label in set(labelled.values())
        for name in sample((m.name for m in pictures if labelled[m.name] == label), entry.limit, project.declared.seed)
    }
    if not chosen:
        raise SourceError(f"{source.address} holds no pictures that were asked for", _folders(members))
    pairs = [(member, labelled[member.name]) for member in pictures if member.name in chosen]
    return Selection(entry, source, licence, pairs)


def _judge_licence(address: str, licence: str, project: Project) -> None:
    allowed = project.declared.licences
    if not licences.is_allowed(licence, allowed):
        raise SourceError(
            f"{address} is under the licence {licence}, and {FILE} allows only {', '.join(allowed)}",
            f"add it to licences in {FILE}, or leave the source out",
        )
    if why := licences.concern(licence):
        logger.warning("%s: licence %s: %s", address, licence, why)


def _labelled(address: str, members: Sequence[Member], entry: SourceEntry) -> dict[str, str]:
    """Return member name -> label; say which patterns match nothing and how many members match none."""
    if entry.label:
        return {member.name: entry.label for member in members}
    labels: dict[str, str] = {}
    used: Counter[str] = Counter()
    for member in members:
        glob, label = label_of(member.name, entry.labels)
        if label:
            labels[member.name] = label
            used[glob] += 1
    for glob in entry.labels:
        if not used[glob]:
            logger.warning("%s: nothing matches %r; %s", address, glob, _folders(members))
    if skipped := len(members) - len(labels):
        logger.warning("%s: %d of %d files match no label pattern and were skipped", address, skipped, len(members))
    return labels


def _pictures(source: Source, labelled: Mapping[str, str]) -> list[Member]:
    """Return the members that are pictures by content, or claim to be by name; say what the others are."""
    pictures, others = [], Counter[str]()
    for member in source.members():
        if member.name not in labelled:
            continue
        if claims_picture(member.name) or sniff(source.head(member.name)):
            pictures.append(member)
        else:
            others[PurePosixPath(member.name).suffix.lower() or "no suffix"] += 1
    if others:
        kinds = [kind for kind, _ in others.most_common(SHOWN)] + ["…"] * (len(others) > SHOWN)
        files = "file" if others.total() == 1 else "files"
        logger.info("%s: %d other %s left alone: %s", source.address, others.total(), files, ", ".join(kinds))
    return pictures


def _folders(members: Sequence[Member]) -> str:
    """Describe where the members lie, for a person whose pattern missed them."""
    if not members:
        return "there are no files in it"
    tops = Counter(f"{name.rpartition('/')[0]}/" if "/" in name else "(top)" for name, _ in members)
    shown = [f"{folder} ({count})" for folder, count in tops.most_common(SHOWN)]
    return f"its files lie in {', '.join(shown)}" + (" …" if len(tops) > SHOWN else "")
