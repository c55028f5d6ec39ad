"""Take away what stands around a person: the whiten stage.

Either everyone is put on pure white, with a matte that was judged before it was believed, or only the inner face stays.
"""

import hashlib
import logging
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from curate.faces.detector import PACKAGES as OF_DETECTOR
from curate.faces.detector import Detector
from curate.faces.face import Face
from curate.faces.words import DOUBTFUL, NO_FACE, by_matte, faces_said, for_want_of_a_face, lost_said
from curate.history import Whitened, face_of, looked_for_face, noted
from curate.look.work import worst_mattes
from curate.matting import BACKENDS, backend, compositing
from curate.matting.judge import judged
from curate.matting.matte import Asked, Cutter
from curate.normalize.work import finder_for
from curate.pictures import pixels, regions
from curate.pictures.pixels import CannotDecode
from curate.whiten.decided import as_said, others, overtaken, signature, unheard, words_of
from curate.whiten.siblings import Families, brought_in
from imageledger import config, decisions, manifest
from imageledger.config import Project
from imageledger.errors import ConfigError
from imageledger.record import OK, REJECTED, Record
from imageledger.stage import Outcome, Stage, Work, run_rows
from imageledger.store import Store
from imageledger.types import Key, Track, untracked

logger = logging.getLogger(__name__)

VERSION = 4
PACKAGES = ("pillow", "numpy", "opencv-python-headless")
FACE_PACKAGES = ("pillow", "numpy")
REGIONS = ("white", "face")

LEAST_FACE, MOST_FACE, STEP = 32, 256, 8
"""Sides, in pixels, between which and in steps of which the size of inner faces is chosen."""

REACH = 0.95
"""Share of the faces of each label that must reach the chosen size without being enlarged."""


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
    source, output = source or project.before("whiten"), project.manifest("whiten")
    decided = decisions.read(project.folder / decisions.FILE, project.declared.labels)
    again: frozenset[Key] = frozenset()
    work: Work
    if chosen.region == "face":
        size = chosen.face_size if isinstance(chosen.face_size, int) else face_size(manifest.read(source))
        finder = finder_for(next((record for record in manifest.read(source) if looked_for_face(record)), None))
        packages = (*FACE_PACKAGES, *OF_DETECTOR[finder.name])
        stage = Stage(name="whiten", version=VERSION, settings={"region": "face", "face_size": size}, packages=packages)
        work = partial(face_record, stage=stage, size=size, finder=finder, store=project.store)
    else:
        cuts = backend(chosen.matting)
        path = project.root / Path(chosen.model_path).expanduser() if chosen.model_path else None
        asked = Asked(model=chosen.model, path=path, sha256=chosen.model_sha256)
        cutter = cuts.prepare(asked)
        stage = Stage(
            name="whiten", version=VERSION, settings=_recorded(chosen, cutter), packages=(*PACKAGES, *cuts.packages)
        )
        words = words_of(decided, manifest.read(source))
        refused = any(word.refused for word in words.values())
        cutters = [(signature(chosen.matting), cutter), *(others(chosen.matting, asked) if refused else ())]
        cut = partial(whiten_record, stage=stage, store=project.store)
        work = partial(as_said, words=words, cut=cut, cutters=cutters)
        done = manifest.read(output) if output.is_file() else ()
        again = frozenset(overtaken(done, words, cutters))
    outcome = with_siblings(project, stage, work, source, workers, track, again, decisions.digest(decided, "whiten"))
    records = list(manifest.read(outcome.path))
    for line in (*remarks(records, stage.settings.get("face_size")), *unheard(decided, records)):
        logger.info(line)
    if outcome.worked and (sheet := worst_mattes(project)):
        logger.info("The worst mattes, to look at: %s", sheet.relative_to(project.root))
    return outcome


def with_siblings(
    project: Project, stage: Stage, work: Work, source: Path, workers: int | None, track: Track,
    again: Collection[Key] = (), said: str = "",
) -> Outcome:  # fmt: skip
    """Run the stage; where the kept picture of a burst is set aside, run it again on the next best of its copies.

    The rows of `again` are whitened anew: people `said` (a digest) other things of them than when they were made.
    """
    families, output = Families(lambda: manifest.read(source)), project.manifest("whiten")

    def results() -> Mapping[Key, Record]:
        done = manifest.read(output) if output.is_file() else ()
        signed = (row for row in done if row.key in families.keys and row.steps and row.steps[-1].did == stage.did)
        return {row.key: row for row in signed if row.steps[-1].settings == stage.settings}

    promoted, left = families.promoted(results()), frozenset(again)
    while True:
        outcome = run_rows(
            stage,
            work,
            source=source,
            output=output,
            dataset=project.dataset,
            store=project.store,
            seen_as=partial(brought_in, promoted=promoted),
            extra_input=said + _digest_of(promoted),
            reusable=lambda record, left=left: record.key not in left,  # type: ignore[misc]
            workers=workers,
            track=track,
        )
        left = frozenset()
        if (wanted := families.promoted(results())) == promoted:
            break
        promoted = wanted
    if promoted:
        logger.info("%d copies were tried in place of kept pictures that whiten set aside.", len(promoted))
    return outcome


