"""One part of what is shown of a training: a heading with sentences, drawings, a table, or what to type for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from imageledger.types import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What stands under one heading; `missing` holds sentences with the command that measures what is not there.

    `key` says what marks and colours mean, `wide` asks for the whole width of the page, `figures` are its numbers for
    scripts.
    """

    name: str
    title: str
    sentences: Sequence[str] = ()
    drawings: Sequence[Markup] = ()
    key: Sequence[str] = ()
    rows: Sequence[Row] = ()
    pairs: Mapping[str, Any] = field(default_factory=dict)
    missing: Sequence[tuple[str, str]] = ()
    wide: bool = False
    figures: Mapping[str, Any] = field(default_factory=dict)

    def data(self) -> Mapping[str, Any]:
        """Return its content without the drawings."""
        told = {
            "sentences": list(self.sentences), "rows": [dict(row) for row in self.rows], **self.figures,
            **({"settings": dict(self.pairs)} if self.pairs else {}),
        }  # fmt: skip
        missing = [{"why": why, "command": command} for why, command in self.missing]
        return {name: value for name, value in told.items() if value} | ({"missing": missing} if missing else {})
