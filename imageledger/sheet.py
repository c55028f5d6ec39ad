"""Contact sheets: pictures with captions on one white page. Pure: pictures and words in, one picture out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from imageledger.figure import FAINT, INK, LINE, MOUNT, PAPER
from imageledger.letters import shorten, visible, wrapped  # noqa: F401

MARGIN = 32
GUTTER = 28
GAP = 8
LEADING = 1.35
TEXT, TITLE, HEADING = 14, 16, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture of a cell and its caption; without a picture, `missing` is written in its place."""

    picture: Image.Image | None = None
    caption: str = ""
    missing: str = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One entry of a sheet: its pictures side by side, a title and a few lines below them."""

    frames: tuple[Frame, ...]
    title: str = ""
    lines: tuple[str, ...] = ()


def sheet(
    cells: Sequence[Cell], *, columns: int, heading: str = "", lines: Sequence[str] = (), size: int = 200
) -> Image.Image:
    """Lay cells out in rows of `columns` under a heading and lines that are wrapped to the page; return RGB.

    Every picture is fitted into a square of `size` px; all tiles have the size of the largest.
    """
    slots = max((len(cell.frames) for cell in cells), default=1)
    rows = max((len(cell.lines) for cell in cells), default=0)
    tiles = [tile(cell, size=size, slots=slots, rows=rows) for cell in cells]
    across = max(1, min(columns, len(tiles)))
    wide = tiles[0].width if tiles else 0
    width = max(2 * MARGIN + across * wide + (across - 1) * GUTTER, 640)
    words = [line for text in lines for line in wrapped(text, _font(TITLE), width - 2 * MARGIN)]
    head = MARGIN + (_step(HEADING) if heading else 0) + len(words) * _step(TITLE) + (GUTTER if heading or words else 0)
    down = ceil(len(tiles) / across)
    tall = tiles[0].height + GUTTER if tiles else 0
    page = Image.new("RGB", (width, head + down * tall - (GUTTER if tiles else 0) + MARGIN), PAPER)
    _head(page, heading, words)
    for place, picture in enumerate(tiles):
        page.paste(picture, (MARGIN + place % across * (wide + GUTTER), head + place // across * tall))
    return page


def tile(cell: Cell, *, size: int = 200, slots: int | None = None, rows: int | None = None) -> Image.Image:
    """Draw one cell, with room for `slots` pictures and `rows` lines, so that tiles of a sheet match; return RGB."""
    slots, rows = slots or len(cell.frames), len(cell.lines) if rows is None else rows
    width = slots * size + (slots - 1) * GAP
    captions = _step(TEXT) if any(frame.caption for frame in cell.frames) else 0
    title = _step(TITLE) + 4 if cell.title else 0
    picture = Image.new("RGB", (width, size + captions + title + rows * _step(TEXT) + 4), PAPER)
    draw = ImageDraw.Draw(picture)
    for slot, frame in enumerate(cell.frames):
        left = slot * (size + GAP)
        picture.paste(_mounted(frame, size), (left, 0))
        draw.text((left, size + 3), shorten(frame.caption, _font(TEXT), size), FAINT, _font(TEXT))
    top = size + captions + 4
    draw.text((0, top), shorten(cell.title, _font(TITLE), width), INK, _font(TITLE))
    for number, line in enumerate(cell.lines):
        place = (0, top + title + number * _step(TEXT))
        draw.text(place, shorten(line, _font(TEXT), width), FAINT, _font(TEXT))
    return picture


def stacked(pages: Sequence[Image.Image]) -> Image.Image:
    """Put sheets under each other on one page, as wide as the widest, with one margin between two; return RGB."""
    tall = sum(part.height for part in pages) - MARGIN * (len(pages) - 1)
    page = Image.new("RGB", (max(part.width for part in pages), tall), PAPER)
    top = 0
    for part in pages:
        page.paste(part, (0, top))
        top += part.height - MARGIN
    return page


def broken(text: str, width: int, most: int) -> list[str]:
    """Break a sentence into at most `most` lines that fit below `width` px of pictures; the last one may be cut."""
    lines = wrapped(text, _font(TEXT), width)
    return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1]} …"]


def fitted(picture: Image.Image, size: int) -> Image.Image:
    """Fit an 8-bit picture into a square of `size` px, whole, on a faint mount; return RGB."""
    mount = Image.new("RGB", (size, size), MOUNT)
    inside = ImageOps.contain(picture.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
    mount.paste(inside, ((size - inside.width) // 2, (size - inside.height) // 2))
    return mount


def _mounted(frame: Frame, size: int) -> Image.Image:
    square = fitted(frame.picture, size) if frame.picture else Image.new("RGB", (size, size), MOUNT)
    draw = ImageDraw.Draw(square)
    if frame.picture is None:
        font = _font(TEXT)
        words = wrapped(frame.missing, font, size - 2 * GAP)[: (size - 2 * GAP) // _step(TEXT)]
        top = (size - len(words) * _step(TEXT)) // 2
        for number, line in enumerate(words):
            place = ((size - font.getlength(line)) / 2, top + number * _step(TEXT))
            draw.text(place, line, FAINT, font)
    draw.rectangle((0, 0, size - 1, size - 1), outline=LINE)
    return square


def _head(page: Image.Image, heading: str, words: Sequence[str]) -> None:
    draw, top = ImageDraw.Draw(page), MARGIN
    if heading:
        draw.text((MARGIN, top - 6), shorten(heading, _font(HEADING), page.width - 2 * MARGIN), INK, _font(HEADING))
        top += _step(HEADING)
    for number, line in enumerate(words):
        draw.text((MARGIN, top + number * _step(TITLE)), line, FAINT, _font(TITLE))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return the letters of the figures: unlike Pillow's own font, they hold dashes, Greek and Cyrillic."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)


def _step(size: int) -> int:
    return round(size * LEADING)
