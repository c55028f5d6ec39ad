"""Kaggle datasets on this disk: a sealed zip for each version, or single files of a large one."""

import hashlib
import json
import logging
import os
import re
import shutil
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from curate.sources import HEAD, BadMember, Member, ledger, refuse_large, stamps
from curate.sources.archive import Archive
from curate.sources.choose import is_hidden
from curate.sources.kaggle import Facts, Missing, Name, connect, describe, download_file, download_zip, list_files
from curate.sources.names import member_name
from imageledger.config import Project
from imageledger.errors import SourceError
from imageledger.foreign import json_of
from imageledger.manifest import digest
from imageledger.store import write_whole

logger = logging.getLogger(__name__)

TELL_EVERY = 10.0
"""Seconds between two log lines about a running download."""

_ADDRESS = re.compile(r"kaggle:([A-Za-z0-9][\w-]*)/([A-Za-z0-9][\w-]*)(?:@(\d+))?", re.ASCII)


class Dataset:
    """One version of a Kaggle dataset; its zip is downloaded when first listed, sealed and read in place."""

    def __init__(self, name: Name, facts: Facts, project: Project, api: Any = None) -> None:
        self.name = name
        self.facts = facts
        self.project = project
        self.address = name.address
        self.licence = facts.licence
        self.digest = name.address
        self._api, self._guard = api, threading.Lock()

    @property
    def home(self) -> Path:
        """The folder of the dataset under data/downloads."""
        return self.project.downloads / "kaggle" / self.name.owner / self.name.slug

    @property
    def sealed(self) -> Path:
        """The zip of this version, read-only."""
        return self.home / f"{self.name.version}.zip"

    @property
    def size(self) -> int:
        """How many bytes are still to be downloaded, as far as Kaggle says (0: none, or unknown)."""
        return 0 if self.sealed.is_file() else self.facts.size

    @property
    def api(self) -> Any:
        """The client, connected once, by whichever thread needs it first."""
        with self._guard:
            self._api = self._api or connect()
            return self._api

    def file_by_file(self) -> "Files":
        """Return the same dataset, downloading only the files that are read."""
        return Files(self)

    def members(self) -> Sequence[Member]:
        """List the files, downloading the zip first where it is not there or damaged."""
        return self._archive.members()

    def head(self, name: str) -> bytes:
        """Return the first bytes of a member."""
        return self._archive.head(name)

    def read(self, name: str) -> bytes:
        """Return the bytes of a member; raise BadMember when it cannot be read."""
        return self._archive.read(name)

    def note(self, **more: Any) -> None:
        """Enter the dataset into the ledger of sources."""
        ledger.note(
            self.project, self.address, version=self.name.version, url=self.name.url, title=self.facts.title,
            published_licence=self.facts.licence, published_bytes=self.facts.size, **more,
        )  # fmt: skip

    @cached_property
    def _archive(self) -> Archive:
        if self.sealed.is_file() and not self._is_sound():
            logger.warning("%s: %s is damaged; downloading it again", self.address, self.sealed)
            self.sealed.unlink()
        if not self.sealed.is_file():
            self._download()
        return Archive(self.address, self.sealed)

    def _is_sound(self) -> bool:
        known = ledger.entry(self.project, self.address)
        if "sha256" in known:
            found = stamps.digest_of(self.project, self.address, self.sealed)
            return self.sealed.stat().st_size == known.get("bytes") and found == known["sha256"]
        if zipfile.is_zipfile(self.sealed):
            self._seal()
            return True
        return False

    def _download(self) -> None:
        draft = self.home / f".{self.name.version}"
        logger.info("%s: downloading %s", self.address, _megabytes(self.facts.size) or "the dataset")
        with _telling(self.address, draft, self.facts.size):
            path, md5 = download_zip(self.api, self.name, draft)
        if not zipfile.is_zipfile(path):
            path.unlink()
            raise SourceError(f"{self.address}: what Kaggle sent is not a zip", "run the same command again")
        os.replace(path, self.sealed)
        shutil.rmtree(draft, ignore_errors=True)
        self._seal(**({"md5": md5} if md5 else {}))

    def _seal(self, **more: str) -> None:
        self.sealed.chmod(0o444)
        self.note(sha256=digest(self.sealed), bytes=self.sealed.stat().st_size, **more)


