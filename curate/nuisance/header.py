"""What the head of a file says about a picture, without decoding its pixels; shared by the families of the file."""

import hashlib
import io
import warnings
from itertools import islice

from PIL import Image

MOST_CHUNKS = 10_000
"""A PNG of more chunks than this is not walked to its end."""


def opened(content: bytes) -> Image.Image | None:
    """Open a picture without decoding it; None where Pillow cannot, for whatever reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(content))
    except Exception:  # broken headers raise anything, TypeError, struct.error and SyntaxError among them
        return None


def exif_of(image: Image.Image) -> Image.Exif:
    """Return the EXIF block of an opened picture; an empty one where there is none or it is broken.

    Called on the base class, because the method of PNG pictures decodes the pixels first.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.Image.getexif(image)
    except Exception:  # see opened
        return Image.Exif()


def png_chunks(content: bytes) -> list[tuple[str, bytes]]:
    """Return name and content of the chunks of a PNG, in order, those of pixels left out; [] for other formats."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return []
    chunks = []
    place = 8
    for _ in range(MOST_CHUNKS):
        if place + 8 > len(content):
            break
        length = int.from_bytes(content[place : place + 4], "big")
        name = content[place + 4 : place + 8]
        if name not in (b"IDAT", b"fdAT"):
            chunks.append((name.decode("latin-1"), content[place + 8 : place + 8 + length]))
        place += 12 + length
    return chunks


def hashed(what: str, content: bytes, count: int = 3) -> dict[str, float]:
    """Return `count` numbers (0..1) that stay the same for equal bytes and differ for any others; 0 for no bytes.

    Random projections of a category: a probe can tell values apart with them without knowing what they are.
    """
    digest = hashlib.sha256(content).digest() if content else bytes(32)
    numbers = (int.from_bytes(digest[place : place + 4], "big") / 2**32 for place in range(0, 32, 4))
    return {f"{what} {number}": value for number, value in enumerate(islice(numbers, count), 1)}


def fingerprints(what: str, words: str, count: int = 3) -> dict[str, str]:
    """Return the words for the numbers that `hashed` makes of a category."""
    return {f"{what} {number}": f"{words} (fingerprint {number} of {count})" for number in range(1, count + 1)}
