"""Bring every picture to one format, one size and no history in its name: the normalize stage."""

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import ImageOps
from PIL.Image import Image, Resampling

from curate.faces.detector import CASCADE, Detector, detector
from curate.faces.detector import PACKAGES as FACE_PACKAGES
from curate.faces.face import Face, counted
from curate.faces.words import NO_FACE, after_normalize
from curate.history import Normalized, fetched, noted
from curate.normalize import recipes
from curate.normalize.decided import as_said, kept_faceless, overtaken
from curate.normalize.recipes import RECIPES
from curate.normalize.settings import SUFFIX, NormalizeSettings, recorded, settings_of
from curate.normalize.size import TOO_SMALL, advice, ask_about, sized
from curate.pictures import pixels, readers
from curate.pictures.hashers import mirrored, phash, reduced
from curate.pictures.pixels import CannotDecode, Picture
from curate.pictures.regions import confirmed
from imageledger import decisions, manifest
from imageledger.config import Project
from imageledger.record import REJECTED, Record
from imageledger.stage import Outcome, Stage, run_rows
from imageledger.store import Store
from imageledger.types import Track, untracked

logger = logging.getLogger(__name__)

VERSION = 3
PACKAGES = ("pillow", "numpy", "imagehash")

FLAT = 8
"""A picture whose grey and colours all span fewer levels than this, but for 2 % of its pixels, shows nothing."""


def normalize(
    project: Project,
    settings: NormalizeSettings | None = None,
    *,
    source: Path | None = None,
    workers: int | None = None,
    track: Track = untracked,
) -> Outcome:
    """Run the stage over the `ok` rows of the manifest before it; the size on the card is always a number.

    Without settings those of imageledger.toml hold. How the size came about goes to the logger.
    """
    fitted, lines = sized(project, settings or settings_of(project), source)
    for line in lines:
        logger.info(line)
    finder = finder_of(project, fitted)
    formats = {fetched(record).format or "" for record in manifest.read(source or project.before("normalize"))}
    packages = (*PACKAGES, *FACE_PACKAGES[finder.name], *readers.packages(formats))
    stage = Stage(name="normalize", version=VERSION, settings=recorded(fitted, finder), packages=packages)
    decided = decisions.read(project.folder / decisions.FILE, project.declared.labels)
    kept = kept_faceless(decided, manifest.read(source or project.before("normalize")))
    done = manifest.read(project.manifest("normalize")) if project.manifest("normalize").is_file() else ()
    again = overtaken(done, kept, rejects_faceless=fitted.rejects_faceless)
    plain = partial(normalize_record, stage=stage, finder=finder, store=project.store)
    work, lenient = partial(plain, settings=fitted), partial(plain, settings=replace(fitted, require_face=False))
    outcome = run_rows(
        stage,
        partial(as_said, kept=kept, work=work, lenient=lenient),
        source=source or project.before("normalize"),
        output=project.manifest("normalize"),
        dataset=project.dataset,
        store=project.store,
        extra_input=decisions.digest(decided, "normalize"),
        reusable=lambda record: record.key not in again,
        workers=workers,
        track=track,
    )
    if hint := advice(project, outcome, fitted, source):
        logger.info(hint)
    for line in after_normalize(manifest.read(outcome.path)):
        logger.info(line)
    logger.info(ask_about(fitted.recipe, int(fitted.size)))
    return outcome


def finder_of(project: Project, chosen: NormalizeSettings) -> Detector:
    """Return the detector that settings name; a path to its model starts at the project folder."""
    path = project.root / Path(chosen.face_model).expanduser() if chosen.face_model else None
    return detector(chosen.detector, path, chosen.face_sha256)


def finder_for(record: Record | None) -> Detector:
    """Return the detector that looked for a face in a record: the cascade, where none is stated.

    Raises ModelError when its model cannot be had.
    """
    stated = record.stated("normalize") if record else {}
    return detector(str(stated.get("detector", CASCADE)), sha256=str(stated.get("face_sha256", "")))


