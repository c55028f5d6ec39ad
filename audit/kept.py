"""What an audit found, kept beside its other files as AUDIT.json, with digests of what it is about.

So the report can show it without measuring again, and refuses figures about other pictures or answers than today's.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imageledger import seal
from imageledger.foreign import json_of

ABOUT = "about"
ANSWERS = ("run.json", "predictions.jsonl")
"""The files of a run whose digests say which answers an audit is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an audit kept: its `data` and the digests of what it is `about`, or `why` it cannot be used.

    Without `data` and `why` there is no such file.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    why: str = ""


def encoded(data: Mapping[str, Any], about: Mapping[str, str]) -> bytes:
    """Return the bytes of AUDIT.json: what an audit found, and the digests of what it is about, sealed."""
    text = json.dumps(seal.sealed({**data, ABOUT: dict(about)}), ensure_ascii=False, indent=2) + "\n"
    return text.encode("utf-8", errors="backslashreplace")


def read(path: Path) -> Kept:
    """Read what an audit kept; nothing is raised: what is damaged or of an older version says so."""
    try:
        values = seal.opened(json_of(path.read_bytes()))
    except FileNotFoundError:
        return Kept()
    except (OSError, ValueError) as error:
        return Kept(why=f"{path.name} is damaged: {error}")
    about = values.pop(ABOUT, None)
    if not isinstance(about, dict) or not all(isinstance(digest, str) for digest in about.values()):
        return Kept(why=f"{path.name} is of an older version and does not say what it is about")
    return Kept(data=values, about=about)


def of_run(folder: Path, audit: str) -> Kept:
    """Read what an audit of a run kept, where it is about the answers that the run holds now."""
    kept = read(folder / "audit" / f"{audit}.json")
    if kept.data and kept.about != digests_of(folder):
        return Kept(why=f"{audit}.json is about other answers than the run holds now")
    return kept


def digests_of(folder: Path) -> dict[str, str]:
    """Return the digests of the files that hold the answers of a run."""
    there = (name for name in ANSWERS if (folder / name).is_file())
    return {name: f"sha256:{hashlib.sha256((folder / name).read_bytes()).hexdigest()}" for name in there}
