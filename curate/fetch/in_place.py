"""Pictures where they lie: a folder, or the files that a table names, read for one audit, with no project around them.

Nothing is written beside the pictures. Links to them, named as objects are, and what is measured of them lie in a
temporary folder, which is removed at the end.
"""

import logging
import shlex
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from curate.faces.detector import CASCADE, YUNET, detector
from curate.fetch.labels import folders, guessed, in_order, proposal
from curate.fetch.select import Selection, select_from
from curate.fetch.work import WORKERS, seeds
from curate.pictures.formats import SUFFIXES, claims_picture, sniff, what_is
from curate.sources import BadMember, table
from curate.sources.choose import parse_labels, sample
from curate.sources.folder import Folder, Listed, open_folder
from curate.sources.table import Facts
from imageledger.config import FILE, Declared, Project, SourceEntry
from imageledger.engines.local import ordered_map
from imageledger.errors import ConfigError, ModelError, SourceError
from imageledger.record import OK, Record
from imageledger.store import Store, name_of
from imageledger.types import Track, untracked

logger = logging.getLogger(__name__)

TABLES = (".csv", ".tsv", ".parquet")
"""The suffixes of tables of paths and labels; a .jsonl may be one where it is given as labels."""

NO_FILE = "no file of this name"
REAL, AI = Declared().labels

Labels = str | Path | Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InPlace:
    """Pictures of two classes, as records of a project that lasts only as long as the audit.

    `there` is how many pictures there are; of each label, at most so many as asked for are among `records`. `left_out`
    names what is not, by reason; `said` are the labels, by pattern, where the names of two folders gave them. `fetch`
    is what `curate fetch` would be told, to take these pictures into a project.
    """

    project: Project
    records: Sequence[Record]
    there: int
    left_out: Mapping[str, Sequence[str]]
    said: Mapping[str, str]
    fetch: str

    @property
    def labels(self) -> tuple[str, str]:
        """The two classes, the negative one first."""
        negative, positive = self.project.declared.labels
        return negative, positive


def called(pictures: Path) -> str:
    """Return what a folder or a table is called, as it was named or, where it was named by dots, as the disk has it."""
    given = pictures.stem if pictures.is_file() else pictures.name
    return given if given.strip(".") else pictures.resolve().name or "pictures"


def is_pictures(path: Path | str) -> bool:
    """Tell whether a path is to be read in place: a folder, a table, or anything that is no manifest by its name."""
    named = Path(path)
    return named.is_dir() or not {".jsonl", ".gz"} & {suffix.lower() for suffix in named.suffixes[-1:]}


@contextmanager
def in_place(
    pictures: Path, labels: Labels = None, *, most: int, seed: int, faces: bool, track: Track = untracked
) -> Iterator[InPlace]:
    """Read the pictures of two classes in a folder, or in a table with the columns path and label.

    `labels` are patterns, as text (`real/**=real,ai/**=ai`) or as a mapping, or a table; without them, two folders name
    two classes. At most `most` pictures of each are read. With `faces`, a detector is made ready: YuNet, or where its
    model cannot be had, the cascade. Raises SourceError for what holds no pictures, and ConfigError for labels that
    name anything but two classes.
    """
    source, entry, facts, said = _understood(pictures, labels)
    classes = in_order(
        [fact.label for fact in facts.values() if fact.label] if facts else dict.fromkeys(entry.labels.values())
    )
    _refuse_other_than_two(classes, pictures, source)
    with tempfile.TemporaryDirectory(prefix="imageledger-") as folder:
        project = Project(
            root=Path(folder),
            declared=Declared(dataset=called(pictures), seed=seed, labels=classes),
            sources=(),
            tables={"normalize": {"detector": _detector()}} if faces else {},
        )
        selection = select_from(source, entry, project)
        some = _some(selection, most, seed)
        records, unread = _read(project, source, some, track)
        left_out = {**selection.left_out, **unread}
        if lost := table.by_member(facts, [member.name for member in source.members()])[1]:
            left_out[NO_FILE] = lost
        left_out |= source.walk.left_out
        yield InPlace(
            project=project, records=records, there=len(selection.chosen) - len(some.chosen) + len(records),
            left_out=left_out, said=said, fetch=_to_fetch(entry),
        )  # fmt: skip


def _understood(pictures: Path, labels: Labels) -> tuple[Folder, SourceEntry, Mapping[str, Facts], Mapping[str, str]]:
    """Open what was named, and say where its labels come from: patterns, a table, or the names of two folders."""
    if pictures.is_file() and pictures.suffix.lower() in TABLES:
        if labels is not None:
            raise ConfigError(f"{pictures} has labels of its own", "leave --labels out, or name the folder instead")
        facts = table.read(pictures)
        source: Folder = Listed(pictures.resolve().parent, facts)
        _refuse_no_file(pictures, source, facts)
        return source, _entry(source, table=pictures), facts, {}
    source = _folder(pictures)
    if isinstance(labels, Mapping):
        return source, _entry(source, labels=labels), {}, {}
    if labels is None:
        names = [member.name for member in source.members() if claims_picture(member.name)]
        if not names:
            raise SourceError(f"{pictures} holds no pictures", folders(source.members()))
        said = guessed(names)
        if not said:
            raise ConfigError(f"{pictures}: no label says which pictures are what", _hint(source))
        return source, _entry(source, labels=said), {}, said
    path = Path(labels).expanduser()
    if path.suffix.lower() in (*TABLES, ".jsonl", ".ndjson"):
        if not path.is_file():
            raise ConfigError(f"the table {path} is not there", f"check the path; {_hint(source)}")
        return source, _entry(source, table=path), table.read(path), {}
    return source, _entry(source, labels=parse_labels(str(labels))), {}, {}


