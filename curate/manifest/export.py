"""The final pictures as a folder tree of hard links, for fastai's ImageDataLoaders.from_folder."""

import os
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from imageledger.config import EXPORTED
from imageledger.errors import LedgerError
from imageledger.record import Record
from imageledger.store import Store


def export(records: Iterable[Record], store: Store, target: Path) -> int:
    """Write the chosen pictures as {train,valid}/{label}/<object name> and return how many there are.

    `ImageDataLoaders.from_folder` reads the tree as it is. The files are hard links to the objects, or copies
    where links cannot be made. Raises LedgerError when the target holds anything that an export did not write.
    """
    target = target.absolute()
    draft = target.with_name(f".{target.name}.part")
    for folder in (target, draft):
        if folder.is_symlink() or (folder.exists() and not _ours(folder)):
            raise LedgerError(f"{folder} is not empty and was not written by --export", "name a new or an empty folder")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    (draft / EXPORTED).write_text("written by curate manifest, whose --export replaces this folder\n", encoding="utf-8")
    names: Counter[tuple[str, str, str]] = Counter()
    for record in records:
        if record.split:
            names[record.split, record.label, record.file] += 1
            folder = draft / record.split / record.label
            folder.mkdir(parents=True, exist_ok=True)
            stem, dot, suffix = record.file.partition(".")
            again = names[record.split, record.label, record.file]
            _place(store, record.file, folder / (f"{stem}-{again}{dot}{suffix}" if again > 1 else record.file))
    if target.exists():
        shutil.rmtree(target)
    draft.replace(target)
    return names.total()


def _place(store: Store, name: str, target: Path) -> None:
    if not store.has(name):
        store.read(name)  # says which object is missing and what to do
    try:
        os.link(store.path(name), target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(store.path(name), target)


def _ours(folder: Path) -> bool:
    return folder.is_dir() and ((folder / EXPORTED).is_file() or not any(folder.iterdir()))
