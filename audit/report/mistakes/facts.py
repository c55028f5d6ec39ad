"""The facts about mistaken pictures that causes are proposed from: numbers against those of their class. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audit.report.mistakes.causes import GREY_FROM, NUMBERS, Facts, Usual
from curate.evidence.measure import Table
from curate.history import face_of, looked_for_face
from imageledger.record import Record
from imageledger.types import Bools, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """How the numbers of causes lie within a class, and the share of its pictures that is grey."""

    usual: Mapping[str, Usual]
    grey_share: float


def numbers_of(tables: Mapping[str, Table]) -> Mapping[str, Floats]:
    """Return the numbers that causes go by, one a picture, from the tables of the stages "fetched" and "final"."""
    return {name: _column(tables[stage], family, column) for name, (stage, family, column) in NUMBERS.items()}


def class_of(numbers: Mapping[str, Floats], rows: Bools) -> Class:
    """Describe a class by the pictures (`rows`) that are of it."""
    usual = {name: spread for name, values in numbers.items() if (spread := usual_of(values[rows])) is not None}
    colourless = numbers["colourless"][rows]
    known = colourless[np.isfinite(colourless)]
    return Class(usual=usual, grey_share=float((known >= GREY_FROM).mean()) if len(known) else 0.0)


def usual_of(values: Floats) -> Usual | None:
    """Return the median and the robust spread of numbers; None where none is known."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    median = float(np.median(known))
    return Usual(median, 1.4826 * float(np.median(np.abs(known - median))), len(known))


def facts(
    record: Record | None, row: int | None, numbers: Mapping[str, Floats], described: Class, *, actual: str,
    called: str, sure: float, typical: float | None, near: tuple[int, int] | None, by_file: float | None,
    file_auc: float,
) -> Facts:  # fmt: skip
    """Bring together what is known of a picture; `row` is that of its numbers, None where none were measured."""
    own = {} if row is None else {name: float(values[row]) for name, values in numbers.items()}
    return Facts(
        actual=actual, called=called, sure=sure, typical=typical, near=near, by_file=by_file, file_auc=file_auc,
        looked=record is not None and looked_for_face(record), face=record is None or face_of(record) is not None,
        numbers=own, usual=described.usual, grey_share=described.grey_share,
    )  # fmt: skip


def typical_of(sure: float, others: Sequence[float] | Floats) -> float | None:
    """Return the share of the pictures of the class called of which models are no surer; None without any."""
    values = np.asarray(others, dtype=np.float64)
    return float((values <= sure).mean()) if len(values) else None


def _column(table: Table, family: str, column: str) -> Floats:
    columns = list(table.columns.get(family, ()))
    if column not in columns:  # no picture has any number of the family
        return np.full(len(table.records), np.nan)
    return np.asarray(table.values[family][:, columns.index(column)], dtype=np.float64)
