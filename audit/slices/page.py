"""The page of an audit of slices: error rates with their intervals, and the pictures behind the worst of them."""

from collections.abc import Sequence

import numpy as np

from audit.audit_page import Drawing, Gallery
from audit.charts.rows import Bar, rows
from audit.pictures import cell_of
from audit.slices.figure import ordered
from audit.slices.judge import HIGHER, LOWER, RunSlices, Slice
from imageledger.store import Store

COLOURS = {HIGHER: ("problem", "D"), LOWER: ("fine", "s")}
EACH, MOST = 12, 4
"""Pictures shown of a slice, and slices shown."""


def drawings(result: RunSlices) -> list[Drawing]:
    """Draw the slices of each class, property by property."""
    parts = {label: ordered(result, label) for label in result.answers.labels}
    return [_of_class(label, parts[label]) for label in parts if parts[label]]


def galleries(result: RunSlices, store: Store) -> list[Gallery]:
    """Show what the model got wrong in the slices that are shown to be worse, or else in the worst one."""
    shown = result.having(HIGHER)[:MOST]
    parts, more = shown or result.tested[:1], "" if shown else " (no more than chance)"
    return [_gallery(result, store, part, more) for part in parts]


def _of_class(label: str, parts: Sequence[Slice]) -> Drawing:
    first = parts[0]
    whole = 100 * (first.wrong + first.rest_wrong) / (first.n + first.rest)
    bars = [_bar(part) for part in parts]
    return Drawing(
        title=label,
        drawn=rows(bars, x="wrong on so many, in %, with the 95 % interval", middle=whole, words=70, ends=(0, 100),
                   label=f"Error rates on slices of {label}; the whole class {whole:.0f} %"),
        note="Diamond: wrong more often than the rest of the class for certain. Square: less often. Line: the whole "
        "class. Numbers: wrong / pictures.",
    )  # fmt: skip


def _bar(part: Slice) -> Bar:
    colour, shape = COLOURS.get(part.verdict, ("usual", "o"))
    return Bar(
        name=f"{part.by}: {part.level}", value=100 * part.rate.value, low=100 * part.rate.low,
        high=100 * part.rate.high, colour=colour, shape=shape, words=f"{part.wrong}/{part.n}",
    )  # fmt: skip


def _gallery(result: RunSlices, store: Store, part: Slice, more: str) -> Gallery:
    answers = result.answers
    wrong = (answers.shares >= 0.5) != answers.positive
    rows = sorted((row for row in part.rows if wrong[row]), key=lambda row: -abs(float(answers.shares[row]) - 0.5))
    return Gallery(
        title=f"Wrong in {part.label}, {part.by}: {part.level}{more}",
        cells=[
            cell_of(store, answers.predictions[row], answers.labels[1], float(answers.shares[row]))
            for row in rows[:EACH]
        ],
        of=int(np.sum(wrong[list(part.rows)])),
    )  # fmt: skip
