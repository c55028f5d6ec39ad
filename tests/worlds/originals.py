"""Drawn originals, and the rows that fetch and normalize would write for them."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from curate.history import noted
from curate.normalize.work import note_of
from curate.pictures import hashers, pixels
from imageledger import manifest
from imageledger.manifest import Card
from imageledger.record import Record, Step
from imageledger.store import Store


def scene(seed, size=(320, 320)):
    """A picture with structure at all scales, different for every seed."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3))
    for cells, weight in ((3, 60), (8, 50), (24, 40), (64, 25)):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += weight * (np.asarray(noise.resize(size, Image.Resampling.BICUBIC)) / 255 - 0.5)
    return Image.fromarray(np.clip(128 + total, 0, 255).astype(np.uint8))


def jpeg(image, quality=90):
    target = io.BytesIO()
    image.save(target, "JPEG", quality=quality)
    return target.getvalue()


def png(image):
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def row(store: Store, content: bytes, member: str, label="real", source="folder:drawn", **changes) -> Record:
    """The row of one original after fetch and normalize; `changes` overrule its fields."""
    picture = pixels.decode(content)
    name = store.put(content, "jpg" if picture.format == "jpeg" else picture.format)
    found = noted(replace(note_of(picture, hashers.reduced(picture.image)), crop=(0, 0, *picture.image.size)))
    steps = (
        Step(did="fetch@1", on="", found={"bytes": len(content), "format": picture.format}),
        Step(did="normalize@1", on=name, found=found),
    )
    values = {"origin": name, "file": name, "phash": hashers.phash(picture.image), "steps": steps, **changes}
    return Record(source=source, member=member, label=label, **values)


def written(path: Path, records) -> Path:
    """Write rows, sorted by key, as a manifest with its card."""
    rows = sorted(records, key=lambda record: record.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    manifest.write(path, rows)
    card = Card(
        dataset="drawn", stage="normalize@1", input="", settings={}, versions={}, rows=len(rows),
        digest=manifest.digest(path),
    )  # fmt: skip
    manifest.card_path(path).write_text(card.to_json(), encoding="utf-8")
    return path
