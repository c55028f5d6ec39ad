"""The ledger of sources, manifests/<dataset>/sources.json: what each source held when it was fetched."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imageledger.config import Project
from imageledger.errors import SourceError
from imageledger.foreign import json_of
from imageledger.store import write_whole


def path(project: Project) -> Path:
    """Return where the ledger of a project's dataset lies."""
    return project.folder / "sources.json"


def entry(project: Project, address: str) -> Mapping[str, Any]:
    """Return what the ledger says of a source; an empty mapping when it says nothing."""
    facts = _read(project).get(address, {})
    return facts if isinstance(facts, dict) else {}


def entries(project: Project) -> Mapping[str, Any]:
    """Return all that the ledger says, by address; raise SourceError for one that is damaged."""
    return _read(project)


def note(project: Project, address: str, **facts: Any) -> None:
    """Enter facts about a source; the date is that of the first entry with the same content."""
    entries = _read(project)
    old = entries.get(address, {})
    new = {**old, **facts}
    if new == old:
        return
    if any(old.get(name) != new.get(name) for name in ("digest", "sha256")) or "fetched" not in old:
        new["fetched"] = datetime.now(UTC).date().isoformat()
    entries[address] = new
    write_whole(path(project), (json.dumps(entries, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())


def _read(project: Project) -> dict[str, Any]:
    try:
        entries = json_of(path(project).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise SourceError(f"{path(project)} is damaged: {error}", "delete it; curate fetch writes it again") from error
    if not isinstance(entries, dict):
        raise SourceError(f"{path(project)} holds no sources", "delete it; curate fetch writes it again")
    return entries