def _folder(pictures: Path) -> Folder:
    named = pictures.expanduser()
    if not named.is_dir():
        what = "is a file, and neither a folder, a table nor a manifest" if named.exists() else "does not exist"
        raise SourceError(
            f"{pictures} {what}",
            "name a folder of pictures, a .csv with the columns path and label, or a manifest (.jsonl)",
        )
    if (named / FILE).is_file():
        raise SourceError(
            f"{pictures} is a project, not a folder of pictures", f"audit shortcuts --project {pictures} looks at it"
        )
    root = named.resolve()
    return open_folder(f"folder:{root}", Project(root=root, declared=Declared(), sources=(), tables={}))


def _entry(source: Folder, labels: Mapping[str, str] | None = None, table: Path | None = None) -> SourceEntry:
    return SourceEntry(
        address=source.address, labels=dict(labels or {}), table=str(table.resolve()) if table else ""
    )  # fmt: skip


def _to_fetch(entry: SourceEntry) -> str:
    """Write what `curate fetch` would be told of the same pictures."""
    labels = ("--table", entry.table) if entry.table else ("--labels", ",".join(map("=".join, entry.labels.items())))
    return shlex.join((entry.address, *labels))


def _refuse_no_file(path: Path, source: Folder, facts: Mapping[str, Facts]) -> None:
    if facts and not source.members():
        first = next(iter(facts))
        raise SourceError(
            f"none of the {len(facts)} files that {path} names is there, such as {source.walk.root / first}",
            "paths in a table count from the folder that it lies in",
        )


def _refuse_other_than_two(classes: Sequence[str], pictures: Path, source: Folder) -> None:
    if len(classes) == 2:
        return
    if not classes:
        raise ConfigError(f"{pictures} labels no picture", "its column label says what each picture is")
    named = f"{len(classes)} labels: {', '.join(classes[:8])}" if len(classes) > 1 else f"a single label, {classes[0]}"
    raise ConfigError(
        f"{pictures}: there is {named}" if len(classes) == 1 else f"{pictures}: there are {named}",
        f"this audit compares two classes; {_hint(source)}",
    )


def _hint(source: Folder) -> str:
    """Say how to label the pictures of a folder."""
    members = [member for member in source.members() if claims_picture(member.name)]
    shown = proposal(members, (REAL, AI))
    if shown.startswith("--labels"):
        return shown
    return (
        f"--labels '{REAL}/**={REAL},{AI}/**={AI}' labels by path, --labels FILE.csv by a table with the columns path "
        f"and label; {folders(members)}"
    )


def _detector() -> str:
    """Return the detector that can be had here; what is missing goes to the logger."""
    try:
        detector(YUNET)
    except ModelError as error:
        logger.info("%s; the cascade looks for faces instead, and misses more", error.what)
        return CASCADE
    return YUNET


def _some(selection: Selection, most: int, seed: int) -> Selection:
    """Keep at most so many members of each label, chosen by their names."""
    by_label: dict[str, list[str]] = {}
    for member, label in selection.chosen:
        by_label.setdefault(label, []).append(member.name)
    kept = {name for names in by_label.values() for name in sample(names, most, seed)}
    return replace(selection, chosen=[pair for pair in selection.chosen if pair[0].name in kept])


def _read(
    project: Project, source: Folder, selection: Selection, track: Track
) -> tuple[list[Record], dict[str, list[str]]]:
    """Read every file once, for its digest; return the pictures, and the others by reason. Byte copies are a group."""
    work = partial(_found, source=source, store=project.store)
    jobs = ((record, None) for record in seeds(project, [selection]))
    count = len(selection.chosen)
    read = list(track(ordered_map(work, jobs, workers=WORKERS, threads=True), count, "reading pictures"))
    unread: dict[str, list[str]] = {}
    for record in read:
        if record.status != OK:
            unread.setdefault(record.reason, []).append(record.member)
    good = [record for record in read if record.status == OK]
    copies = Counter(record.origin for record in good)
    return [
        record if copies[record.origin] == 1 or record.group else replace(record, group=f"copies:{record.origin}")
        for record in good
    ], unread


def _found(record: Record, *, source: Folder, store: Store) -> Record:
    try:
        content = source.read(record.member)
    except BadMember as error:
        return record.failed(error.reason, error.status)
    kind = sniff(content)
    if not kind:
        return record.failed(f"not a picture: {what_is(content)}")
    name = name_of(content, SUFFIXES[kind])
    store.link(name, source.path_of(record.member))
    return replace(record, origin=name, file=name)