class Files:
    """The same dataset file by file, for a sample of a large one; files that are here are not downloaded again."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.address, self.licence, self.digest = dataset.address, dataset.licence, dataset.digest
        self.home = dataset.home / str(dataset.name.version)

    @cached_property
    def _names(self) -> dict[str, tuple[str, int]]:
        listing = self.home / "listing.json"
        if not listing.is_file():
            logger.info("%s: listing the files, instead of downloading %s", self.address, _megabytes(self.dataset.size))
            rows = sorted(list_files(self.dataset.api, self.dataset.name))
            write_whole(listing, json.dumps(rows, ensure_ascii=False).encode("utf-8", "replace"))
            self.dataset.note()
        rows = _listed(listing)
        return {member_name(row.name): row for row in rows if not is_hidden(row.name)}

    def members(self) -> Sequence[Member]:
        """List the files as Kaggle does."""
        return [Member(name, size) for name, (_, size) in sorted(self._names.items())]

    def head(self, name: str) -> bytes:
        """Return the first bytes of a file that is here; b"" for one that would have to be downloaded."""
        path = self._place(name)
        return path.read_bytes()[:HEAD] if path.is_file() else b""

    def read(self, name: str) -> bytes:
        """Return the bytes of a file, downloading it first where it is not here."""
        path = self._place(name)
        if not path.is_file():
            write_whole(path, self._download(name), mode=0o444)
        return path.read_bytes()

    def _download(self, name: str) -> bytes:
        asked, size = self._names[name]
        refuse_large(size)
        draft = self.home / ".part" / self._place(name).name
        try:
            path = download_file(self.dataset.api, self.dataset.name, asked, draft)
        except Missing as error:
            raise BadMember("Kaggle lists this file but does not have it (404)") from error
        content = _unwrapped(path, name)
        shutil.rmtree(draft)
        return content

    def _place(self, name: str) -> Path:
        key = hashlib.sha256(name.encode()).hexdigest()
        return self.home / key[:2] / key


def damaged(project: Project) -> Iterator[Path]:
    """Yield the sealed zips whose bytes are no longer those that were downloaded."""
    for address, facts in ledger.entries(project).items():
        match = _ADDRESS.fullmatch(address)
        if match and match[3] and isinstance(facts, dict) and "sha256" in facts:
            sealed = project.downloads / "kaggle" / match[1] / match[2] / f"{match[3]}.zip"
            if sealed.is_file() and digest(sealed) != facts["sha256"]:
                yield sealed


def _listed(listing: Path) -> list[Member]:
    try:
        rows = json_of(listing.read_bytes())
        if not isinstance(rows, list) or not all(_names_a_file(row) for row in rows):
            raise ValueError("a file is a name and a number of bytes")
    except ValueError as error:
        raise SourceError(f"{listing} is damaged: {error}", "delete it; curate fetch lists the files again") from error
    return [Member(*row) for row in rows]


def _names_a_file(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) and type(row[1]) is int


def open_kaggle(address: str, project: Project) -> Dataset:
    """Open `kaggle:owner/slug[@version]`; a version that the ledger knows is opened without asking Kaggle."""
    match = _ADDRESS.fullmatch(address)
    if not match:
        raise SourceError(
            f"{address!r} is not kaggle:OWNER/SLUG or kaggle:OWNER/SLUG@VERSION",
            "copy both names from the URL of its page, kaggle.com/datasets/OWNER/SLUG",
        )
    name = Name(owner=match[1], slug=match[2], version=int(match[3] or 0))
    known = ledger.entry(project, name.address) if name.version else {}
    if "published_licence" in known:
        licence, size = known["published_licence"], known.get("published_bytes", 0)
        if not isinstance(licence, str) or type(size) is not int:
            raise SourceError(
                f"what {ledger.path(project)} says of {name.address} is damaged",
                "delete it; curate fetch writes it again",
            )
        facts = Facts(version=name.version, title=str(known.get("title", "")), licence=licence, size=size)
        return Dataset(name, facts, project)
    api = connect()
    facts = describe(api, name)
    if name.version > facts.version:
        raise SourceError(
            f"{address}: the newest version is {facts.version}", f"kaggle:{name.owner}/{name.slug}@{facts.version}"
        )
    return Dataset(replace(name, version=name.version or facts.version), facts, project, api)


def _unwrapped(path: Path, name: str) -> bytes:
    """Return a downloaded file's bytes, taken out of the zip that Kaggle may have put around it."""
    if zipfile.is_zipfile(path) and not name.lower().endswith(".zip"):
        wrapped = Archive(str(path), path)
        inside = wrapped.members()
        if len(inside) == 1 and inside[0].name.rpartition("/")[2] == name.rpartition("/")[2]:
            return wrapped.read(inside[0].name)
    return path.read_bytes()


@contextmanager
def _telling(address: str, folder: Path, total: int) -> Iterator[None]:
    """Log now and then how much of a download has arrived."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(TELL_EVERY):
            arrived = sum(path.stat().st_size for path in folder.glob("*.zip"))
            logger.info(
                "%s: %s so far%s", address, _megabytes(arrived) or "0 MB", f" of {_megabytes(total)}" if total else ""
            )

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size else ""
