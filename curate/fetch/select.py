"""Which files of a source become rows, and what is left out, in words."""

import logging
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from curate.fetch.labels import SHOWN, few, folders, labelled, proposal
from curate.pictures.formats import claims_picture, sniff
from curate.sources import Labelled, Linked, Member, Remote, Source, licences, open_source
from curate.sources.choose import sample, wanted
from curate.sources.table import Facts
from imageledger.config import FILE, Project, SourceEntry
from imageledger.errors import ConfigError, SourceError

logger = logging.getLogger(__name__)

LARGE = 1024**3
"""From how many bytes on a limited source is downloaded file by file rather than whole."""

NO_LABEL, NO_PICTURE = "no label", "no picture"
"""Why members are left out, beside the limit."""

ARCHIVES = {".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"}


@dataclass(frozen=True, slots=True)
class Selection:
    """One opened source and what was chosen from it: (member, label) pairs, sorted by member.

    `facts` holds what a table says of a member; `left_out` the members that were not chosen, by reason.
    """

    entry: SourceEntry
    source: Source
    licence: str
    chosen: Sequence[tuple[Member, str]]
    facts: Mapping[str, Facts]
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The canonical address as rows carry it."""
        return unicodedata.normalize("NFC", self.source.address)


def open_entry(entry: SourceEntry, project: Project) -> Source:
    """Open a declared source; a large one of which little is wanted is downloaded file by file."""
    source = open_source(entry.address, project)
    if entry.follow_links:
        if not isinstance(source, Linked):
            raise ConfigError(f"{entry.address}: only a folder has links to follow", "leave --follow-links out")
        source = source.following_links()
    if entry.limit and isinstance(source, Remote) and source.size > LARGE:
        return source.file_by_file()
    return source


def select(entry: SourceEntry, project: Project) -> Selection:
    """Open a source and choose its rows; what is left out goes to the logger.

    Raises ConfigError where nothing says what its pictures are, and SourceError where it holds none, or stands under a
    licence that the project does not allow.
    """
    source = open_entry(entry, project)
    licence = licences.spdx([entry.licence or source.licence])
    _judge_licence(source.address, licence, project)
    return select_from(source, entry, project, licence)


def select_from(source: Source, entry: SourceEntry, project: Project, licence: str = "") -> Selection:
    """Choose the rows of an opened source, as `select` does; the licence is not judged."""
    if not (entry.label or entry.labels or entry.table) and isinstance(source, Labelled):
        entry = replace(entry, labels=dict(source.labels))
    members = [member for member in source.members() if wanted(member.name, entry.include, entry.exclude)]
    packed = _say_archives(source.address, members)
    if not (entry.label or entry.labels or entry.table):
        raise ConfigError(
            f"{source.address}: no label says what its pictures are", proposal(members, project.declared.labels)
        )
    labels, facts = labelled(source.address, members, entry, project)
    _judge_facts(facts, labels, project)
    with_label = [member for member in members if member.name in labels]
    pictures = _pictures(source, with_label)
    chosen = {
        name
        for label in set(labels.values())
        for name in sample((m.name for m in pictures if labels[m.name] == label), entry.limit, project.declared.seed)
    }
    if not chosen:
        links = len(source.links_away) if isinstance(source, Linked) else 0
        inside = "unpack the archives inside, then curate fetch folder:DIR" if packed else folders(members)
        way_out = f"--follow-links reads what the {links} links in it lead to" if links else inside
        raise SourceError(f"{source.address} holds no pictures that were asked for", way_out)
    pairs = [(member, labels[member.name]) for member in pictures if member.name in chosen]
    are = {member.name for member in pictures}
    left_out = {
        NO_LABEL: [member.name for member in members if member.name not in labels],
        NO_PICTURE: [member.name for member in with_label if member.name not in are],
    }
    return Selection(entry, source, licence, pairs, facts, {why: names for why, names in left_out.items() if names})


def _judge_licence(address: str, licence: str, project: Project) -> None:
    allowed = project.declared.licences
    if not licences.is_allowed(licence, allowed):
        raise SourceError(
            f"{address} is under the licence {licence}, and {FILE} allows only {', '.join(allowed)}",
            f"add it to licences in {FILE}, or leave the source out",
        )
    if why := licences.concern(licence):
        logger.warning("%s: licence %s: %s", address, licence, why)


def _judge_facts(facts: Mapping[str, Facts], labels: Mapping[str, str], project: Project) -> None:
    """Refuse a label that the project does not have, and judge each licence that a table names."""
    for name, label in labels.items():
        if facts and label not in project.declared.labels:
            one, other = project.declared.labels
            raise ConfigError(
                f"the table labels {name} {label!r}, and the labels of this project are {one} and {other}",
                f"--labels '{label}={other}' translates it",
            )
    for licence in sorted({licences.spdx([fact.licence]) for fact in facts.values() if fact.licence}):
        _judge_licence("the table", licence, project)


def _say_archives(address: str, members: Sequence[Member]) -> int:
    """Name the archives among the members, and return how many there are."""
    inside = [name for name, _ in members if PurePosixPath(name).suffix.lower() in ARCHIVES]
    if inside:
        noun = "archive inside is" if len(inside) == 1 else "archives inside are"
        logger.warning(
            "%s: %d %s not opened: %s; unpack, then fetch the folder", address, len(inside), noun, few(inside)
        )
    return len(inside)


def _pictures(source: Source, members: Sequence[Member]) -> list[Member]:
    """Return the members that are pictures by content, or claim to be by name; say what the others are."""
    pictures, others = [], Counter[str]()
    for member in members:
        suffix = PurePosixPath(member.name).suffix.lower()
        if claims_picture(member.name) or sniff(source.head(member.name)):
            pictures.append(member)
        elif suffix not in ARCHIVES:
            others[suffix or "no suffix"] += 1
    if others:
        kinds = [kind for kind, _ in others.most_common(SHOWN)] + ["…"] * (len(others) > SHOWN)
        files = "file" if others.total() == 1 else "files"
        logger.info("%s: %d other %s left alone: %s", source.address, others.total(), files, ", ".join(kinds))
    return pictures
