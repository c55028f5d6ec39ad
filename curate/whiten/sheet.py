"""The worst mattes of each class on one sheet, for a person to look at: those refused, and the doubtful that stayed."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from curate.faces.words import by_matte
from curate.history import whitened
from curate.matting import compositing
from imageledger.config import Project
from imageledger.errors import StoreError
from imageledger.record import OK, Record
from imageledger.sheet import Cell, Frame, sheet
from imageledger.store import write_whole

EACH = 6
"""Pictures shown of each class and kind."""

UNKNOWN = 100.0
"""Contrast of a matte without an edge: nothing speaks against it."""


def worst(records: Iterable[Record]) -> list[tuple[str, list[Record]]]:
    """Choose, for each label, mattes that were refused, and of those that stayed the ones of least contrast. Pure."""
    refused: dict[str, list[Record]] = {}
    stayed: dict[str, list[Record]] = {}
    for record in records:
        if record.matte and by_matte(record):
            refused.setdefault(record.label, []).append(record)
        elif record.matte and record.status == OK:
            stayed.setdefault(record.label, []).append(record)
    rows = []
    for label in sorted({*refused, *stayed}):
        rows.append((f"{label}, refused", refused.get(label, [])[:EACH]))
        rows.append((f"{label}, kept", sorted(stayed.get(label, []), key=_doubt)[:EACH]))
    return rows


def write(project: Project, records: Sequence[Record]) -> Path | None:
    """Write data/audit/mattes.png and return its path; None where no picture has a matte."""
    chosen = [(kind, record) for kind, rows in worst(records) for record in rows]
    if not chosen:
        return None
    cells = [_cell(project, kind, record) for kind, record in chosen]
    heading = f"The worst mattes of {project.dataset}"
    lines = ["Of each class, mattes that were refused, and those that stayed with the least contrast at their edge. "
             "Where faces are torn, try another --matting, or --region face."]  # fmt: skip
    page = sheet(cells, columns=EACH, heading=heading, lines=lines, size=150)
    target = io.BytesIO()
    page.save(target, "PNG")
    path = project.root / "data" / "audit" / "mattes.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, target.getvalue())
    return path


def _doubt(record: Record) -> tuple[float, tuple[str, str]]:
    note = whitened(record)
    return (UNKNOWN if note.contrast is None else note.contrast), record.key


def _cell(project: Project, kind: str, record: Record) -> Cell:
    note = whitened(record)
    said = record.reason.partition(": ")[2] or f"contrast {note.contrast:.1f}" if note.contrast is not None else ""
    return Cell(frames=(Frame(picture=_laid(project, record), caption=""),), title=kind, lines=(record.member, said))


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
