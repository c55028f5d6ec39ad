"""Take away what stands around a person: the whiten stage.

Either everyone is put on pure white, with a matte that was judged before it was believed, or only the inner face stays.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from curate.history import Whitened, normalized, noted
from curate.matting import compositing, matter
from curate.matting.models import Model, find_model
from curate.pictures import pixels, regions
from curate.pictures.faces import find_face
from curate.pictures.pixels import CannotDecode
from imageledger import manifest
from imageledger.config import Project
from imageledger.errors import ConfigError
from imageledger.intervals import fisher
from imageledger.record import OK, REJECTED, Record
from imageledger.stage import Outcome, Stage, Track, Work, run_rows, untracked
from imageledger.store import Store

VERSION = 3
PACKAGES = ("pillow", "numpy", "opencv-python-headless")
FACE_PACKAGES = ("pillow", "numpy", "scikit-image")
MATTINGS = ("rembg", "grabcut")
REGIONS = ("white", "face")

LEAST_FACE, MOST_FACE, STEP = 32, 256, 8
"""Sides, in pixels, between which and in steps of which the size of inner faces is chosen."""

REACH = 0.95
"""Share of the faces of each label that must reach the chosen size without being enlarged."""

SELECTIVE = 0.05
"""Below this p of Fisher's exact test the shares without a face differ between the labels."""

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
        if self.matting not in MATTINGS:
            raise ConfigError(f"whiten: {self.matting!r} is not a matting", f"one of {', '.join(MATTINGS)}")


def whiten(
    project: Project,
    chosen: WhitenSettings,
    *,
    source: Path | None = None,
    workers: int | None = None,
    track: Track = untracked,
) -> Outcome:
    """Run the stage over the `ok` rows of the manifest before it; find the model, or the size of the faces, first."""
    source = source or project.before("whiten")
    work: Work
    if chosen.region == "face":
        size = chosen.face_size if isinstance(chosen.face_size, int) else face_size(manifest.read(source))
        stage = Stage(
            name="whiten", version=VERSION, settings={"region": "face", "face_size": size}, packages=FACE_PACKAGES
        )
        work = partial(face_record, stage=stage, size=size, store=project.store)
    else:
        model = _model(project, chosen)
        packages = PACKAGES if model is None else (*PACKAGES, "rembg", "onnxruntime")
        stage = Stage(name="whiten", version=VERSION, settings=_recorded(chosen, model), packages=packages)
        work = partial(whiten_record, stage=stage, model=model, store=project.store)
    return run_rows(
        stage,
        work,
        source=source,
        output=project.manifest("whiten"),
        dataset=project.dataset,
        store=project.store,
        workers=workers,
        track=track,
    )


def whiten_record(record: Record, *, stage: Stage, model: Model | None, store: Store) -> Record:
    """Cut one person out, judge the matte, and store the white picture (PNG) and the matte (8-bit grey PNG)."""
    try:
        image = pixels.decode(store.read(record.file)).image
    except CannotDecode as error:
        store.refuse_damaged(record.file)
        return record.failed(str(error), step=stage.step(record))
    face = normalized(record).face
    matte = matter(model)(image, face)
    alpha = compositing.clean(matte.alpha)
    kept = store.put(pixels.encode(Image.fromarray(alpha), "png", 0), "png")
    note = Whitened(
        coverage=round(compositing.coverage(alpha), 4),
        pieces=compositing.pieces(alpha),
        softness=round(compositing.softness(alpha), 4),
        raw=(_rounded(matte.low), _rounded(matte.high)) if model is not None else None,
    )
    step = stage.step(record, **noted(note))
    if why := compositing.fault(alpha, face, matte.low, matte.high):
        return record.after(step, matte=kept).failed(why, REJECTED)
    white = compositing.white_composite(image, alpha, compositing.standard_edge(alpha))
    return record.after(step, file=store.put(pixels.encode(white, "png", 0), "png"), matte=kept)


def face_record(record: Record, *, stage: Stage, size: int, store: Store) -> Record:
    """Keep the inner face of one picture, shrunk to `size` pixels a side (PNG); never enlarges."""
    try:
        image = pixels.decode(store.read(record.file)).image
    except CannotDecode as error:
        store.refuse_damaged(record.file)
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
    reached = {label: sorted(found, reverse=True)[math.ceil(REACH * len(found)) - 1] for label, found in sides.items()}
    size = min(MOST_FACE, min(reached.values()) // STEP * STEP)
    if size < LEAST_FACE:
        said = ", ".join(f"{label} {side} px" for label, side in sorted(reached.items()))
        raise ConfigError(
            f"the faces are too small: {100 * REACH:.0f} % of each label reach {said}, {LEAST_FACE} are needed",
            f"normalize at a larger --size, or name a --face-size of {LEAST_FACE} or more and lose the smaller faces",
        )
    return size


def remarks(outcome: Outcome) -> list[str]:
    """Say, after a run on faces, how large they are and how many of each label were lost for want of one."""
    size = manifest.Card.read(manifest.card_path(outcome.path)).settings.get("face_size")
    if size is None:
        return []
    seen, lost = Counter[str](), Counter[str]()
    for record in manifest.read(outcome.path):
        if record.steps and record.steps[-1].did.startswith("whiten@"):
            seen[record.label] += 1
            lost[record.label] += record.reason in (NO_FACE, DOUBTFUL)
    lines = [f"Every picture is now an inner face of {size} x {size} px."]
    if lost.total():
        told = ", ".join(f"{label} {lost[label]} of {seen[label]}" for label in sorted(seen))
        lines.append(f"Rejected for want of a face: {told}.{_selective(seen, lost)}")
    return lines


def _selective(seen: Counter[str], lost: Counter[str]) -> str:
    if len(seen) != 2:
        return ""
    (one, other) = sorted(seen, key=lambda label: lost[label] / seen[label])
    p = fisher(lost[other], seen[other] - lost[other], lost[one], seen[one] - lost[one])
    if p >= SELECTIVE:
        return " That is no more than chance would make of equal shares."
    return (
        f" This selects {other} more than {one} (Fisher's p = {p:.2g}): what is left of {other} are the frontal,"
        " evenly lit faces. --region white loses none for this."
    )


def _rounded(edge: float) -> float:
    return round(float(np.float32(edge)), 4)


def _model(project: Project, chosen: WhitenSettings) -> Model | None:
    if chosen.matting == "grabcut":
        return None
    path = project.root / Path(chosen.model_path).expanduser() if chosen.model_path else None
    return find_model(chosen.model, path, chosen.model_sha256)


def _recorded(chosen: WhitenSettings, model: Model | None) -> Mapping[str, Any]:
    if model is None:
        return {"region": "white", "matting": chosen.matting}
    named = {"model": model.name, "model_licence": model.licence, "model_sha256": model.sha256}
    return {"region": "white", "matting": chosen.matting, **named}
