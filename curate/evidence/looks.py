"""How often has this been looked at? The error that a shortcut may be, spent look by look while pictures are added.

Whoever adds pictures and tests again until something shows will find something. Look k at a stage may err with
SURE·6/(π²k²), which adds up to SURE over all looks that there will ever be (alpha spending by a union bound; Bonferroni
1936). The same pictures with the same seed are the same look. The list is kept in data/audit/looks.json.
"""

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curate.evidence.verdict import SURE
from imageledger.config import Project
from imageledger.errors import LedgerError
from imageledger.foreign import json_of
from imageledger.record import Record
from imageledger.store import write_whole

SECONDS = 30
"""So long another process may hold the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the pictures of a stage: 1 for the first."""

    number: int = 1

    @property
    def sure(self) -> float:
        """What a corrected p-value must be below at this look.

        >>> round(Look(number=1).sure, 4), round(Look(number=3).sure, 5)
        (0.0061, 0.00068)
        """
        return SURE * 6 / (math.pi * self.number) ** 2


FIRST = Look()


def look(project: Project, stage: str, records: Iterable[Record], seed: int) -> Look:
    """Count a look at these pictures and return which it is; the same pictures and seed always are the same look.

    Raises LedgerError when the list cannot be read.
    """
    from filelock import FileLock

    path = project.root / "data" / "audit" / "looks.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=SECONDS):
        looks = _read(path)
        seen = looks.setdefault(f"{project.dataset}/{stage}", [])
        name = _name(records, seed)
        if name not in seen:
            seen.append(name)
            write_whole(path, (json.dumps(looks, indent=2) + "\n").encode())
    return Look(number=1 + seen.index(name))


def _read(path: Path) -> dict[str, list[str]]:
    """Read the list of looks; empty before the first."""
    try:
        looks = json_of(path.read_bytes()) if path.is_file() else {}
        return {str(stage): [str(name) for name in names] for stage, names in looks.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise LedgerError(
            f"{path} is damaged: how often the pictures were looked at is unknown",
            "remove the file, and know that looks are counted from 1 again",
        ) from error


def _name(records: Iterable[Record], seed: int) -> str:
    """Name pictures, as they are at a stage and with their labels, and the seed."""
    named = sorted(f"{record.label} {record.file or record.origin}" for record in records)
    return hashlib.sha256("\n".join([str(seed), *named]).encode()).hexdigest()[:16]
