"""How values look in a notebook: rows as tables, pages in frames, pictures as data. Everything is escaped."""

import base64
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Any

from imageledger.extras import need
from imageledger.types import Row

if TYPE_CHECKING:
    import pandas
    from PIL import Image

LARGEST = 300_000
"""How many bytes a value may put into a notebook, so that a notebook with a dozen of them still opens at once."""

SHOWN = 60
"""Rows of a table that a notebook shows; `frame()` has them all."""

LIGHTER = (0.7, 0.5, 0.35, 0.25)
"""Scales that are tried on the pictures of a page, one after the other, until the page is small enough."""

PICTURE = re.compile(r"data:image/(\w+);base64,([A-Za-z0-9+/=]+)")

STYLE = "font-family: system-ui, sans-serif; font-size: 13px"


class Rows(list[Row]):
    """Rows of a table: a list of dicts that a notebook shows as a table, and `frame()` turns into pandas.

    >>> Rows([{"label": "real", "pictures": 12}]).frame()
      label  pictures
    0  real        12
    """

    def frame(self) -> "pandas.DataFrame":
        """Return the rows as a pandas DataFrame."""
        return frame(self)

    def _repr_html_(self) -> str:
        return table(self)


def frame(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> "pandas.DataFrame":
    """Return rows as a pandas DataFrame; raise MissingExtra where pandas is not installed."""
    data: pandas.DataFrame = need("pandas", "notebook").DataFrame(list(rows), columns=columns)
    return data


def table(rows: Sequence[Mapping[str, Any]], title: str = "") -> str:
    """Write rows with the same keys as an HTML table, at most the first SHOWN of them."""
    if not rows:
        return paragraph(f"{title}: nothing yet" if title else "nothing to show")
    head = "".join(f"<th>{escape(str(name))}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(map(_cell, row.values()))}</tr>" for row in rows[:SHOWN])
    rest = paragraph(f"… and {len(rows) - SHOWN} more rows") if len(rows) > SHOWN else ""
    caption = f"<caption style='text-align: left; font-weight: bold'>{escape(title)}</caption>" if title else ""
    return f"<table style='{STYLE}'>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def paragraph(text: str) -> str:
    """Write a sentence as an HTML paragraph."""
    return f"<p style='{STYLE}'>{escape(text)}</p>"


def picture(content: bytes, *, kind: str = "png", width: str = "100%") -> str:
    """Write the bytes of a picture as an HTML image that carries them inside itself."""
    data = base64.b64encode(content).decode("ascii")
    return f"<img src='data:image/{kind};base64,{data}' style='max-width: {width}'>"


def thumbnail(image: "Image.Image", side: int) -> str:
    """Write a picture, at most `side` px wide and high, as an HTML image."""
    small = image.convert("RGB")
    small.thumbnail((side, side))
    target = io.BytesIO()
    small.save(target, "JPEG", quality=85)
    return picture(target.getvalue(), kind="jpeg", width=f"{side}px")


def framed(page: str, height: int = 640) -> str:
    """Put a whole HTML page into a frame, so that neither its style nor its names touch those of the notebook."""
    style = f"width: 100%; height: {height}px; border: 1px solid #cfd3d9; resize: vertical"
    return f'<iframe sandbox srcdoc="{escape(page)}" style="{style}"></iframe>'


def small_enough(page: str) -> str:
    """Put a page into a frame, its pictures shrunk until it is small enough; "" if its text alone is too long."""
    lighter = (PICTURE.sub(partial(_shrunk, scale), page) for scale in LIGHTER)
    return next((shown for shown in map(framed, chain([page], lighter)) if fits(shown)), "")


def fits(html: str) -> bool:
    """Tell whether a piece of HTML is small enough to stand in a notebook."""
    return len(html.encode()) < LARGEST


def _shrunk(scale: float, match: re.Match[str]) -> str:
    """Shrink a picture of a page: a photograph loses pixels, a drawing loses colours and keeps its letters sharp."""
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(match[2]))) as image:
        target = io.BytesIO()
        if match[1] == "png":
            image.convert("RGB").quantize(32).save(target, "PNG", optimize=True)
        else:
            small = image.convert("RGB").resize([max(1, round(side * scale)) for side in image.size])
            small.save(target, "WEBP", quality=70)
    kind = "png" if match[1] == "png" else "webp"
    return f"data:image/{kind};base64,{base64.b64encode(target.getvalue()).decode('ascii')}"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"<td style='text-align: right'>{value:.3g}</td>"
    side = "right" if isinstance(value, int) else "left"
    return f"<td style='text-align: {side}'>{escape('' if value is None else str(value))}</td>"
