"""What the files of a folder looked like when they were read: a file that looks the same is not read again."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from imageledger.config import Project
from imageledger.foreign import json_of
from imageledger.store import write_whole


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


def _path(project: Project, address: str) -> Path:
    named = hashlib.sha256(f"{project.dataset}\0{address}".encode()).hexdigest()[:16]
    return project.root / "data" / "stamps" / f"{named}.json"
