"""The pictures of a training, from a manifest or a folder, and the reasons to refuse them. Knows no torch."""

import hashlib
import mimetypes
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imageledger import manifest
from imageledger.errors import RunError
from imageledger.record import OK, SPLITS, Record
from imageledger.store import Store

TRAIN, VALID = SPLITS[1:]
DRAWN = "sample:"
"""How the address of the built-in source begins: its pictures are drawn and show nobody."""
SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture to train on or to judge by: the key of its record, its label, its side, and where it lies.

    Pictures of one `group` are never on two sides of a split; `generator` is what made it, where that is known.
    """

    source: str
    member: str
    label: str
    split: str
    path: Path
    file: str = ""
    group: str = ""
    generator: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The key of the record it belongs to."""
        return self.source, self.member


def groups_by_key(pictures: Iterable[Picture]) -> dict[tuple[str, str], str]:
    """Return the group of each picture by its key; a picture without one is a group of its own."""
    return {picture.key: picture.group or "#".join(picture.key) for picture in pictures}


def from_manifest(path: Path, store: Store, labels: Sequence[str]) -> list[Picture]:
    """Return the pictures of a manifest's rows with status ok, in its order.

    Raises RunError for rows without a split, foreign labels, an empty class, a picture, group or cluster on both
    sides, and missing objects; ManifestError when the manifest cannot be read, or does not match its card.
    """
    from imageledger.record import groups_of

    manifest.sound_digest(path)
    records = [record for record in manifest.read(path) if record.status == OK]
    bare = [record.name for record in records if not record.split]
    if bare:
        raise RunError(
            f"{len(bare)} of {len(records)} rows of {path} have no split: {_some(bare)}",
            "curate manifest balances the classes and writes final.jsonl with a split",
        )
    refuse_both_sides(records)
    pictures = [
        Picture(
            source=r.source, member=r.member, label=r.label, split=r.split, path=store.path(r.file), file=r.file,
            group=group, generator=r.generator,
        )
        for r, group in zip(records, groups_of(records), strict=True)
    ]  # fmt: skip
    refuse_classes(pictures, labels, str(path))
    if missing := [picture.file for picture in pictures if not store.has(picture.file)]:
        raise RunError(
            f"{len(missing)} of {len(pictures)} pictures are missing from {store.root}: {_some(missing)}",
            "curate run makes missing objects again",
        )
    return pictures


def from_folder(folder: Path, source: str, labels: Sequence[str]) -> list[Picture]:
    """Return the pictures of a folder tree `{train,valid}/LABEL/`, ordered by path.

    Raises RunError for another shape of tree, foreign labels, an empty class, and the same bytes on both sides.
    """
    pictures = []
    for path in sorted(_images(folder), key=lambda path: path.relative_to(folder).as_posix()):
        member = path.relative_to(folder)
        if len(member.parts) != 3:
            raise RunError(
                f"{path} does not lie in {folder}/{{train,valid}}/LABEL/",
                "curate manifest --export DIR writes such a folder",
            )
        split, label, _ = member.parts
        pictures.append(
            Picture(
                source=source, member=member.as_posix(), label=label, split=split, path=path, group=_sha256(path)
            )
        )  # fmt: skip
    refuse_classes(pictures, labels, str(folder))
    _refuse_same_bytes(pictures)
    return pictures


def folder_digest(pictures: Iterable[Picture]) -> str:
    """Return "sha256:…" over the members of a folder and the sha256 of each file, so that runs can be compared.

    The group of a picture that was listed from a folder is the sha256 of its file.
    """
    lines = (f"{picture.group}  {picture.member}\n" for picture in pictures)
    return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def refuse_classes(pictures: Sequence[Picture], labels: Sequence[str], where: str) -> None:
    """Raise RunError when a label is unknown, or a class is empty in training or in validation."""
    if foreign := sorted({picture.label for picture in pictures} - set(labels)):
        raise RunError(
            f"{where} holds the label {foreign[0]!r}, but this project's labels are {' and '.join(labels)}",
            "set labels in imageledger.toml, the positive class last",
        )
    count = Counter((picture.split, picture.label) for picture in pictures)
    if empty := [(split, label) for split in (TRAIN, VALID) for label in labels if not count[split, label]]:
        split, label = empty[0]
        have = ", ".join(f"{split}/{label} {count[split, label]}" for split in (TRAIN, VALID) for label in labels)
        raise RunError(
            f"class {label!r} has no picture in {split} of {where} ({have})",
            "imageledger status counts the rows of each class; curate manifest needs some of both",
        )


def refuse_both_sides(records: Iterable[Record]) -> None:
    """Raise RunError when one object, group or cluster of near-duplicates is in training and in validation."""
    sides: dict[tuple[str, str], set[str]] = defaultdict(set)
    for record in records:
        for tie in _ties(record):
            sides[tie].add(record.split)
    if torn := sorted(tie for tie, splits in sides.items() if len(splits) > 1):
        kind, name = torn[0]
        more = f" (and {len(torn) - 1} more)" if len(torn) > 1 else ""
        raise RunError(
            f"{kind} {name} is on both sides of the split{more}: validation would count what training has seen",
            "run curate dedupe and curate manifest again; they keep such pictures on one side",
        )


def refuse_parted_copies(pictures: Iterable[Picture]) -> None:
    """Raise RunError when one object stands in two groups, which a fold could part."""
    seen: dict[Path, Picture] = {}
    for picture in pictures:
        other = seen.setdefault(picture.path, picture)
        if other.group != picture.group:
            raise RunError(
                f"{other.member} and {picture.member} are the same object in two groups: a fold could part them, and "
                "would count what training has seen",
                "run curate dedupe and curate manifest again; they keep such pictures together",
            )


def _ties(record: Record) -> Iterator[tuple[str, str]]:
    yield "cluster", record.duplicate_of or record.name
    if record.group:
        yield "group", record.group
    for name in {record.origin, record.file} - {""}:
        yield "object", name


def _refuse_same_bytes(pictures: Iterable[Picture]) -> None:
    seen: dict[str, Picture] = {}
    for picture in pictures:
        other = seen.setdefault(picture.group, picture)
        if other.split != picture.split:
            raise RunError(
                f"{other.member} and {picture.member} are the same file, on both sides of the split",
                "remove one of them; curate dedupe finds copies and near-duplicates",
            )


def _images(folder: Path) -> Iterator[Path]:
    """Walk as fastai's get_image_files does, so that both see the same files."""
    known = {suffix for suffix, kind in mimetypes.types_map.items() if kind.startswith("image/")}
    for split in (TRAIN, VALID):
        if not (folder / split).is_dir():
            raise RunError(
                f"{folder} has no folder {split}/",
                "it must hold {train,valid}/LABEL/; curate manifest --export DIR writes such a folder",
            )
        for parent, inner, names in os.walk(folder / split, followlinks=True):
            inner[:] = [name for name in inner if not name.startswith(".")]
            yield from (Path(parent, n) for n in names if n[0] != "." and Path(n).suffix.lower() in known)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
