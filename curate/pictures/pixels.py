"""From any bytes to upright sRGB, and from there to one size: pure functions on values, no files."""

import hashlib
import io
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

from curate.pictures import readers
from curate.pictures.formats import sniff

MAX_PIXELS = 120_000_000
"""More pixels than any camera portrait has: refused before they are decoded (a decompression bomb)."""

SIDEWAYS = range(2, 9)
"""EXIF orientations other than upright."""

BITS_PER_SAMPLE = 0x0102
"""The tag of a TIFF that tells twelve bits from sixteen; both are read into sixteen."""

FULL_RANGES = (1.0, 255.0, 65535.0)
"""Where the white of integer and float pictures can lie: unit floats, 8 and 16 bits. A dark scan of 16 bits stays dark,
whatever its largest value: brightening it would make up light that was not there."""

Box = tuple[int, int, int, int]


class CannotDecode(Exception):
    """The bytes are not a whole picture; the message is the reason for the row."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright sRGB picture, and what was seen on the way to it.

    `tables` is the sum of the luma quantisation table of a JPEG, 0 where there is none.
    """

    image: Image.Image
    format: str
    mode: str
    frames: int = 1
    tables: int = 0
    notes: tuple[str, ...] = field(default=())


def decode(content: bytes) -> Picture:
    """Open **and** decode a picture: first frame, upright, sRGB, 8 bits a channel, alpha over white.

    Raises CannotDecode with a reason that is the same on every machine.
    """
    if not content:
        raise CannotDecode("empty file")
    try:
        with warnings.catch_warnings(), libtiff_hushed(content):
            warnings.simplefilter("ignore")
            return _decode(content)
    except CannotDecode:
        raise
    except Image.DecompressionBombError as error:
        raise CannotDecode(f"more than {MAX_PIXELS // 1_000_000} million pixels") from error
    # Decoders of broken files raise anything, TypeError and struct.error among them; all mean the same.
    except Exception as error:
        raise CannotDecode(_reason(error)) from error


def pixel_digest(image: Image.Image) -> str:
    """Return the sha256, in hex, of decoded pixels together with their mode and size."""
    seen = hashlib.sha256(f"{image.mode} {image.width}x{image.height} ".encode())
    seen.update(image.tobytes())
    return seen.hexdigest()


