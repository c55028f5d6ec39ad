"""The sheet: sections of records and their pictures in, one picture out. Pure, but for what opens them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from curate.history import whitened
from curate.look import judge
from curate.look.judge import Section
from imageledger.record import DUPLICATE, Record
from imageledger.sheet import GAP, Cell, Frame, broken, sheet, stacked

SIDE = 200
"""Side of a picture on the sheet, in pixels."""

MOST_LINES = 4
"""Lines of a reason below a picture; a longer one ends in the manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a sheet is laid out: cells beside each other, and the pictures of a cell."""

    columns: int
    frames: int


SINGLE, BEFORE_AND_AFTER, BESIDE = Shape(columns=6, frames=1), Shape(columns=3, frames=2), Shape(columns=2, frames=3)

Frames = Callable[[Record], tuple[Frame, ...]]
"""Opens the pictures of a record."""


def drawn(
    sections: Sequence[Section], frames: Frames, words: Callable[[Record], Sequence[str]], *,
    columns: int, shape: Shape, heading: str, lines: Sequence[str] = (),
) -> Image.Image:  # fmt: skip
    """Draw the sections under each other: a line with the counts, and the pictures with their `words`; return RGB."""
    width = shape.frames * (SIDE + GAP) - GAP
    parts = []
    for number, section in enumerate(sections):
        cells = [
            Cell(
                frames=frames(record),
                title=record.member,
                lines=tuple(line for text in words(record) for line in broken(text, width, MOST_LINES)),
            )
            for record in section.records
        ]
        first = number == 0
        said = [*lines, section.words] if first else [section.words]
        parts.append(sheet(cells, columns=columns, heading=heading if first else "", lines=said, size=SIDE))
    return stacked(parts)


def of_picture(record: Record) -> list[str]:
    """Say what a picture is, and why it was set aside."""
    size = f"{record.width} × {record.height} px" if record.width else ""
    return [text for text in (size, record.reason) if text]


def of_sorted(record: Record, sort: str) -> list[str]:
    """Say what a picture is, the number it was sorted by, and why it was set aside."""
    value = judge.value_in_words(record, sort) if sort != judge.MEMBER else ""
    return [text for text in (f"{record.label}, {record.status}", value, record.reason) if text]


def of_matte(record: Record) -> list[str]:
    """Say how much contrast a matte has at its edge, and what was wrong with it."""
    contrast = whitened(record).contrast
    said = record.reason.partition(": ")[2] if record.reason.startswith("matte: ") else record.reason
    return [text for text in ("" if contrast is None else f"contrast at the edge {contrast:.1f}", said) if text]


def of_pair(record: Record, partner: str) -> list[str]:
    """Say how similar a copy is to the other picture, in the words of dedupe, and how that is called."""
    similarity = f"{record.label}, similarity {record.similarity:.2f}" if record.similarity else record.label
    return [f"{'copy of' if record.status == DUPLICATE else 'beside'} {partner.rpartition('#')[2]}", similarity,
            record.reason]  # fmt: skip
