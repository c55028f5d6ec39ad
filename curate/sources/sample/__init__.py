"""The built-in source `sample:`: drawn portraits with planted problems, the same for the same seed everywhere.

It is a tour and a test bed. Nobody in it exists; no camera and no generator was involved. Figures made from it show
that the stages work, and mean nothing about real portraits. Both labels are drawn in the same way. What tells them
apart is planted. Curation removes what lies in the file (only "real" has EXIF with the name of a camera; "ai" is finer
JPEG or PNG, its sides are multiples of 64), in the backdrop, and in the colours of some pictures. It keeps a faint
trace in the skin of the face, for a model to learn.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from curate.history import Normalized, normalized
from curate.sources import BadMember, Member
from curate.sources.sample import plan as planned
from curate.sources.sample.files import content
from imageledger.config import Project
from imageledger.errors import SourceError
from imageledger.record import DUPLICATE, OK, REJECTED, UNREADABLE, UNUSED, Record
from imageledger.store import write_whole

VERSION = 3
"""Version of the drawing code: raise it whenever a pixel changes."""

DEFAULT_SEED = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A planted problem: where, the original of a copy, and what curation should make of it (a status or "suspect")."""

    problem: str
    member: str
    of: str = ""
    expected: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The drawn portraits that belong to a seed; safe to read from several threads."""

    seed: int

    @property
    def address(self) -> str:
        """The address with its seed."""
        return f"sample:{self.seed}"

    @property
    def licence(self) -> str:
        """The drawings are free of all rights."""
        return "CC0-1.0"

    @property
    def digest(self) -> str:
        """Which drawings these are: the version of the drawing code and the seed."""
        return f"sample@{VERSION}:{self.seed}"

    @property
    def labels(self) -> Mapping[str, str]:
        """Which folder holds which label."""
        return {"real/**": "real", "ai/**": "ai"}

    def members(self) -> list[Member]:
        """List the files, sorted by name; draws nothing, so sizes are not known (0)."""
        return [Member(name, 0) for name in planned.plan(self.seed)]

    def head(self, name: str) -> bytes:
        """Return b"": the first bytes cannot be had without drawing the picture."""
        return b""

    def read(self, name: str) -> bytes:
        """Draw one picture and return its file; raise BadMember for a name that is not in the plan."""
        shot = planned.plan(self.seed).get(name)
        if shot is None:
            raise BadMember(f"{self.address} holds no {name}")
        return content(shot)

    def truth(self) -> list[Planted]:
        """List every planted problem, by problem and member."""
        shots = (shot for shot in planned.plan(self.seed).values() if shot.problem)
        rows = [
            Planted(problem=shot.problem, member=shot.name, of=shot.of, expected=planned.EXPECTED[shot.problem])
            for shot in shots
        ]
        return sorted(rows, key=lambda row: (list(planned.EXPECTED).index(row.problem), row.member))


def open_sample(address: str, project: Project) -> Sample:
    """Open `sample:` or `sample:SEED`; raise SourceError for anything that is not a whole number."""
    seed = address.partition(":")[2]
    if not seed:
        return Sample(DEFAULT_SEED)
    if not (seed.isascii() and seed.isdigit() and len(seed) <= 18):
        raise SourceError(f"{address!r} needs a whole number as its seed, not {seed!r}", "for example sample:42")
    return Sample(int(seed))


def write_truth(path: Path, truth: Iterable[Planted]) -> None:
    """Write the planted problems as JSON Lines, whole or not at all."""
    write_whole(path, "".join(f"{json.dumps(asdict(row))}\n" for row in truth).encode())


def found(truth: Iterable[Planted], rows: Iterable[Record], suspects: Collection[str] = ()) -> list[dict[str, Any]]:
    """Compare the planted problems with the final manifest: a row {problem, planted, found, how} per problem.

    `suspects` are the members that an audit points at; wrong labels count as found only among them.
    """
    members = {row.member: row for row in rows if row.source.startswith("sample:")}
    table: dict[str, dict[str, Any]] = {}
    for planting in truth:
        test, how = CHECKS[planting.problem]
        line = table.setdefault(planting.problem, {"problem": planting.problem, "planted": 0, "found": 0, "how": how})
        line["planted"] += 1
        known = planting.member in suspects if planting.problem == planned.WRONG_LABEL else test(planting, members)
        line["found"] += known
    return list(table.values())


Rows = Mapping[str, Record]
Check = Callable[[Planted, Rows], bool]


def _decoded(planting: Planted, rows: Rows) -> Normalized:
    """Return what normalize noted about a picture that it could decode; nothing for any other."""
    row = rows.get(planting.member)
    return normalized(row) if row is not None and row.status != UNREADABLE else Normalized()


def _in_mode(*modes: str) -> Check:
    return lambda planting, rows: _decoded(planting, rows).mode in modes


def _disguised(planting: Planted, rows: Rows) -> bool:
    suffix = PurePosixPath(planting.member).suffix[1:]
    return (_decoded(planting, rows).format or suffix) not in (suffix, {"jpg": "jpeg"}.get(suffix))


def _turned(planting: Planted, rows: Rows) -> bool:
    return any("upright" in note for note in _decoded(planting, rows).notes or ())


def _unreadable(planting: Planted, rows: Rows) -> bool:
    return planting.member in rows and rows[planting.member].status == UNREADABLE


def _duplicate(planting: Planted, rows: Rows) -> bool:
    pair = rows.get(planting.member), rows.get(planting.of)
    if pair[0] is None or pair[1] is None:
        return False
    either = ((pair[0], pair[1]), (pair[1], pair[0]))
    return any(copy.status == DUPLICATE and copy.duplicate_of == kept.name for copy, kept in either)


def _removed(planting: Planted, rows: Rows) -> bool:
    pair = [rows[name] for name in (planting.member, planting.of) if name in rows]
    return len(pair) == 2 and all(row.status not in (OK, UNUSED) for row in pair)


def _rejected(planting: Planted, rows: Rows) -> bool:
    return planting.member in rows and rows[planting.member].status == REJECTED


def _never(planting: Planted, rows: Rows) -> bool:
    return False


CHECKS: Mapping[str, tuple[Check, str]] = {
    planned.WRONG_EXTENSION: (_disguised, "read by content, not by name"),
    planned.ROTATED: (_turned, "turned upright"),
    planned.CMYK: (_in_mode("CMYK"), "brought to RGB"),
    planned.PALETTE: (_in_mode("P"), "brought to RGB"),
    planned.ALPHA: (_in_mode("RGBA", "LA"), "laid over white"),
    planned.SIXTEEN_BIT: (_in_mode("I;16", "I;16B", "I;16L", "I"), "scaled to 8 bits"),
    planned.TORN: (_unreadable, "set aside as unreadable"),
    planned.EMPTY: (_unreadable, "set aside as unreadable"),
    planned.WEB_PAGE: (_unreadable, "no picture, whatever its name"),
    planned.BYTE_COPY: (_duplicate, "one of two kept"),
    planned.RECOMPRESSED: (_duplicate, "one of two kept"),
    planned.MIRRORED: (_duplicate, "one of two kept"),
    planned.CONFLICT: (_removed, "both removed and reported"),
    planned.WRONG_LABEL: (_never, "only an audit can point at them"),
    planned.TOO_SMALL: (_rejected, "rejected, never enlarged"),
}
"""For each problem, a check that it was dealt with, and the words that say how."""
