"""The worst mattes of each class on one sheet, for a person to look at: those refused, and the doubtful that stayed."""

import io
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from curate.faces.words import by_matte
from curate.history import whitened
from curate.matting import compositing
from imageledger.config import Project
from imageledger.errors import StoreError
from imageledger.figure import PAPER
from imageledger.record import OK, Record
from imageledger.sheet import Cell, Frame, sheet
from imageledger.store import write_whole

EACH = 6
"""Pictures shown of each class and kind."""

SIDE, LETTERS = 150, 19
"""Side of a picture in pixels, and how many letters fit below it."""

UNKNOWN = 100.0
"""Contrast of a matte without an edge: nothing speaks against it."""


def worst(records: Iterable[Record]) -> list[tuple[str, list[Record]]]:
    """Choose, for each label, mattes that were refused, and of those that stayed; least contrast first. Pure."""
    refused: dict[str, list[Record]] = {}
    stayed: dict[str, list[Record]] = {}
    for record in records:
        if record.matte and by_matte(record):
            refused.setdefault(record.label, []).append(record)
        elif record.matte and record.status == OK:
            stayed.setdefault(record.label, []).append(record)
    rows = []
    for label in sorted({*refused, *stayed}):
        gone, kept = refused.get(label, []), stayed.get(label, [])
        rows.append((f"{label}: {len(gone)} refused", sorted(gone, key=_doubt)[:EACH]))
        rows.append((f"{label}: of {len(kept)} kept, the least contrast at the edge", sorted(kept, key=_doubt)[:EACH]))
    return rows


def write(project: Project, records: Sequence[Record]) -> Path | None:
    """Write data/audit/mattes.png and return its path; None where no picture has a matte."""
    kinds = [(kind, rows) for kind, rows in worst(records) if rows]
    if not kinds:
        return None
    said = ["Where faces are torn, try another --matting, or --region face."]
    parts = [sheet([], columns=EACH, heading=f"The worst mattes of {project.dataset}", lines=said)]
    for kind, rows in kinds:
        parts.append(sheet([_cell(project, record) for record in rows], columns=EACH, lines=[kind], size=SIDE))
    page = Image.new("RGB", (max(part.width for part in parts), sum(part.height for part in parts)), PAPER)
    top = 0
    for part in parts:
        page.paste(part, (0, top))
        top += part.height
    target = io.BytesIO()
    page.save(target, "PNG")
    path = project.root / "data" / "audit" / "mattes.png"
    write_whole(path, target.getvalue())
    return path


def _doubt(record: Record) -> tuple[float, tuple[str, str]]:
    note = whitened(record)
    return (UNKNOWN if note.contrast is None else note.contrast), record.key


def _cell(project: Project, record: Record) -> Cell:
    note = whitened(record)
    contrast = "" if note.contrast is None else f"contrast {note.contrast:.1f}"
    said = record.reason.partition(": ")[2]
    return Cell(
        frames=(Frame(picture=_laid(project, record)),),
        title=record.member,
        lines=(*textwrap.wrap(said, LETTERS), contrast),
    )


def _laid(project: Project, record: Record) -> Image.Image | None:
    """Return the person on white, also of a picture that was refused."""
    try:
        image = Image.open(io.BytesIO(project.store.read(record.file))).convert("RGB")
        if record.status == OK:
            return image
        matte = np.asarray(Image.open(io.BytesIO(project.store.read(record.matte))).convert("L"))
    except (StoreError, OSError):
        return None
    return compositing.white_composite(image, matte, compositing.standard_edge(matte))
