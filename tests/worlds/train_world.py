"""A small drawn world to train on: two classes that differ in plain sight, in a project folder of its own."""

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from imageledger import manifest
from imageledger.config import Project, open_project
from imageledger.record import Record

SIDE = 40


def picture(label: str, number: int) -> bytes:
    """Draw noise with a bright disc ("ai") or a bright bar ("real"); every fifth one looks like the other class."""
    seed = int(hashlib.sha256(f"{label}{number}".encode()).hexdigest()[:8], 16)
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 160, (SIDE, SIDE, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    disc = (rows - 20) ** 2 + (columns - rng.integers(14, 26)) ** 2 < 100
    bar = np.abs(columns - rng.integers(10, 30)) < 4
    pixels[disc if (label == "ai") != (number % 5 == 4) else bar] = (230, 120, 60)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def records(project: Project, train: int = 12, valid: int = 5) -> list[Record]:
    """Store pictures of both classes and return their rows, in order."""
    rows = []
    for label in ("ai", "real"):
        for number in range(train + valid):
            name = project.store.put(picture(label, number), "png")
            split = "train" if number < train else "valid"
            member = f"{label}/{number:03}.png"
            rows.append(Record(source="folder:drawn", member=member, origin=name, file=name, label=label, split=split))
    return rows


def build(root: Path, **counts: int) -> Project:
    """Make a project folder with a final manifest that can be trained on."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    project = open_project(root)
    manifest.write(project.manifest("manifest"), records(project, **counts))
    return project


def export(project: Project, folder: Path) -> Path:
    """Write the pictures of the final manifest as a folder tree {train,valid}/LABEL/."""
    for record in manifest.read(project.manifest("manifest")):
        target = folder / record.split / record.label / Path(record.member).name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(project.store.read(record.file))
    return folder