def shorter_side(path: Path) -> int:
    """Return the shorter side of a picture in pixels, read from its header alone; 0 when that cannot be read."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            readers.prepare(sniff(file.read(64)))
            with Image.open(path) as image:
                return min(image.size)
    except Exception:  # see `decode`
        return 0


def middle_square(size: tuple[int, int]) -> Box:
    """Return the largest square in the middle of a picture of (width, height) pixels."""
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return left, top, left + side, top + side


def mostly_within(box: Box, outer: Box) -> bool:
    """Say whether more than half of the area of a box lies within another one."""
    across = min(box[2], outer[2]) - max(box[0], outer[0])
    down = min(box[3], outer[3]) - max(box[1], outer[1])
    return 2 * max(0, across) * max(0, down) > (box[2] - box[0]) * (box[3] - box[1])


def downscale(image: Image.Image, crop: Box, size: int) -> Image.Image:
    """Cut out a square and shrink it to `size` x `size` pixels with an antialiasing filter; never enlarges."""
    if crop[2] - crop[0] < size:
        raise ValueError(f"a crop of {crop[2] - crop[0]} px would have to be enlarged to {size}")
    return image.resize((size, size), Image.Resampling.LANCZOS, box=crop)


def within(box: Box, crop: Box, size: int) -> Box:
    """Translate a box of the original into the picture that `downscale` makes."""
    scale = size / (crop[2] - crop[0])
    moved = (box[0] - crop[0], box[1] - crop[1], box[2] - crop[0], box[3] - crop[1])
    left, top, right, bottom = (min(max(0, round(scale * edge)), size) for edge in moved)
    return left, top, right, bottom


def encode(image: Image.Image, format: str, quality: int) -> bytes:
    """Encode a picture without metadata: JPEG always with one table and 4:2:0, or PNG."""
    bare = Image.frombytes(image.mode, image.size, image.tobytes())
    target = io.BytesIO()
    if format == "jpeg":
        bare.save(target, "JPEG", quality=quality, subsampling="4:2:0", optimize=True)
    else:
        bare.save(target, "PNG", compress_level=4)  # in half the time of 6, and 1 % larger
    return target.getvalue()


def to_rgb(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """Bring any mode to 8-bit sRGB and say what was worth noting: alpha lies over white, deep pictures are scaled."""
    notes: list[str] = []
    if image.mode.startswith(("I", "F")):
        return _scaled(image, image.info.get("transparency")), [f"{image.mode} pixels scaled by their range"]
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    elif image.mode in ("La", "RGBa"):
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if alpha is not None:
        notes.append("alpha laid over white")
    colour = image.convert(image.mode[:-1]) if alpha is not None else image
    colour = _to_srgb(colour, image.info.get("icc_profile"), notes)
    if alpha is not None:
        white = Image.new("RGB", colour.size, "white")
        white.paste(colour, mask=alpha)
        colour = white
    return colour, notes


def _decode(content: bytes) -> Picture:
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow refuses at twice this, pictures inside icons included
    if why := readers.prepare(sniff(content[:64])):
        raise CannotDecode(why)
    with Image.open(io.BytesIO(content)) as image:
        if 0 in image.size:
            raise CannotDecode("a picture without pixels")
        frames = getattr(image, "n_frames", 1) if image.format != "PSD" else 1  # its frames are layers, counted from 1
        if frames > 1:
            image.seek(0)
        sideways = _sideways(getattr(image, "tag_v2", {}))  # loading turns a TIFF upright and forgets the tag
        image.load()  # before `getexif`: that of a PNG decodes the pixels too, and a broken EXIF block is forgiven
        notes = ["turned upright by EXIF"] if sideways or _sideways(_exif(image)) else []
        known = (image.format or "").lower(), image.mode
        if getattr(image, "tag_v2", {}).get(BITS_PER_SAMPLE) == (12,):
            image.info["white"] = 4095.0
        tables = _luma_table_sum(image)
        turned, unreadable = _upright(image)
        rgb, more = to_rgb(turned)
    notes += unreadable + more
    if frames > 1:
        notes.append(f"first of {frames} frames")
    return Picture(image=rgb, format=known[0], mode=known[1], frames=frames, tables=tables, notes=tuple(notes))


@contextmanager
def libtiff_hushed(content: bytes) -> Iterator[None]:
    """Keep libtiff, which writes to the error stream itself, from breaking the progress bar."""
    if content[:2] not in (b"II", b"MM"):
        yield
        return
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _sideways(tags: Mapping[int, Any]) -> bool:
    try:
        return int(tags.get(0x0112, 1)) in SIDEWAYS
    except Exception:  # see _upright
        return False


def _exif(image: Image.Image) -> Mapping[int, Any]:
    try:
        return image.getexif()
    except Exception:  # see _upright
        return {}


def _upright(image: Image.Image) -> tuple[Image.Image, list[str]]:
    try:
        turned = ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block must not cost the picture
        return image.copy(), ["EXIF orientation unreadable"]
    return turned, []


def _to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    if image.mode == "LAB":
        source = ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    if profile and image.mode in ("RGB", "L", "CMYK"):
        try:
            source_profile = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source_profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            notes.append("ICC profile not usable")
    return image.convert("RGB")


def _scaled(image: Image.Image, transparent: float | None) -> Image.Image:
    values = np.asarray(image, dtype=np.float64)
    sound = values[np.isfinite(values)]
    low, top = min(0.0, float(sound.min(initial=0.0))), float(sound.max(initial=0.0))
    first = 0 if image.mode.startswith("F") else 2 if image.mode.startswith("I;16") else 1
    ranges = FULL_RANGES[first:]
    high = image.info.get("white") or next((white for white in ranges if white >= top), top)
    whole = np.nan_to_num(values, nan=0.0, posinf=top, neginf=low)
    grey = np.rint((whole - low) * (255.0 / max(high - low, 1e-12))).astype(np.uint8)
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return Image.fromarray(grey).convert("RGB")


def _luma_table_sum(image: Image.Image) -> int:
    tables = getattr(image, "quantization", None) or {}
    return int(sum(tables[min(tables)])) if tables else 0


def _reason(error: Exception) -> str:
    text = re.sub(r"<[^<>]* at 0x[0-9a-fA-F]+>", "the file", str(error)).strip().rstrip(".")
    if text.startswith("cannot identify image"):
        return "not a picture that can be identified"
    return f"cannot be decoded: {text or type(error).__name__}"[:160]
