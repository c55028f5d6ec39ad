"""What every audit returns: one report, with the findings that a person should look at."""

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit import audit_page, kept
from audit.audit_page import Drawing, Gallery
from imageledger import notebook
from imageledger.errors import LedgerError
from imageledger.spreadsheet import as_csv
from imageledger.store import write_whole
from imageledger.types import Key, Row

if TYPE_CHECKING:
    import pandas
    from PIL import Image

LONGEST = 120
"""Letters of the name of a file, without its suffix."""

PICTURES, PAGES = (".png",), (".html",)


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


def no_drawings() -> Sequence[Drawing]:
    """Draw nothing: the page of an audit without figures has its sentences and tables."""
    return ()


def no_pictures() -> Sequence[Gallery]:
    """Show no pictures: the audit names none."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report:
    """One audit of one run or manifest.

    `tables` are rows by title, for people; `rows` are the raw rows behind them, as the CSV file has them; `data` is
    the whole audit for scripts, which `--json` prints. `contents` make the files, by name, and `folder` is where they
    go; `written` are files that the audit has written already. Where `about` holds the digests of what was audited,
    `data` is kept beside the files as AUDIT.json, for the report (`audit.kept`). A look that is not the whole audit has
    a `variant`, which becomes part of the names of its files, so that it never takes the place of the whole. `stale`
    names files of an earlier audit that this one replaces by nothing. Every audit has a page: one of its `contents`, or
    else the page that all share, which also shows `drawings` and `galleries` and is called `page` (default: the audit's
    name). `next_step` is what to do now, in a sentence; `refusal` what a gate says, and what to do, where the audit
    found more than a gate allows.
    """

    audit: str
    subject: str
    verdict: str = ""
    findings: Sequence[Finding]
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    data: Mapping[str, Any] | Sequence[Row] = field(default_factory=dict)
    contents: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    folder: Path = Path()
    written: Mapping[str, Path] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    variant: Sequence[object] = ()
    stale: Sequence[str] = ()
    warnings: Sequence[str] = ()
    next_step: str = ""
    refusal: tuple[str, str] | None = None
    drawings: Callable[[], Sequence[Drawing]] = no_drawings
    galleries: Callable[[], Sequence[Gallery]] = no_pictures
    page: str = ""

    @property
    def sentences(self) -> list[str]:
        """What was found, in words, in order."""
        return [finding.sentence for finding in self.findings]

    @property
    def files(self) -> Mapping[str, Callable[[], bytes]]:
        """What makes the files, by name, the page among them."""
        if any(name.endswith(PAGES) for name in self.contents):
            return self.contents
        return {**self.contents, self.page or f"{self.audit}.html": self._page}

    def write(self, folder: Path | None = None) -> dict[str, Path]:
        """Write the files into a folder (default: `folder`) and return their paths by kind, such as "csv"."""
        paths, place = dict(self.written), folder or self.folder
        for name in self.stale:
            (place / self.name_of(name)).unlink(missing_ok=True)
        for name, content in self.files.items():
            path = place / self.name_of(name)
            write_whole(path, content())
            paths[path.suffix.removeprefix(".")] = path
        if self.about and isinstance(self.data, Mapping):
            path = place / self.name_of(f"{self.audit}.json")
            write_whole(path, kept.encoded(self.data, self.about))
            paths.setdefault("json", path)
        return paths

    def name_of(self, content: str) -> str:
        """Return how the file of a content is called: what is not the whole audit says so."""
        whole = Path(content)
        return f"{stem(whole.stem, *self.variant)}{whole.suffix}"

    def frame(self) -> "pandas.DataFrame":
        """Return the rows behind the tables as a pandas DataFrame."""
        return notebook.frame(self.rows)

    def figure(self) -> "Image.Image":
        """Return the figure of the audit as a picture; raise LedgerError where there is none."""
        from PIL import Image

        content = self._content(PICTURES)
        if content is None:
            raise LedgerError(f"audit {self.audit} has no figure for {self.subject}", "frame() has the numbers")
        return Image.open(io.BytesIO(content))

    def _repr_html_(self) -> str:
        """Show the page of the audit, or where it is too large, its sentences, tables and figure."""
        page = self._content(PAGES)
        return (notebook.small_enough(page.decode()) if page else "") or self._in_short()

    def __repr__(self) -> str:
        """Say what the audit found, in sentences."""
        head = f"audit {self.audit} of {self.subject}" + (f": {self.verdict}" if self.verdict else "")
        return "\n  ".join([head, *self.sentences, *([f"Next: {self.next_step}"] if self.next_step else [])])

    def _in_short(self) -> str:
        sentences = [self.verdict, *self.sentences, *(f"Warning: {warning}" for warning in self.warnings)]
        sentences += [f"Next: {self.next_step}"] if self.next_step else []
        parts = [notebook.paragraph(sentence) for sentence in sentences if sentence]
        parts += [notebook.table(rows, title) for title, rows in self.tables.items() if rows]
        if content := self._content(PICTURES):
            parts.append(notebook.picture(content))
        shown = ""
        for part in parts:
            shown += part if notebook.fits(shown + part) else ""
        return shown

    def _page(self) -> bytes:
        return audit_page.html(self).encode("utf-8", errors="backslashreplace")

    def _content(self, kinds: Sequence[str]) -> bytes | None:
        makers = [make for name, make in self.files.items() if name.endswith(tuple(kinds))]
        return makers[0]() if makers else None


def stem(audit: str, *narrower: object) -> str:
    """Return what the files of an audit are called, without their suffix; what is not the whole audit says so.

    >>> stem("shortcuts"), stem("shortcuts", "final", "jpeg-history", None)
    ('shortcuts', 'shortcuts-final-jpeg-history')
    """
    parts = [audit, *(str(part) for part in narrower if part)]
    return re.sub(r"[^\w.-]+", "-", "-".join(parts))[:LONGEST]


def csv_bytes(fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as the bytes of a CSV file."""
    return as_csv(fields, rows).encode("utf-8", errors="backslashreplace")


def notes(*sentences: str) -> list[Finding]:
    """Return a note for each sentence that is not empty."""
    return [Finding(severity=Severity.NOTE, sentence=sentence) for sentence in sentences if sentence]
