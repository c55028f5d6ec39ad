"""What files looked like when they were read: one that looks the same is not read again.

Of a folder it is kept of each file; of a zip, with its digest, of the zip itself.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from imageledger.config import Project
from imageledger.foreign import json_of
from imageledger.manifest import digest
from imageledger.store import where_allowed, write_whole


def stamp(known: os.stat_result) -> str:
    """Return size, time of change and inode of a file, as git compares them."""
    return f"{known.st_size} {known.st_mtime_ns} {known.st_ino}"


def read(project: Project, address: str) -> Mapping[str, str]:
    """Return member -> stamp as `write` kept them; empty when there are none, or they are torn."""
    try:
        kept = json_of(_path(project, address).read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def write(project: Project, address: str, stamps: Mapping[str, str]) -> None:
    """Keep the stamps of a source of this dataset."""
    path = _path(project, address)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(stamps, ensure_ascii=False, sort_keys=True).encode())


def digest_of(project: Project, address: str, path: Path) -> str:
    """Return "sha256:…" of a file, read again only if it no longer looks as it did; raise ManifestError for none.

    A bit that rots in silence changes no look: zips carry checksums of their own, and `imageledger verify` reads all.
    """
    look = {"path": str(path), "stamp": stamp(path.stat())}
    kept = read(project, f"{address}\0zip")
    if {name: kept.get(name) for name in look} == look and isinstance(kept.get("digest"), str):
        return kept["digest"]
    found = digest(path)
    with where_allowed(project.root):
        write(project, f"{address}\0zip", {**look, "digest": found})
    return found


def _path(project: Project, address: str) -> Path:
    named = hashlib.sha256(f"{project.dataset}\0{address}".encode()).hexdigest()[:16]
    return project.root / "data" / "stamps" / f"{named}.json"
