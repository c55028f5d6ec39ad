"""Which marks lie beside the pixels: EXIF, ICC, XMP, IPTC, text, C2PA. Their presence, never what they say.

Cameras write EXIF, editors ICC and XMP, diffusion programs their prompt as PNG text, and some services a C2PA manifest
(JPEG APP11 or PNG caBX in JUMBF boxes; C2PA technical specification 2.1, annex A). Any of them in one class only gives
it away (Gloe 2012, "Forensic analysis of ordered data structures on the example of JPEG files", for their order).
"""

import math
import warnings
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from PIL import ExifTags, Image

from curate.nuisance.header import exif_of, fingerprints, hashed, opened, png_chunks
from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import LOG, YES

MAKERS = (ExifTags.Base.Make, ExifTags.Base.Model)
DATES = (ExifTags.Base.DateTime, ExifTags.Base.DateTimeOriginal)
TIFF_XMP, TIFF_IPTC, TIFF_ICC = 700, 33723, 34675
PHOTOSHOP_IPTC = 0x0404

TEXT_CHUNKS = ("tEXt", "zTXt", "iTXt")
XMP_TEXT, EXIF_TEXT = "xml:com.adobe.xmp", "raw profile type exif"
PROMPTS = {"parameters", "prompt", "workflow", "dream", "sd-metadata", "invokeai_metadata", "generation_data"}
"""Keywords, in lower case, under which image generators keep their prompt."""

C2PA = b"jumdc2pa"
"""The start of a C2PA box's description, in whichever container it lies."""

SAYS_AI = (b"trainedAlgorithmicMedia", b"compositeWithTrainedAlgorithmicMedia")
"""The IPTC's words for a picture made by a model."""


def measure(seen: Seen) -> dict[str, float]:
    """Return 1 for every mark that is there and 0 for the others; NaN where the file has no readable header."""
    head = opened(seen.content)
    if head is None:
        return dict.fromkeys(_names(), float("nan"))
    return _measured(seen.content, head)


def _measured(content: bytes, head: Image.Image) -> dict[str, float]:
    chunks = png_chunks(content)
    words = {text.partition(b"\0")[0].decode("latin-1").lower() for name, text in chunks if name in TEXT_CHUNKS}
    segments = [str(name) for name, _ in getattr(head, "applist", [])] or [name for name, _ in chunks]
    info = head.info
    marks = _camera(head, words) | {
        "EXIF": bool(info.get("exif")) or EXIF_TEXT in words or "eXIf" in segments or _tiff(head, ExifTags.IFD.Exif),
        "XMP": "xmp" in info or XMP_TEXT in words or "raw profile type xmp" in words or _tiff(head, TIFF_XMP),
        "IPTC": PHOTOSHOP_IPTC in _photoshop(info) or "raw profile type iptc" in words or _tiff(head, TIFF_IPTC),
        "Photoshop block": bool(_photoshop(info)),
        "Adobe segment": "adobe" in info,
        "text": bool(words - {XMP_TEXT}),
        "prompt": bool(words & PROMPTS),
        "comment": bool(info.get("comment")),
        "C2PA": C2PA in content,
        "C2PA segment": "APP11" in segments or "caBX" in segments,
        "declared as made by AI": any(word in content for word in SAYS_AI),
        "JFIF": "jfif" in info,
    }
    values = {name: float(there) for name, there in marks.items()}
    return values | _profile(head) | _density(info) | _order(segments)


def _camera(head: Image.Image, words: Collection[str]) -> dict[str, bool]:
    exif = exif_of(head)
    inner = _block(exif, ExifTags.IFD.Exif)
    return {
        "camera": any(tag in exif for tag in MAKERS),
        "date": any(tag in exif or tag in inner for tag in DATES),
        "place": ExifTags.Base.GPSInfo in exif,
        "exposure": ExifTags.Base.ExposureTime in inner or ExifTags.Base.FNumber in inner,
        "orientation": exif.get(ExifTags.Base.Orientation, 1) != 1,
        "software": ExifTags.Base.Software in exif or "software" in words,
        "thumbnail": bool(_block(exif, ExifTags.IFD.IFD1)),
    }


def _block(exif: Image.Exif, name: ExifTags.IFD) -> Mapping[Any, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return exif.get_ifd(name)
    except Exception:  # a broken block counts as none
        return {}


def _tiff(head: Image.Image, tag: int) -> bool:
    return tag in (getattr(head, "tag_v2", None) or ())


def _photoshop(info: Mapping[Any, Any]) -> Mapping[Any, Any]:
    block = info.get("photoshop")
    return block if isinstance(block, dict) else {}


def _profile(head: Image.Image) -> dict[str, float]:
    profile = head.info.get("icc_profile")
    known = profile if isinstance(profile, bytes) else b""
    return {"ICC": float(bool(known) or _tiff(head, TIFF_ICC)), **hashed("ICC profile", known, 2)}


def _density(info: Mapping[Any, Any]) -> dict[str, float]:
    """Return the declared pixels per inch or per unit as a logarithm, and the unit; 0 without."""
    density = info.get("jfif_density") or info.get("dpi") or (0, 0)
    try:
        across = math.log1p(max(0.0, float(density[0])))
    except (TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError):
        across = 0.0
    unit = info.get("jfif_unit", 0)
    return {
        "density": across if math.isfinite(across) else 0.0,
        "density unit": float(unit) if isinstance(unit, int) else 0.0,
        "density declared": float("jfif_density" in info or "dpi" in info),
    }


def _order(segments: list[str]) -> dict[str, float]:
    """Return the number of segments or chunks beside the pixels, and two numbers that stand for their order."""
    return {"segments": float(len(segments)), **hashed("order of segments", " ".join(segments).encode(), 2)}


@cache
def _names() -> tuple[str, ...]:
    return tuple(_measured(b"", Image.new("RGB", (1, 1))))


MARKS = {
    "camera": "a camera's name", "date": "a date", "place": "a place", "exposure": "an exposure time or aperture",
    "orientation": "a turned orientation", "software": "the name of a program", "thumbnail": "an embedded thumbnail",
    "EXIF": "EXIF data", "XMP": "XMP data", "IPTC": "IPTC data", "Photoshop block": "a block of Photoshop's",
    "Adobe segment": "a segment of Adobe's", "text": "text chunks", "prompt": "a generator's prompt",
    "comment": "a comment", "C2PA": "a C2PA manifest", "C2PA segment": "a segment in which C2PA manifests lie",
    "declared as made by AI": "the declaration that AI made it", "JFIF": "a JFIF header", "ICC": "a colour profile",
    "density declared": "a declared resolution",
}  # fmt: skip
WORDS = {
    **{name: f"whether the file carries {what} {YES}" for name, what in MARKS.items()},
    **fingerprints("ICC profile", "which colour profile it has", 2),
    "density": f"declared pixels per inch or cm {LOG}",
    "density unit": "unit of the declared resolution (1 inch, 2 cm)",
    "segments": "number of parts of the file beside the pixels",
    **fingerprints("order of segments", "in which order the parts of the file lie", 2),
}

FAMILY = Family(
    name="metadata",
    version=1,
    speaks_for_file=True,
    measure=measure,
    words=WORDS,
    removed_by=("normalize",),
    advice="`curate normalize` leaves all metadata out; what was there stays known as provenance of the original.",
    of="file",
)
