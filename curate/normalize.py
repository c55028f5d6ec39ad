"""Bring every picture to one format, one size and no history in its name: the normalize stage."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from curate import pixels
from curate.faces import find_face
from curate.hashers import mirrored, phash, reduced
from curate.pixels import CannotDecode, Picture
from imageledger import manifest
from imageledger.config import Project
from imageledger.errors import ConfigError
from imageledger.record import REJECTED, Record
from imageledger.stage import Outcome, Stage, Track, run_rows, untracked
from imageledger.store import Store

VERSION = 1
PACKAGES = ("pillow", "numpy", "scikit-image", "imagehash")
FACE_ROOM = 2.0
"""Width of the kept square, in widths of the cascade's face box: forehead, chin, hair and some shoulder."""

SUFFIX = {"jpeg": "jpg", "png": "png"}
LEAST_SIDE, MOST_SIDE = 16, 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizeSettings:
    """Settings of normalize; `size` is the side in pixels, `quality` that of the one JPEG encoding."""

    size: int = 512
    format: str = "jpeg"
    quality: int = 90
    require_face: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be encoded."""
        if self.format not in SUFFIX:
            raise ConfigError(f"normalize: {self.format!r} is not a format", f"one of {', '.join(SUFFIX)}")
        if not (LEAST_SIDE <= self.size <= MOST_SIDE and 1 <= self.quality <= 100):
            raise ConfigError(
                f"normalize: size {self.size}, quality {self.quality}",
                f"size lies between {LEAST_SIDE} and {MOST_SIDE} pixels, quality between 1 and 100",
            )


def normalize(
    project: Project,
    chosen: NormalizeSettings,
    *,
    source: Path | None = None,
    workers: int | None = None,
    track: Track = untracked,
) -> Outcome:
    """Run the stage over the `ok` rows of the manifest before it."""
    stage = Stage(name="normalize", version=VERSION, settings=asdict(chosen), packages=PACKAGES)
    return run_rows(
        stage,
        partial(normalize_record, stage=stage, settings=chosen, store=project.store),
        source=source or project.before("normalize"),
        output=project.manifest("normalize"),
        dataset=project.dataset,
        store=project.store,
        workers=workers,
        track=track,
    )


def normalize_record(record: Record, *, stage: Stage, settings: NormalizeSettings, store: Store) -> Record:
    """Decode one picture once, measure what later stages need of the original, and store the normalised picture."""
    try:
        picture = pixels.decode(store.read(record.file))
    except CannotDecode as why:
        store.refuse_damaged(record.file)  # damage here is not the picture's own, and must not last as a row
        return record.failed(str(why), step=stage.step(record))
    face = find_face(picture.image)
    small = reduced(picture.image)
    found = {**_facts(picture, mirrored(small)), "notes": [*picture.notes, *([] if face else ["no face found"])]}
    size = settings.size
    seen = {"phash": phash(small), "width": picture.image.width, "height": picture.image.height}
    if min(picture.image.size) < size:
        step = stage.step(record, **found)
        return record.after(step, **seen).failed(f"{min(picture.image.size)} px, needs {size}", REJECTED)
    if settings.require_face and face is None:
        return record.after(stage.step(record, **found), **seen).failed("no face found", REJECTED)
    crop = pixels.square_around(picture.image.size, face, least=size, room=FACE_ROOM)
    content = pixels.encode(pixels.downscale(picture.image, crop, size), settings.format, settings.quality)
    found["crop"] = list(crop)
    if face is not None:
        found["face"] = list(pixels.within(face, crop, size))
    name = store.put(content, SUFFIX[settings.format])
    return record.after(stage.step(record, **found), file=name, **{**seen, "width": size, "height": size})


def largest_size_keeping(records: Iterable[Record], share: float = 0.95) -> dict[str, int]:
    """Return, for each label, the largest side in pixels that this share of its decodable pictures reaches."""
    sides: dict[str, list[int]] = {}
    for record in records:
        native = record.found("normalize").get("size")
        if native:
            sides.setdefault(record.label, []).append(min(native))
    return {label: sorted(found, reverse=True)[math.ceil(share * len(found)) - 1] for label, found in sides.items()}


def advice(outcome: Outcome, size: int) -> str:
    """Say which size would keep 95 % of both classes, when the chosen one rejected pictures for being too small."""
    if not any("px, needs" in reason for reasons in outcome.tally.reasons.values() for reason in reasons):
        return ""
    best = largest_size_keeping(manifest.read(outcome.path))
    least = min(best.values())
    if least >= size:
        return ""
    sides = ", ".join(f"{label} {side}" for label, side in sorted(best.items()))
    if least < LEAST_SIDE:
        return f"No size keeps 95 % of each class: the largest would be {least} px ({sides})."
    return f"The largest size that keeps 95 % of each class is {least} px ({sides}): curate normalize --size {least}"


def _facts(picture: Picture, mirror_hash: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "format": picture.format,
        "mode": picture.mode,
        "size": list(picture.image.size),
        "tables": picture.tables,
        "pixels": pixels.pixel_digest(picture.image),
        "mirrored": mirror_hash,
    }
    return facts | ({"frames": picture.frames} if picture.frames > 1 else {})
