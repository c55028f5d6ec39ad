"""Markdown of values that strangers wrote."""

from collections.abc import Mapping, Sequence
from typing import Any


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows with the same keys as a Markdown table."""
    if not rows:
        return "Nothing to show."
    head = " | ".join(map(escaped, rows[0]))
    body = (" | ".join(escaped(value) for value in row.values()) for row in rows)
    return "\n".join([f"| {head} |", "|" + " --- |" * len(rows[0]), *(f"| {line} |" for line in body)])


def escaped(value: Any) -> str:
    """Keep what strangers wrote (names, licences) from being read as Markdown or HTML."""
    seen = "".join(letter if letter.isprintable() else " " for letter in str(value))
    for sign, instead in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("`", "'"), ("*", "\\*"), ("](", "]\\(")):
        seen = seen.replace(sign, instead)
    return seen
