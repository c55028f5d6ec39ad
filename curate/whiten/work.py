"""Take away what stands around a person: the whiten stage.

Either everyone is put on pure white, with a matte that was judged before it was believed, or only the inner face stays.
"""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from curate.history import Whitened, normalized, noted
from curate.matting import BACKENDS, backend, compositing
from curate.matting.matte import Asked, Cutter
from curate.pictures import pixels, regions
from curate.pictures.faces import find_face
from curate.pictures.pixels import CannotDecode
from imageledger import config, manifest
from imageledger.config import Project
from imageledger.counted import Counted
from imageledger.errors import ConfigError
from imageledger.record import OK, REJECTED, Record, groups_of
from imageledger.stage import Outcome, Stage, Work, run_rows
from imageledger.store import Store
from imageledger.types import Track, untracked

logger = logging.getLogger(__name__)

VERSION = 3
PACKAGES = ("pillow", "numpy", "opencv-python-headless")
FACE_PACKAGES = ("pillow", "numpy", "scikit-image")
REGIONS = ("white", "face")

LEAST_FACE, MOST_FACE, STEP = 32, 256, 8
"""Sides, in pixels, between which and in steps of which the size of inner faces is chosen."""

REACH = 0.95
"""Share of the faces of each label that must reach the chosen size without being enlarged."""

SELECTIVE = 0.05
"""Below this p of Fisher's exact test the shares without a face differ between the labels."""

ANY = (0.0, 1.0)
"""The raw output range of a backend that has none: nothing can be said against it."""

