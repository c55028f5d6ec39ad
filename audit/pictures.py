"""Bring predictions together with their records and pictures: the part of the audits that reads files."""

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from curate.pictures import pixels
from imageledger.config import Project
from imageledger.errors import LedgerError
from imageledger.record import Record
from imageledger.store import Store
from train.runs import Prediction, Run

SIDE = 384
"""Longer side, in pixels, of the pictures kept for the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture to show (upright, 8-bit RGB, at most SIDE px), or the reason why there is none."""

    image: Image.Image | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ranked prediction with its record and pictures; `original` and `matte` are None where there can be none."""

    rank: int
    prediction: Prediction
    record: Record | None
    seen: Shown
    original: Shown | None = None
    matte: Shown | None = None
    notes: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The id of its place on the page."""
        return f"p{self.rank}"


def entry_of(project: Project, run: Run, rank: int, prediction: Prediction, record: Record | None) -> Entry:
    """Open the pictures of one prediction; whatever cannot be shown says so in its place, and nothing is raised."""
    if not prediction.file:
        seen = show_in_folder(project.root / run.folder, prediction.member) if run.folder else _NO_OBJECT
        return Entry(rank=rank, prediction=prediction, record=record, seen=seen)
    seen = show_object(project.store, prediction.file)
    if record is None:
        notes = ("This picture is no longer in the manifest, so its chain is unknown.",)
        return Entry(rank=rank, prediction=prediction, record=None, seen=seen, notes=notes)
    original = show_object(project.store, record.origin) if record.origin != prediction.file else None
    matte = show_object(project.store, record.matte) if record.matte else None
    return Entry(
        rank=rank, prediction=prediction, record=record, seen=seen, original=original, matte=matte,
        notes=tuple(_differences(prediction, record)),
    )  # fmt: skip


def unshown(entries: Iterable[Entry]) -> Counter[str]:
    """Count the pictures that could not be shown, by reason."""
    parts = (part for entry in entries for part in (entry.seen, entry.original, entry.matte) if part)
    return Counter(part.missing for part in parts if part.missing)


def show_object(store: Store, name: str, side: int = SIDE) -> Shown:
    """Open an object to show, no larger than `side`; a missing, damaged or hostile one gives the reason instead."""
    if not name:
        return Shown(missing="its bytes were never stored")
    try:
        if not store.has(name):
            return Shown(missing="object missing")
        if not store.is_sound(name):
            return Shown(missing="damaged: the bytes do not match the name")
        return show(store.read(name), side)
    except (LedgerError, OSError) as error:
        return Shown(missing=str(error))


def show_in_folder(folder: Path, member: str) -> Shown:
    """Open a picture of a folder to show; a member that points out of the folder is refused."""
    if Path(member).is_absolute() or ".." in re.split(r"[\\/]", member):
        return Shown(missing="refused: the member points out of its folder")
    try:
        return show((folder / member).read_bytes())
    except FileNotFoundError:
        return Shown(missing="file missing")
    except (OSError, ValueError) as error:
        return Shown(missing=f"cannot be read: {error}")


def show(content: bytes, side: int = SIDE) -> Shown:
    """Decode a picture of any kind to show, upright and no larger than `side`; JPEG is decoded at reduced size."""
    try:
        with warnings.catch_warnings(), pixels.libtiff_hushed(content):
            warnings.simplefilter("ignore")
            return Shown(image=_small(content, side))
    except UnidentifiedImageError:
        return Shown(missing="cannot be shown: not a picture that can be identified")
    except Image.DecompressionBombError:
        return Shown(missing="cannot be shown: too many pixels")
    # Decoders of broken files raise anything, TypeError and struct.error among them; all mean the same.
    except Exception:
        return Shown(missing="cannot be shown: broken picture")


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
        yield "The manifest now holds another picture here; this is the picture that the model saw."
    if record.label != prediction.label:
        yield f"The manifest now labels it {record.label}; the model was told {prediction.label}."


_NO_OBJECT = Shown(missing="the run names no picture")