def normalize_record(
    record: Record, *, stage: Stage, settings: NormalizeSettings, finder: Detector, store: Store
) -> Record:
    """Decode one picture once, measure what later stages need of the original, and store the normalised picture.

    `settings.size` is a number here.
    """
    try:
        picture = pixels.decode(store.read(record.file))
    except CannotDecode as why:
        return record.failed(str(why), step=stage.step(record))
    small = reduced(picture.image)
    note, face = with_faces(note_of(picture, small), picture, finder)
    size, recipe = int(settings.size), RECIPES[settings.recipe]
    seen = {"phash": phash(small), "width": picture.image.width, "height": picture.image.height}
    if reason := fault(picture, face, settings):
        return record.after(stage.step(record, **noted(note)), **seen).failed(reason, REJECTED)
    crop = recipes.square(recipe, picture.image.size, face.box if face else None, size, str(note.pixels))
    content = pixels.encode(pixels.downscale(picture.image, crop, size), settings.format, settings.quality)
    inside = face.within(crop, size) if face else None
    note = replace(note, crop=crop, face=inside.box if inside else None, points=inside.points if inside else None)
    name = store.put(content, SUFFIX[settings.format])
    return record.after(stage.step(record, **noted(note)), file=name, **{**seen, "width": size, "height": size})


def fault(picture: Picture, face: Face | None, settings: NormalizeSettings) -> str:
    """Say why a picture cannot be used, or return ""."""
    size, recipe = int(settings.size), RECIPES[settings.recipe]
    if (side := min(picture.image.size)) < (least := recipe.needs(size)):
        return f"{TOO_SMALL}: {side} px, {recipe.name} to {size} px needs {least}"
    if is_flat(picture.image):
        return "flat: the picture has one colour and shows nothing"
    return NO_FACE if settings.rejects_faceless and face is None else ""


def is_flat(image: Image) -> bool:
    """Tell whether an RGB picture is of one colour, but for noise and 2 % of its pixels."""
    small = np.asarray(image.resize((min(64, image.width), min(64, image.height)), Resampling.BOX).convert("YCbCr"))
    low, high = np.quantile(small.reshape(-1, 3), (0.01, 0.99), axis=0)
    return bool((high - low < FLAT).all())


def with_faces(note: Normalized, picture: Picture, finder: Detector) -> tuple[Normalized, Face | None]:
    """Look for faces; return the note of a picture with them, and the largest that is believed."""
    faces = finder.find(picture.image)
    face = believed(next(iter(faces), None), picture, finder)
    count = counted(faces) if face else 0
    said = [NO_FACE] if not count else [f"{count} faces found"] * (count > 1)
    note = replace(note, notes=(*picture.notes, *said), faces=count)
    return replace(note, found_face=face.box, found_points=face.points) if face else note, face


def believed(face: Face | None, picture: Picture, finder: Detector) -> Face | None:
    """Return the face unless it lies outside the middle square and is not found in the mirrored picture as well.

    A wall or a cloth is taken for a face now and then; that must not move the crop to where nobody is.
    """
    width, height = picture.image.size
    if face is None or pixels.mostly_within(face.box, pixels.middle_square((width, height))):
        return face
    again = finder.largest(ImageOps.mirror(picture.image))
    return face if confirmed(face.box, again.box if again else None, width) else None


def note_of(picture: Picture, small: Image) -> Normalized:
    """Return what normalize notes of every picture that it can decode; `small` is the picture as `reduced` makes it."""
    return Normalized(
        format=picture.format,
        mode=picture.mode,
        size=picture.image.size,
        tables=picture.tables,
        pixels=pixels.pixel_digest(picture.image),
        mirrored=mirrored(small),
        frames=picture.frames if picture.frames > 1 else None,
    )