NO_FACE = "no face found"
DOUBTFUL = "the face is not found again in the mirrored picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhitenSettings:
    """Settings of whiten; `model_sha256` pins the model's file, `model_path` names one of the user's own.

    `region` is what stays: the person on "white", or the inner "face" alone, `face_size` pixels wide and high.
    """

    region: str = "white"
    face_size: int | str = "auto"
    matting: str = "rembg"
    model: str = "u2net_human_seg"
    model_path: str = ""
    model_sha256: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown region or way of cutting out, and sizes that no face has."""
        if self.region not in REGIONS:
            raise ConfigError(f"whiten: {self.region!r} is not a region", f"one of {', '.join(REGIONS)}")
        if self.face_size != "auto" and not (isinstance(self.face_size, int) and LEAST_FACE <= self.face_size <= 1024):
            raise ConfigError(
                f"whiten: a face size of {self.face_size}", f'"auto", or pixels between {LEAST_FACE} and 1024'
            )
        if self.matting not in BACKENDS.names():
            raise ConfigError(
                f"whiten: {self.matting!r} is not a matting backend", f"one of {', '.join(BACKENDS.names())}"
            )


def whiten(
    project: Project,
    settings: WhitenSettings | None = None,
    *,
    source: Path | None = None,
    workers: int | None = None,
    track: Track = untracked,
) -> Outcome:
    """Run the stage over the `ok` rows of the manifest before it; find the model, or the size of the faces, first.

    Without settings those of imageledger.toml hold. How many faces were lost goes to the logger.
    """
    chosen = settings or settings_of(project)
    source = source or project.before("whiten")
    work: Work
    if chosen.region == "face":
        size = chosen.face_size if isinstance(chosen.face_size, int) else face_size(manifest.read(source))
        stage = Stage(
            name="whiten", version=VERSION, settings={"region": "face", "face_size": size}, packages=FACE_PACKAGES
        )
        work = partial(face_record, stage=stage, size=size, store=project.store)
    else:
        cuts = backend(chosen.matting)
        path = project.root / Path(chosen.model_path).expanduser() if chosen.model_path else None
        cutter = cuts.prepare(Asked(model=chosen.model, path=path, sha256=chosen.model_sha256))
        stage = Stage(
            name="whiten", version=VERSION, settings=_recorded(chosen, cutter), packages=(*PACKAGES, *cuts.packages)
        )
        work = partial(whiten_record, stage=stage, cutter=cutter, store=project.store)
    outcome = run_rows(
        stage,
        work,
        source=source,
        output=project.manifest("whiten"),
        dataset=project.dataset,
        store=project.store,
        workers=workers,
        track=track,
    )
    for line in remarks(outcome):
        logger.info(line)
    return outcome


def settings_of(project: Project, **options: Any) -> WhitenSettings:
    """Return the settings of imageledger.toml, overruled by options that are not None."""
    return config.settings(WhitenSettings, project.tables.get("whiten", {}), options)


def whiten_record(record: Record, *, stage: Stage, cutter: Cutter, store: Store) -> Record:
    """Cut one person out, judge the matte, and store the white picture (PNG) and the matte (8-bit grey PNG)."""
    try:
        image = pixels.decode(store.read(record.file)).image
    except CannotDecode as error:
        return record.failed(str(error), step=stage.step(record))
    face = normalized(record).face
    matte = cutter.cut(image, face)
    alpha = compositing.clean(matte.alpha)
    kept = store.put(pixels.encode(Image.fromarray(alpha), "png", 0), "png")
    note = Whitened(
        coverage=round(compositing.coverage(alpha), 4),
        pieces=compositing.pieces(alpha),
        softness=round(compositing.softness(alpha), 4),
        raw=(_rounded(matte.raw[0]), _rounded(matte.raw[1])) if matte.raw else None,
    )
    step = stage.step(record, **noted(note))
    if why := compositing.fault(alpha, face, *(matte.raw or ANY)):
        return record.after(step, matte=kept).failed(why, REJECTED)
    white = compositing.white_composite(image, alpha, compositing.standard_edge(alpha))
    return record.after(step, file=store.put(pixels.encode(white, "png", 0), "png"), matte=kept)


def face_record(record: Record, *, stage: Stage, size: int, store: Store) -> Record:
    """Keep the inner face of one picture, shrunk to `size` pixels a side (PNG); never enlarges."""
    try:
        image = pixels.decode(store.read(record.file)).image
    except CannotDecode as error:
        return record.failed(str(error), step=stage.step(record))
    face = normalized(record).face
    if face is None:
        return record.failed(NO_FACE, REJECTED, step=stage.step(record))
    crop = regions.inner_square(face, image.size)
    lost = stage.step(record, **noted(Whitened(crop=crop)))
    if (side := crop[2] - crop[0]) < size:
        return record.failed(f"face of {side} px, needs {size}", REJECTED, step=lost)
    if not regions.confirmed(face, find_face(ImageOps.mirror(image)), image.width):
        return record.failed(DOUBTFUL, REJECTED, step=lost)
    note = Whitened(crop=crop, face=pixels.within(face, crop, size))
    name = store.put(pixels.encode(pixels.downscale(image, crop, size), "png", 0), "png")
    return record.after(stage.step(record, **noted(note)), file=name, width=size, height=size)


def face_size(records: Iterable[Record]) -> int:
    """Choose the largest size, in steps of STEP up to MOST_FACE, that REACH of the faces of each label have.

    Raises ConfigError when no face was recorded, or they are too small for any size.
    """
    sides: dict[str, list[int]] = {}
    for record in records:
        face = normalized(record).face
        if record.status == OK and face:
            crop = regions.inner_square(face, (record.width, record.height))
            sides.setdefault(record.label, []).append(crop[2] - crop[0])
    if not sides:
        raise ConfigError("no picture has a recorded face", "curate normalize looks for faces; run it before whiten")
    reached = {label: sorted(edges, reverse=True)[math.ceil(REACH * len(edges)) - 1] for label, edges in sides.items()}
    size = min(MOST_FACE, min(reached.values()) // STEP * STEP)
    if size < LEAST_FACE:
        sizes = ", ".join(f"{label} {side} px" for label, side in sorted(reached.items()))
        raise ConfigError(
            f"the faces are too small: {100 * REACH:.0f} % of each label reach {sizes}, {LEAST_FACE} are needed",
            f"normalize at a larger --size, or name a --face-size of {LEAST_FACE} or more and lose the smaller faces",
        )
    return size


def remarks(outcome: Outcome) -> list[str]:
    """Say, after a run on faces, how large they are and how many of each label were lost for want of one."""
    size = manifest.Card.read(manifest.card_path(outcome.path)).settings.get("face_size")
    if size is None:
        return []
    seen: dict[str, list[Record]] = {}
    for record in manifest.read(outcome.path):
        if record.steps and record.steps[-1].did.startswith("whiten@"):
            seen.setdefault(record.label, []).append(record)
    lines = [f"Every picture is now an inner face of {size} x {size} px."]
    lost = {label: _without_face(records) for label, records in seen.items()}
    if any(count.hits for count in lost.values()):
        losses = ", ".join(f"{label} {lost[label].hits} of {lost[label].total}" for label in sorted(lost))
        lines.append(f"Rejected because no face was found: {losses}.{_selective(lost)}")
    return lines


def _without_face(records: Sequence[Record]) -> Counted:
    return Counted(np.array([record.reason in (NO_FACE, DOUBTFUL) for record in records]), groups_of(records))


def _selective(lost: Mapping[str, Counted]) -> str:
    if len(lost) != 2:
        return ""
    (less, more) = sorted(lost, key=lambda label: lost[label].share)
    p = lost[more].against(lost[less])
    if p >= SELECTIVE:
        return " Chance alone could explain the difference."
    return (
        f" This removes more of {more} than of {less} (Fisher's p = {p:.2g}) and leaves the frontal, evenly lit faces"
        f" of {more}. --region white loses no picture for this reason."
    )


def _rounded(edge: float) -> float:
    return round(float(np.float32(edge)), 4)


def _recorded(chosen: WhitenSettings, cutter: Cutter) -> Mapping[str, Any]:
    recorded = {"region": "white", "matting": chosen.matting}
    if (model := cutter.model) is None:
        return recorded
    return {**recorded, "model": model.name, "model_licence": model.licence, "model_sha256": model.sha256}