def settings_of(project: Project, **options: Any) -> WhitenSettings:
    """Return the settings of imageledger.toml, overruled by options that are not None."""
    return config.settings(WhitenSettings, project.tables.get("whiten", {}), options)


def whiten_record(record: Record, cutter: Cutter, taken: str = "", *, stage: Stage, store: Store) -> Record:
    """Cut one person out, judge the matte, and store the white picture (PNG) and the matte (8-bit grey PNG).

    A matte of the name `taken` is used whatever its fault: a person has looked at it.
    """
    try:
        image = pixels.decode(store.read(record.file)).image
    except CannotDecode as error:
        return record.failed(str(error), step=stage.step(record))
    face = face_of(record)
    matte = cutter.cut(image, face.box if face else None)
    alpha = compositing.clean(matte.alpha)
    kept = store.put(pixels.encode(Image.fromarray(alpha), "png", 0), "png")
    found = judged(image, matte, alpha, face)
    note = Whitened(
        coverage=round(compositing.coverage(alpha), 4),
        pieces=compositing.pieces(alpha),
        softness=round(compositing.softness(alpha), 4),
        raw=(_rounded(matte.raw[0]), _rounded(matte.raw[1])) if matte.raw else None,
        kept=None if found.kept is None else round(found.kept, 3),
        contrast=None if found.contrast is None else round(found.contrast, 2),
        accepted=found.fault if found.fault and kept == taken else None,
    )
    step = stage.step(record, **noted(note))
    if found.fault and not note.accepted:
        return record.after(step, matte=kept).failed(found.fault, REJECTED)
    white = compositing.white_composite(image, alpha, compositing.standard_edge(alpha))
    return record.after(step, file=store.put(pixels.encode(white, "png", 0), "png"), matte=kept)


def face_record(record: Record, *, stage: Stage, size: int, finder: Detector, store: Store) -> Record:
    """Keep the inner face of one picture, shrunk to `size` pixels a side (PNG); never enlarges."""
    try:
        image = pixels.decode(store.read(record.file)).image
    except CannotDecode as error:
        return record.failed(str(error), step=stage.step(record))
    face = face_of(record)
    if face is None:
        return record.failed(NO_FACE, REJECTED, step=stage.step(record))
    crop = regions.inner_square(face.box, image.size)
    lost = stage.step(record, **noted(Whitened(crop=crop)))
    if (side := crop[2] - crop[0]) < size:
        return record.failed(f"face of {side} px, needs {size}", REJECTED, step=lost)
    again = finder.largest(ImageOps.mirror(image))
    if not regions.confirmed(face.box, again.box if again else None, image.width):
        return record.failed(DOUBTFUL, REJECTED, step=lost)
    inside = face.within(crop, size) or Face(box=pixels.within(face.box, crop, size))
    name = store.put(pixels.encode(pixels.downscale(image, crop, size), "png", 0), "png")
    note = Whitened(crop=crop, face=inside.box, points=inside.points)
    return record.after(stage.step(record, **noted(note)), file=name, width=size, height=size)


def face_size(records: Iterable[Record]) -> int:
    """Choose the largest size, in steps of STEP up to MOST_FACE, that REACH of the faces of each label have.

    Raises ConfigError when no face was recorded, or they are too small for any size.
    """
    sides: dict[str, list[int]] = {}
    for record in records:
        if record.status == OK and (face := face_of(record)):
            crop = regions.inner_square(face.box, (record.width, record.height))
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


def remarks(records: Sequence[Record], size: int | None) -> list[str]:
    """Say, after a run, how large inner faces are, and how many pictures of each label were lost, and why."""
    seen: dict[str, list[Record]] = {}
    for record in records:
        if record.steps and record.steps[-1].did.startswith("whiten@"):
            seen.setdefault(record.label, []).append(record)
    if size is None:
        lines = lost_said(seen, "Mattes rejected", by_matte)
    else:
        lines = [f"Every picture is now an inner face of {size} x {size} px."]
        for line in lost_said(seen, "Rejected because no face was found", for_want_of_a_face):
            lines.append(f"{line} --region white loses no picture for this reason.")
    said = faces_said(records)
    return [*lines, said] if said else lines


def _digest_of(promoted: Collection[Key]) -> str:
    return f"+{hashlib.sha256(repr(sorted(promoted)).encode()).hexdigest()[:16]}" if promoted else ""


def _rounded(edge: float) -> float:
    return round(float(np.float32(edge)), 4)


def _recorded(chosen: WhitenSettings, cutter: Cutter) -> Mapping[str, Any]:
    recorded = {"region": "white", "matting": chosen.matting}
    if (model := cutter.model) is None:
        return recorded
    return {**recorded, "model": model.name, "model_licence": model.licence, "model_sha256": model.sha256}
