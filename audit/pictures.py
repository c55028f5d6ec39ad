"""Bring ranked predictions together with their records and pictures: the part of the audits that reads files."""

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from curate.pictures import pixels
from imageledger import manifest
from imageledger.config import Project
from imageledger.errors import LedgerError, ManifestError
from imageledger.record import Record
from imageledger.store import Store
from train.runs import Prediction, Run

SIDE = 384
"""Longer side, in pixels, of the pictures kept for the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A picture to look at (upright, 8-bit RGB, at most SIDE px), or the reason why there is none."""

    image: Image.Image | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ranked prediction with its record and pictures; `original` and `matte` are None where there can be none."""

    rank: int
    prediction: Prediction
    record: Record | None
    seen: Look
    original: Look | None = None
    matte: Look | None = None
    notes: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The id of its place on the page."""
        return f"p{self.rank}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The records of some predictions by key, and what a person should know about the manifest they come from."""

    records: dict[tuple[str, str], Record]
    warnings: tuple[str, ...] = ()


def records_of(project: Project, run: Run, predictions: Iterable[Prediction]) -> Found:
    """Find the records of predictions in the manifest the run was trained on, streaming it once.

    A manifest that changed since, or is gone, is a warning: pictures are joined by key. Runs on a folder have none.
    """
    keys = {prediction.key for prediction in predictions}
    if not run.manifest or not keys:
        return Found(records={})
    path = project.root / run.manifest
    try:
        changed = manifest.digest(path) != run.manifest_digest
        records = {record.key: record for record in manifest.read(path) if record.key in keys}
    except (OSError, ManifestError) as error:
        what = f"{run.manifest} is gone" if not path.is_file() else f"{run.manifest} cannot be read: {error}"
        return Found(records={}, warnings=(f"{what}: no originals and no chains can be shown",))
    if not changed:
        return Found(records=records)
    told = f"{run.manifest} has changed since this run was trained: pictures are joined by source and member"
    return Found(records=records, warnings=(told,))


def entry_of(project: Project, run: Run, rank: int, prediction: Prediction, record: Record | None) -> Entry:
    """Open the pictures of one prediction; whatever cannot be shown says so in its place, and nothing is raised."""
    if not prediction.file:
        seen = look_in_folder(project.root / run.folder, prediction.member) if run.folder else _NO_OBJECT
        return Entry(rank=rank, prediction=prediction, record=record, seen=seen)
    seen = look_at_object(project.store, prediction.file)
    if record is None:
        notes = ("This picture is no longer in the manifest, so its chain is unknown.",)
        return Entry(rank=rank, prediction=prediction, record=None, seen=seen, notes=notes)
    original = look_at_object(project.store, record.origin) if record.origin != prediction.file else None
    matte = look_at_object(project.store, record.matte) if record.matte else None
    return Entry(
        rank=rank, prediction=prediction, record=record, seen=seen, original=original, matte=matte,
        notes=tuple(_differences(prediction, record)),
    )  # fmt: skip


def unshown(entries: Iterable[Entry]) -> Counter[str]:
    """Count the pictures that could not be shown, by reason."""
    looks = (look for entry in entries for look in (entry.seen, entry.original, entry.matte) if look)
    return Counter(look.missing for look in looks if look.missing)


def look_at_object(store: Store, name: str) -> Look:
    """Open an object to look at; a missing, damaged or hostile one gives the reason instead."""
    try:
        if not store.has(name):
            return Look(missing="object missing")
        if not store.is_sound(name):
            return Look(missing="damaged: the bytes do not match the name")
        return look(store.read(name))
    except (LedgerError, OSError) as error:
        return Look(missing=str(error))


def look_in_folder(folder: Path, member: str) -> Look:
    """Open a picture of a folder to look at; a member that points out of the folder is refused."""
    if Path(member).is_absolute() or ".." in re.split(r"[\\/]", member):
        return Look(missing="refused: the member points out of its folder")
    try:
        return look((folder / member).read_bytes())
    except FileNotFoundError:
        return Look(missing="file missing")
    except (OSError, ValueError) as error:
        return Look(missing=f"cannot be read: {error}")


def look(content: bytes, side: int = SIDE) -> Look:
    """Decode a picture of any kind to look at, upright and no larger than `side`; JPEG is decoded at reduced size."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Look(image=_small(content, side))
    except UnidentifiedImageError:
        return Look(missing="cannot be shown: not a picture that can be identified")
    except Image.DecompressionBombError:
        return Look(missing="cannot be shown: too many pixels")
    # Decoders of broken files raise anything, TypeError and struct.error among them; all mean the same.
    except Exception:
        return Look(missing="cannot be shown: broken picture")


def _small(content: bytes, side: int) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (side, side))
        if image.width * image.height > pixels.MAX_PIXELS:
            raise Image.DecompressionBombError
        image.load()
        shown, _ = pixels.to_rgb(_upright(image))
    shown.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return shown


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block must not cost the picture
        return image


def _differences(prediction: Prediction, record: Record) -> Iterable[str]:
    if record.file != prediction.file:
        yield "The manifest now holds another picture here; shown is the one the model saw."
    if record.label != prediction.label:
        yield f"The manifest now labels it {record.label}; the model was told {prediction.label}."


_NO_OBJECT = Look(missing="the run names no picture")
