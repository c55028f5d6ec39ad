"""From a planned shot to the bytes of its file, damage included."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from curate.sources.sample import plan as planned
from curate.sources.sample.person import Person, invent
from curate.sources.sample.pipelines import REAL
from curate.sources.sample.pipelines import shot as drawn
from curate.sources.sample.plan import Shot

CAMERAS = (("Lumen", "L-20"), ("Halcyon", "Field 3"), ("Orrery", "Pocket"))
MAKE, MODEL, ORIENTATION, SOFTWARE, TAKEN = 0x010F, 0x0110, 0x0112, 0x0131, 0x0132
STORED_AS = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
"""How the pixels lie in the file when EXIF says how to turn them back."""

SHRUNK = (0.92, 0.86, 0.8, 0.78)
PAGE = b"<!DOCTYPE html>\n<html><head><title>404</title></head><body><p>This picture has moved.</p></body></html>\n"
PNG_LEVEL = 0
"""Stored, not deflated: libraries deflate differently, and the noise would hardly shrink."""


def content(shot: Shot) -> bytes:
    """Return the bytes of a planned file; takes about 0.2 s, almost all of it drawing."""
    if shot.problem == planned.EMPTY:
        return b""
    if shot.problem == planned.WEB_PAGE:
        return PAGE
    person = invent(shot.chance)
    image = drawn(person, shot.how, shot.size)
    if shot.of:
        return _copied(shot, person, image)
    whole = encode(_in_mode(image, shot), shot, exif(person, shot))
    return whole[: len(whole) * 11 // 20] if shot.problem == planned.TORN else whole


def exif(person: Person, shot: Shot) -> bytes:
    """Return the EXIF block: a made-up camera for photographs, no camera for generated pictures."""
    tags = Image.Exif()
    if shot.how == REAL:
        make, model = CAMERAS[person.chance % len(CAMERAS)]
        day, hour = person.chance // 7 % 28 + 1, person.chance // 11 % 12 + 8
        tags[MAKE], tags[MODEL], tags[TAKEN] = make, model, f"2024:05:{day:02} {hour:02}:15:00"
    if shot.problem == planned.ROTATED:
        tags[ORIENTATION], tags[SOFTWARE] = orientation(shot), "drawn"
    return tags.tobytes() if len(tags) else b""


def orientation(shot: Shot) -> int:
    """Return the EXIF orientation of a shot that is stored turned."""
    return planned.ORIENTATIONS[shot.turn % len(planned.ORIENTATIONS)]


def encode(image: Image.Image, shot: Shot, block: bytes = b"") -> bytes:
    """Write a picture in the shot's format."""
    target = io.BytesIO()
    if shot.format in ("JPEG", "WEBP"):
        image.save(target, shot.format, quality=shot.quality, **({"exif": block} if block else {}))
    elif shot.format == "PNG":
        image.save(target, "PNG", compress_level=PNG_LEVEL)
    else:
        image.save(target, shot.format)
    return target.getvalue()


def _in_mode(image: Image.Image, shot: Shot) -> Image.Image:
    if shot.problem == planned.ROTATED:
        return image.transpose(STORED_AS[orientation(shot)])
    if shot.problem == planned.CMYK:
        return image.convert("CMYK")
    if shot.problem == planned.PALETTE:
        return image.quantize(256)
    if shot.problem == planned.ALPHA:
        image.putalpha(_rounded(image.size))
    elif shot.problem == planned.SIXTEEN_BIT:
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return image


def _rounded(size: tuple[int, int]) -> Image.Image:
    """Return an alpha channel with soft, round corners."""
    alpha, corner = Image.new("L", size), min(size) // 8
    ImageDraw.Draw(alpha).rounded_rectangle((4, 4, size[0] - 5, size[1] - 5), corner, fill=255)
    return alpha.filter(ImageFilter.GaussianBlur(2))


def _copied(shot: Shot, person: Person, image: Image.Image) -> bytes:
    """Write a copy of the file that the shot names as its original."""
    original = encode(image, shot, exif(person, shot))
    if shot.problem == planned.BYTE_COPY or (shot.problem == planned.CONFLICT and shot.label == REAL):
        return original
    with Image.open(io.BytesIO(original)) as seen:
        again = seen.convert("RGB")
    target = io.BytesIO()
    if shot.problem == planned.MIRRORED:
        again.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(target, "JPEG", quality=88)
    else:
        part = SHRUNK[shot.turn % len(SHRUNK)]
        small = (round(again.width * part), round(again.height * part))
        again.resize(small, Image.Resampling.LANCZOS).save(target, "JPEG", quality=66 + 4 * shot.turn)
    return target.getvalue()
