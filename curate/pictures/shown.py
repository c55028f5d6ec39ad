"""Pictures to look at: small, upright and 8-bit, or the reason why there is none. Nothing here raises."""

import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from curate.pictures import pixels
from imageledger.errors import LedgerError
from imageledger.store import Store

SIDE = 384
"""Longer side, in pixels, of the pictures kept for the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture to show (upright, 8-bit RGB, at most SIDE px), or the reason why there is none."""

    image: Image.Image | None = None
    missing: str = ""


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
