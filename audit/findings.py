"""What every audit returns: one report, with the findings that a person should look at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from imageledger.store import write_whole
from imageledger.types import Key, Row


class Severity(StrEnum):
    """How much a finding asks of a person."""

    PROBLEM = "problem"
    """Something is shown to be wrong: act on it."""
    UNDECIDED = "undecided"
    """The data cannot tell: more pictures, or another audit, would."""
    NOTE = "note"
    """Worth knowing beside the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that an audit wants a person to look at, and the records concerned, by key."""

    severity: Severity
    sentence: str
    records: Sequence[Key] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One audit of one run or manifest.

    `tables` are rows by title, for people; `rows` are the raw rows behind them, as the CSV file has them; `data` is
    the whole audit for scripts, which `--json` prints. `contents` make the files, by name. `refusal` is what a gate
    says, and what to do, where the audit found more than a gate allows.
    """

    audit: str
    subject: str
    verdict: str = ""
    findings: Sequence[Finding]
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    contents: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    refusal: tuple[str, str] | None = None

    @property
    def sentences(self) -> list[str]:
        """What was found, in words, in order."""
        return [finding.sentence for finding in self.findings]

    def write(self, folder: Path) -> dict[str, Path]:
        """Write the files into a folder and return their paths by kind, such as "csv" and "png"."""
        paths = {}
        for name, content in self.contents.items():
            path = folder / name
            write_whole(path, content())
            paths[path.suffix.removeprefix(".")] = path
        return paths
