"""What the files were as fetched: formats, sizes, bytes, and marks beside the pixels, for each class. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from audit.charts.matrix import Cell, MatrixRow, matrix
from audit.charts.spread import spread
from audit.report.dataset.groups import Group, Undone, table
from curate.history import fetched, normalized
from imageledger.record import Record
from imageledger.types import Bools, Floats

UNKNOWN = "not noted"

BITS = "bits per pixel"
MEASURES = ("width, px", "height, px", "kilobytes", BITS)
"""What is measured of each original, in the order of `_measured`."""

MARKS = (
    "EXIF", "camera", "date", "place", "exposure", "software", "thumbnail", "orientation", "ICC", "XMP", "IPTC",
    "Photoshop block", "text", "prompt", "comment", "C2PA", "declared as made by AI",
)  # fmt: skip
"""Marks of the family `metadata` that mean something to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One measure of the originals: its name, a value for each picture (n), and which are of the positive class."""

    name: str
    values: Floats
    positive: Bools
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Formats by group, measures of the originals, and how many of how many carry each mark.

    `marks` holds for each mark and class (with it, looked at).
    """

    groups: Sequence[Group]
    labels: tuple[str, str]
    formats: Mapping[str, Sequence[int]]
    medians: Mapping[str, Sequence[float | None]]
    sides: Sequence[Side]
    marks: Mapping[str, Sequence[tuple[int, int]]]
    classes: Sequence[str]
    undone: Sequence[Undone]

    def formats_table(self) -> Markup:
        """Draw the formats by group."""
        totals = [len(group.records) for group in self.groups]
        label = "Formats of the original files, by class"
        return table(self.groups, self.formats.items(), totals, corner="format", label=label)

    def medians_table(self) -> Markup:
        """Write the medians by group."""
        rows = [
            MatrixRow(name=name, cells=[Cell(words=_short(value)) for value in values])
            for name, values in self.medians.items()
        ]
        return matrix(rows, [group.name for group in self.groups], corner="median", label="Medians of the originals")

    def charts(self) -> list[tuple[str, Markup]]:
        """Draw how each measure is distributed in both classes."""
        drawn = ((side, spread(side.values, side.positive, self.labels, name=side.name, format=side.format))
                 for side in self.sides)  # fmt: skip
        return [(side.name, chart) for side, chart in drawn if chart is not None]

    @property
    def some(self) -> list[str]:
        """The marks that at least one original carries."""
        return [mark for mark, cells in self.marks.items() if any(with_it for with_it, _ in cells)]

    @property
    def none(self) -> list[str]:
        """The marks that were looked for and that no original carries."""
        return [mark for mark in self.marks if mark not in self.some]

    @property
    def looked_at(self) -> list[tuple[str, int]]:
        """How many originals of each class were searched for marks."""
        cells = next(iter(self.marks.values()), [])
        return [(label, total) for label, (_, total) in zip(self.classes, cells, strict=False)]

    def marks_table(self) -> Markup:
        """Draw the marks that some originals carry, by class."""
        rows = [
            MatrixRow(
                name=mark,
                cells=[
                    Cell(words=f"{with_it} of {total}", shade=with_it / total) if total else Cell(words="–")
                    for with_it, total in self.marks[mark]
                ],
            )
            for mark in self.some
        ]
        return matrix(rows, self.classes, corner="mark", label="Marks beside the pixels of the originals, by class")

    def data(self) -> Mapping[str, Any]:
        """Return formats and medians by group, and marks by class."""
        names = [group.name for group in self.groups]
        return {
            "formats": {name: dict(zip(names, counts, strict=True)) for name, counts in self.formats.items()},
            "medians": {name: dict(zip(names, values, strict=True)) for name, values in self.medians.items()},
            "metadata": {
                mark: {
                    label: {"with": own, "of": total} for label, (own, total) in zip(self.classes, cells, strict=True)
                }
                for mark, cells in self.marks.items()
            },
        }


def files_of(
    rows: Sequence[Record], groups: Sequence[Group], labels: tuple[str, str], classes: Sequence[str],
    marks: Mapping[str, Floats],
) -> Files:  # fmt: skip
    """Describe the originals of all rows; `marks` holds for each mark 1, 0 or NaN (not looked at) per row."""
    counts = [Counter(fetched(record).format or UNKNOWN for record in group.records) for group in groups]
    formats = sorted({name for own in counts for name in own}, key=lambda name: (name == UNKNOWN, name))
    known = [record for record in rows if record.label in labels]
    positive = np.array([record.label == labels[1] for record in known], dtype=bool)
    held = {record.key: _measured(record) for record in rows}
    of_groups = [
        np.array([held[record.key] for record in group.records]).reshape(-1, len(MEASURES)) for group in groups
    ]
    measures = dict(
        zip(MEASURES, np.array([held[record.key] for record in known]).reshape(-1, len(MEASURES)).T, strict=True)
    )
    undone = []
    if not np.isfinite(measures[BITS]).any():
        sentence = "The sizes in pixels were not read yet: normalize notes them."
        undone.append(Undone(sentence=sentence, command="curate normalize"))
    if not marks:
        sentence = "EXIF, camera, software and other marks beside the pixels were not looked for."
        undone.append(Undone(sentence=sentence, command="audit shortcuts --stage all"))
    return Files(
        groups=groups, labels=labels, classes=classes, undone=undone,
        formats={name: [own[name] for own in counts] for name in formats},
        medians={name: [_median(own[:, n]) for own in of_groups] for n, name in enumerate(MEASURES)},
        sides=[
            Side(name=name, values=values, positive=positive, format="{:.2f}" if name == BITS else "{:.0f}")
            for name, values in measures.items()
        ],
        marks={name: _by_class(rows, values, classes) for name, values in marks.items() if name in MARKS},
    )  # fmt: skip


def _by_class(rows: Sequence[Record], values: Floats, classes: Sequence[str]) -> list[tuple[int, int]]:
    of = np.array([record.label for record in rows], dtype=object)
    there = np.isfinite(values)
    return [(int(np.sum(values[there & (of == label)] > 0)), int(np.sum(there & (of == label)))) for label in classes]


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else None


def _measured(record: Record) -> tuple[float, float, float, float]:
    """Return width, height, kilobytes and bits per pixel of an original; NaN for what no stage noted."""
    size, held = normalized(record).size, fetched(record).bytes
    width, height = size or (np.nan, np.nan)
    kilobytes = held / 1000 if held else np.nan
    bits = 8000 * kilobytes / (width * height) if size and width * height else np.nan
    return width, height, kilobytes, bits
