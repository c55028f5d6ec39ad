"""How the picture is packed: format, bytes per pixel, quantisation tables, subsampling, progressive, depth.

Quantisation tables name the program that saved a JPEG (Farid 2006, "Digital image ballistics from JPEG quantization";
Kee, Johnson and Farid 2011, "Digital image authentication from JPEG headers"). Tables and their scaling by quality are
those of the Independent JPEG Group (ITU-T T.81, annex K). Only the header is read; no pixel is decoded.
"""

from functools import cache
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.nuisance.header import fingerprints, hashed, opened
from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import LOG, POWER, YES
from curate.pictures.formats import SUFFIXES, sniff

FORMATS = ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "heic")

OTHER_NAMES = {"jpeg": {"jpeg", "jpe", "jfif"}, "tiff": {"tiff"}, "heic": {"heif"}, "bmp": {"dib"}}
"""Extensions that are right for a format besides the usual one."""

ENTRIES = {"first": (0, 0), "across": (0, 1), "down": (1, 0), "middle": (3, 3), "last": (7, 7)}
"""Entries of a quantisation table that are looked at one by one, by (row, column)."""

BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}

LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
"""The luma table of annex K, row by row: quality 50."""

Table = NDArray[np.int64]


def measure(seen: Seen) -> dict[str, float]:
    """Return what the header says of the packing; NaN where the file has none that can be read.

    Tables and subsampling are 0 where the format has none.
    """
    head = opened(seen.content)
    if head is None or 0 in head.size:
        return dict.fromkeys(_names(), float("nan"))
    return _measured(seen, head)


def _measured(seen: Seen, head: Image.Image) -> dict[str, float]:
    form = sniff(seen.content[:64]) or (head.format or "").lower()
    values = {form_name: float(form == form_name) for form_name in FORMATS}
    values["other format"] = float(form not in FORMATS)
    values |= _extension(seen.name, form)
    values["bits per pixel"] = float(np.log2(8 * len(seen.content) / (head.width * head.height)))
    tables = _tables(head)
    values |= _table("luma table", tables[0]) | _table("chroma table", tables[1])
    values |= hashed("tables", b"".join(table.astype(">u2").tobytes() for table in tables if table.any()))
    values |= _quality(tables[0])
    values |= _sampling(head)
    values["progressive"] = float(bool(head.info.get("progressive") or head.info.get("interlace")))
    values["bits per channel"] = float(_bits(head, seen.content))
    values["channels"] = float(len(head.getbands()))
    values["palette"] = float(head.mode in ("P", "PA"))
    values["transparent"] = float("A" in head.getbands() or "transparency" in head.info)
    return values


def _extension(name: str, form: str) -> dict[str, float]:
    extension = PurePosixPath(name).suffix.lower().lstrip(".")
    usual = SUFFIXES.get(form, form)
    return {
        "extension missing": float(not extension),
        "extension usual": float(extension == usual),
        "extension right": float(extension == usual or extension in OTHER_NAMES.get(form, ())),
    }


def _tables(head: Image.Image) -> tuple[Table, Table]:
    """Return the quantisation tables (8 × 8) of luma and of chroma; zeros where there is none."""
    none = np.zeros((8, 8), dtype=np.int64)
    known = getattr(head, "quantization", None) or {}
    whole = {key: np.asarray(table, dtype=np.int64).reshape(8, 8) for key, table in known.items() if len(table) == 64}
    uses = [layer[3] for layer in getattr(head, "layer", [])]
    luma, chroma = (whole.get(uses[place], none) if place < len(uses) else none for place in (0, 1))
    return luma, chroma


def _table(name: str, table: Table) -> dict[str, float]:
    entries = {f"{name} {entry}": float(np.log1p(table[at])) for entry, at in ENTRIES.items()}
    return {f"{name} sum": float(np.log1p(table.sum())), **entries}


def _quality(luma: Table) -> dict[str, float]:
    """Return the quality (1..100) whose table is nearest, and how far away that is; 0 without a table."""
    if not luma.any():
        return {"quality": 0.0, "table not standard": 0.0, "distance to standard": 0.0}
    distances = np.abs(_standard() - luma.ravel()).mean(axis=1)
    nearest = int(distances.argmin())
    return {
        "quality": float(nearest + 1),
        "table not standard": float(distances[nearest] > 0),
        "distance to standard": float(np.log1p(distances[nearest])),
    }


@cache
def _standard() -> Table:
    """Return the luma tables of qualities 1 to 100, as the Independent JPEG Group's library scales them."""
    quality = np.arange(1, 101)
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.clip((np.array(LUMA) * scale[:, None] + 50) // 100, 1, 255)


def _sampling(head: Image.Image) -> dict[str, float]:
    """Return how many luma samples a JPEG has to one of chroma, across and down; 0 where it has no chroma."""
    layers = getattr(head, "layer", [])
    if len(layers) != 3 or 0 in layers[1][1:3]:
        return {"luma per chroma across": 0.0, "luma per chroma down": 0.0}
    luma, chroma = layers[0], layers[1]
    return {"luma per chroma across": luma[1] / chroma[1], "luma per chroma down": luma[2] / chroma[2]}


def _bits(head: Image.Image, content: bytes) -> int:
    if head.format == "PNG":
        return content[24]  # of IHDR, always the first chunk: Pillow's mode hides 16 bits in colour
    bits = getattr(head, "bits", None)
    return bits if isinstance(bits, int) else BITS.get(head.mode, 8)


@cache
def _names() -> tuple[str, ...]:
    return tuple(_measured(Seen(content=b"-", image=Image.new("RGB", (1, 1))), Image.new("RGB", (1, 1))))


PLACES = {"first": "of the mean", "across": "of the lowest frequency across", "down": "of the lowest frequency down"}
PLACES |= {"middle": "of a middle frequency", "last": "of the highest frequency"}
WORDS = {
    **{name: f"whether it is a {name.upper()} file {YES}" for name in FORMATS},
    "other format": f"whether it is a file of a rare format {YES}",
    "extension missing": f"whether its name has no extension {YES}",
    "extension usual": f"whether its extension is the usual one of its format {YES}",
    "extension right": f"whether its extension fits its format {YES}",
    "bits per pixel": f"bits of the file per pixel {POWER}",
    **{
        f"{plane} table {entry}": f"how coarsely {what} was rounded, step {place} {LOG}"
        for plane, what in (("luma", "brightness"), ("chroma", "colour")) for entry, place in PLACES.items()
    },
    "luma table sum": f"how coarsely brightness was rounded, all steps {LOG}",
    "chroma table sum": f"how coarsely colour was rounded, all steps {LOG}",
    **fingerprints("tables", "which rounding tables the JPEG has"),
    "quality": "JPEG quality (1 to 100, 0 for none)",
    "table not standard": f"whether the JPEG has rounding tables of its own {YES}",
    "distance to standard": f"distance of the rounding tables from the standard ones {LOG}",
    "luma per chroma across": "samples of brightness for one of colour, across",
    "luma per chroma down": "samples of brightness for one of colour, down",
    "progressive": f"whether the file shows coarse first, fine later {YES}",
    "bits per channel": "bits per channel",
    "channels": "number of channels",
    "palette": f"whether the colours come from a palette {YES}",
    "transparent": f"whether it can be transparent {YES}",
}  # fmt: skip

FAMILY = Family(
    name="container",
    version=1,
    speaks_for_file=True,
    measure=measure,
    words=WORDS,
    removed_by=("normalize",),
    advice="`curate normalize` writes every picture in one format, with one table and one subsampling.",
    of="file",
)
