"""What every audit returns: one report, with the findings that a person should look at."""

import html
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imageledger.spreadsheet import as_csv
from imageledger.store import write_whole
from imageledger.types import Key, Row

if TYPE_CHECKING:
    from pandas import DataFrame
    from PIL.Image import Image

LARGEST_PAGE = 300_000
"""A page of more bytes is not shown inside a notebook."""


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
    the whole audit for scripts, which `--json` prints. `contents` make the files, by name, and `folder` is where they
    go; `written` are files that the audit has written already. `refusal` is what a gate says, and what to do, where
    the audit found more than a gate allows.
    """

    audit: str
    subject: str
    verdict: str = ""
    findings: Sequence[Finding]
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    contents: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    folder: Path
    written: Mapping[str, Path] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    refusal: tuple[str, str] | None = None

    @property
    def sentences(self) -> list[str]:
        """What was found, in words, in order."""
        return [finding.sentence for finding in self.findings]

    def frame(self) -> "DataFrame":
        """Return the raw rows as a pandas DataFrame."""
        from pandas import DataFrame

        return DataFrame(list(self.rows))

    def figure(self) -> "Image | None":
        """Return the figure as a picture, or None for an audit that draws none."""
        from PIL import Image

        content = self._content(".png")
        return Image.open(io.BytesIO(content)) if content else None

    def page(self) -> str | None:
        """Return the self-contained HTML page, or None for an audit that has none."""
        content = self._content(".html")
        return content.decode("utf-8") if content else None

    def write(self, folder: Path | None = None) -> dict[str, Path]:
        """Write the files into a folder (default: `folder`) and return their paths by kind, such as "csv"."""
        paths = dict(self.written)
        for name, content in self.contents.items():
            path = (folder or self.folder) / name
            write_whole(path, content())
            paths[path.suffix.removeprefix(".")] = path
        return paths

    def _content(self, suffix: str) -> bytes:
        return next((make() for name, make in self.contents.items() if name.endswith(suffix)), b"")

    def _repr_html_(self) -> str:
        """Show the page inside a notebook, in a frame that runs nothing; without a small page, words and a table."""
        page = self.page()
        if page and len(page.encode()) < LARGEST_PAGE:
            return f'<iframe sandbox srcdoc="{html.escape(page)}" style="width:100%;height:640px;border:0"></iframe>'
        words = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences)
        title = html.escape(f"audit {self.audit}: {self.subject}")
        return f"<h4>{title}</h4>{words}{''.join(map(_table, self.tables.values()))}"


def csv_bytes(fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as the bytes of a CSV file."""
    return as_csv(fields, rows).encode("utf-8", errors="backslashreplace")


def notes(*sentences: str) -> list[Finding]:
    """Return a note for each sentence that is not empty."""
    return [Finding(severity=Severity.NOTE, sentence=sentence) for sentence in sentences if sentence]


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in rows[0])
    lines = ("".join(f"<td>{html.escape(str(value))}</td>" for value in row.values()) for row in rows[:30])
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
