"""Tables for spreadsheets: CSV in which no cell is run as a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows as CSV under these names; text that a spreadsheet would take for a formula gets an apostrophe."""
    target = io.StringIO()
    writer = csv.DictWriter(target, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return target.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
