"""Bring every picture to one format, one size and no history in its name: the normalize stage."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PIL.Image import Image

from curate.history import Normalized, noted
from curate.normalize import recipes
from curate.normalize.recipes import RECIPES
from curate.pictures import pixels
from curate.pictures.faces import find_face
from curate.pictures.hashers import mirrored, phash, reduced
from curate.pictures.pixels import Box, CannotDecode, Picture
from curate.pictures.regions import confirmed
from imageledger import config, manifest
from imageledger.config import Project
from imageledger.errors import ConfigError, ManifestError
from imageledger.manifest import Card
from imageledger.record import OK, REJECTED, Record
from imageledger.stage import Outcome, Stage, run_rows
from imageledger.store import Store
from imageledger.types import Track, untracked

logger = logging.getLogger(__name__)

VERSION = 2
PACKAGES = ("pillow", "numpy", "scikit-image", "imagehash")

SUFFIX = {"jpeg": "jpg", "png": "png"}
AUTO = "auto"
LEAST_SIDE, MOST_SIDE = 16, 8192
LEAST_AUTO = 64
"""A smaller size is never chosen without being asked for: a few icons among the pictures would decide it."""

TOO_SMALL = "too small"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizeSettings:
    """Settings of normalize; `size` is the side in pixels or "auto", `quality` that of the one JPEG encoding."""

    recipe: str = "forensic"
    size: int | str = AUTO
    format: str = "jpeg"
    quality: int = 90
    require_face: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be encoded."""
        if self.recipe not in RECIPES:
            raise ConfigError(f"normalize: there is no recipe {self.recipe!r}", f"one of {', '.join(RECIPES)}")
        if self.format not in SUFFIX:
            raise ConfigError(f"normalize: {self.format!r} is not a format", f"one of {', '.join(SUFFIX)}")
        fits = LEAST_SIDE <= self.size <= MOST_SIDE if isinstance(self.size, int) else self.size == AUTO
        if not (fits and 1 <= self.quality <= 100):
            raise ConfigError(
                f"normalize: size {self.size}, quality {self.quality}",
                f"size is auto, or between {LEAST_SIDE} and {MOST_SIDE} pixels; quality between 1 and 100",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """The size that fits a dataset: `sides` are the shorter sides that 95 % of the pictures of each label reach.

    `size` is 0 when even LEAST_AUTO is too large; `before` is the size of the last run, 0 when there was none.
    """

    size: int
    sides: Mapping[str, int]
    needs: int
    recipe: str
    before: int = 0

    @property
    def why(self) -> str:
        """Say in one sentence why it is this size."""
        share, each = f"{recipes.SHARE:.0%}".replace("%", " %"), ", ".join(
            f"{label} {side} px" for label, side in sorted(self.sides.items())
        )  # fmt: skip
        most = ", the largest that auto chooses" if self.size == recipes.MOST else ""
        return (
            f"--size auto chose {self.size} px{most}: {self.recipe} needs {self.needs} px on the shorter side for it, "
            f"and {share} of the pictures of each label have at least: {each or 'unknown'}"
        )

    @property
    def change(self) -> str:
        """Say what follows when the size is another one than before; empty when it is not."""
        if self.before in (0, self.size):
            return ""
        return (
            f"The size was {self.before} px before, so this stage and all later ones make every picture again. "
            f"--size {self.before} keeps the old size."
        )


def fitting(project: Project, chosen: NormalizeSettings, source: Path | None = None) -> Fitting:
    """Find the size for `--size auto` from the headers of the pictures alone; nothing is decoded.

    The largest multiple of 8 up to 512 at which 95 % of the pictures of each label are large enough for the recipe.
    Files whose header cannot be read do not count. Raises ConfigError when that would be less than LEAST_AUTO.
    """
    sides = shorter_sides(manifest.read(source or project.before("normalize")), project.store)
    recipe = RECIPES[chosen.recipe]
    size = recipes.largest_size(recipe, min(sides.values(), default=recipe.needs(recipes.MOST)))
    if size < LEAST_AUTO:
        each = ", ".join(f"{label} {side} px" for label, side in sorted(sides.items()))
        raise ConfigError(
            f"no size from {LEAST_AUTO} px keeps 95 % of each label: {recipe.name} needs {recipe.needs(LEAST_AUTO)} px "
            f"on the shorter side, and 95 % have at least: {each}",
            "--size N rejects what is too small for N; --recipe plain needs no more than N pixels; or leave the small "
            "pictures out of the source",
        )
    return Fitting(size=size, sides=sides, needs=recipe.needs(size), recipe=recipe.name, before=_size_before(project))


def sized(
    project: Project, chosen: NormalizeSettings, source: Path | None = None
) -> tuple[NormalizeSettings, list[str]]:
    """Return settings whose size is a number, and what a person should know about how it came about."""
    if chosen.size != AUTO:
        return chosen, []
    fit = fitting(project, chosen, source)
    lines = [f"{fit.why}."] + [fit.change] * bool(fit.change)
    return replace(chosen, size=fit.size), lines


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
    stage = Stage(name="normalize", version=VERSION, settings=asdict(fitted), packages=PACKAGES)
    outcome = run_rows(
        stage,
        partial(normalize_record, stage=stage, settings=fitted, store=project.store),
        source=source or project.before("normalize"),
        output=project.manifest("normalize"),
        dataset=project.dataset,
        store=project.store,
        workers=workers,
        track=track,
    )
    if hint := advice(project, outcome, fitted, source):
        logger.info(hint)
    least = RECIPES[fitted.recipe].needs(int(fitted.size))
    logger.info("A model of these pictures can be asked about pictures of at least %d px on the shorter side.", least)
    return outcome


def settings_of(project: Project, **options: Any) -> NormalizeSettings:
    """Return the settings of imageledger.toml, overruled by options that are not None."""
    return config.settings(NormalizeSettings, project.tables.get("normalize", {}), options)


def normalize_record(record: Record, *, stage: Stage, settings: NormalizeSettings, store: Store) -> Record:
    """Decode one picture once, measure what later stages need of the original, and store the normalised picture.

    `settings.size` is a number here.
    """
    try:
        picture = pixels.decode(store.read(record.file))
    except CannotDecode as why:
        return record.failed(str(why), step=stage.step(record))
    face = find_face(picture.image)
    small = reduced(picture.image)
    note = replace(note_of(picture, small), notes=(*picture.notes, *(() if face else ("no face found",))))
    size, recipe = int(settings.size), RECIPES[settings.recipe]
    seen = {"phash": phash(small), "width": picture.image.width, "height": picture.image.height}
    if (side := min(picture.image.size)) < (least := recipe.needs(size)):
        reason = f"{TOO_SMALL}: {side} px, {recipe.name} to {size} px needs {least}"
        return record.after(stage.step(record, **noted(note)), **seen).failed(reason, REJECTED)
    if settings.require_face and face is None:
        return record.after(stage.step(record, **noted(note)), **seen).failed("no face found", REJECTED)
    crop = recipes.square(recipe, picture.image.size, believed(face, picture), size, str(note.pixels))
    content = pixels.encode(pixels.downscale(picture.image, crop, size), settings.format, settings.quality)
    inside = pixels.within(face, crop, size) if face and pixels.mostly_within(face, crop) else None
    step = stage.step(record, **noted(replace(note, crop=crop, face=inside)))
    name = store.put(content, SUFFIX[settings.format])
    return record.after(step, file=name, **{**seen, "width": size, "height": size})


def believed(face: Box | None, picture: Picture) -> Box | None:
    """Return the face unless it lies outside the middle square and is not found in the mirrored picture as well.

    The cascade takes a wall or a cloth for a face now and then; that must not move the crop to where nobody is.
    """
    from PIL import ImageOps

    width, height = picture.image.size
    if face is None or pixels.mostly_within(face, pixels.middle_square((width, height))):
        return face
    return face if confirmed(face, find_face(ImageOps.mirror(picture.image)), width) else None


def advice(project: Project, outcome: Outcome, chosen: NormalizeSettings, source: Path | None = None) -> str:
    """Say which size would keep 95 % of both labels, when a size that was asked for rejected pictures as too small."""
    if not any(reason.startswith(TOO_SMALL) for reasons in outcome.tally.reasons.values() for reason in reasons):
        return ""
    try:
        fit = fitting(project, chosen, source)
    except ConfigError as error:
        return f"{error.what[0].upper()}{error.what[1:]}."
    return f"{fit.why}." if fit.size < int(chosen.size) else ""


def shorter_sides(records: Iterable[Record], store: Store) -> dict[str, int]:
    """Return, for each label, the shorter side in pixels that 95 % of its pictures reach; streams the records."""
    counted: dict[str, Counter[int]] = {}
    for record in records:
        if record.status == OK and (side := pixels.shorter_side(store.path(record.file))):
            counted.setdefault(record.label, Counter())[side] += 1
    return {label: recipes.side_of_most(sides) for label, sides in counted.items()}


def _size_before(project: Project) -> int:
    try:
        size = Card.read(manifest.card_path(project.manifest("normalize"))).settings.get("size", 0)
    except ManifestError:
        return 0
    return size if isinstance(size, int) else 0


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
