"""Put every person on pure white, with a matte that was judged before it was believed: the whiten stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from curate import compositing, pixels
from curate.matting import matter
from curate.models import Model, find_model
from curate.pixels import CannotDecode
from imageledger.config import Project
from imageledger.errors import ConfigError
from imageledger.record import REJECTED, Record
from imageledger.stage import Outcome, Stage, Track, run_rows, untracked
from imageledger.store import Store

VERSION = 1
PACKAGES = ("pillow", "numpy", "opencv-python-headless")
MATTINGS = ("rembg", "grabcut")


@dataclass(frozen=True, slots=True, kw_only=True)
class WhitenSettings:
    """Settings of whiten; `model_sha256` pins the model's file, `model_path` names one of the user's own."""

    matting: str = "rembg"
    model: str = "u2net_human_seg"
    model_path: str = ""
    model_sha256: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown way of cutting out."""
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
    """Run the stage over the `ok` rows of the manifest before it; find and check the model first."""
    model = _model(project, chosen)
    packages = PACKAGES if model is None else (*PACKAGES, "rembg", "onnxruntime")
    stage = Stage(name="whiten", version=VERSION, settings=_recorded(chosen, model), packages=packages)
    return run_rows(
        stage,
        partial(whiten_record, stage=stage, model=model, store=project.store),
        source=source or project.before("whiten"),
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
    face = record.found("normalize").get("face")
    matte = matter(model)(image, tuple(face) if face else None)
    alpha = compositing.clean(matte.alpha)
    kept = store.put(pixels.encode(Image.fromarray(alpha), "png", 0), "png")
    found: dict[str, Any] = {"coverage": round(compositing.coverage(alpha), 4), "pieces": compositing.pieces(alpha)}
    if model is not None:
        found["raw"] = [round(float(np.float32(edge)), 4) for edge in (matte.low, matte.high)]
    step = stage.step(record, **found)
    if why := compositing.fault(alpha, tuple(face) if face else None, matte.low, matte.high):
        return record.after(step, matte=kept).failed(why, REJECTED)
    white = pixels.encode(compositing.white_composite(image, alpha), "png", 0)
    return record.after(step, file=store.put(white, "png"), matte=kept)


def _model(project: Project, chosen: WhitenSettings) -> Model | None:
    if chosen.matting == "grabcut":
        return None
    path = project.root / Path(chosen.model_path).expanduser() if chosen.model_path else None
    return find_model(chosen.model, path, chosen.model_sha256)


def _recorded(chosen: WhitenSettings, model: Model | None) -> Mapping[str, Any]:
    if model is None:
        return {"matting": chosen.matting}
    named = {"model": model.name, "model_licence": model.licence, "model_sha256": model.sha256}
    return {"matting": chosen.matting, **named}
