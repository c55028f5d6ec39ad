"""Pages that carry everything inside themselves: pictures as data, style inline, no outside address.

A page may carry one script of ours, which its Content-Security-Policy allows by its hash and no other.
"""

import base64
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from imageledger import figure as style
from imageledger.letters import visible
from imageledger.record import Record, Step

QUALITY = 82


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of a chain: an object, and the step that made it (none when nothing is known of how)."""

    made: str
    step: Step | None


def render(template: str, *, script: str = "", **values: Any) -> str:
    """Fill a template, named by its place under audit/, with values; every value is escaped.

    `script` is the text of an ES module of ours that the page runs; no other script can run on it.
    """
    return _environment().get_template(template).render(script=script, **values)


def csp_hash(script: str) -> str:
    """Return the source of a Content-Security-Policy that allows exactly this inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def chain(record: Record) -> list[Link]:
    """Return the links from the file back to the bytes as fetched, each with the step that made it."""
    links, made = [], record.file
    for step in reversed(record.steps):
        links.append(Link(made=made, step=step))
        made = step.on or made
    if not links or made != links[-1].made:
        links.append(Link(made=made, step=None))
    return links


def is_whole(record: Record) -> bool:
    """Tell whether the steps lead from the file back to the original without a gap."""
    return bool(record.steps) and chain(record)[-1].made == record.origin


def data_uri(image: Image.Image, side: int | None = None) -> str:
    """Return a picture as a data: URI (WebP), at most `side` px."""
    if side is not None:
        image = image.copy()
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    image.save(target, "WEBP", quality=QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(target.getvalue()).decode("ascii")


def pairs(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield settings or findings as words: numbers short, lists and tables as JSON, empty ones left out."""
    for name, value in values.items():
        if value is None or value == "" or value == [] or value == {}:
            continue
        if isinstance(value, float):
            yield name, f"{value:.4g}"
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            yield name, "; ".join(value)
        elif isinstance(value, str):
            yield name, value
        else:
            yield name, json.dumps(value, ensure_ascii=False)


def percent(share: float) -> str:
    """Format a share of 0..1 as "15.0 %"."""
    return f"{100 * share:.1f} %"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("audit", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(csp_hash=csp_hash, data_uri=data_uri, pairs=pairs, percent=percent, visible=visible)
    environment.globals.update(chain=chain, is_whole=is_whole, style=style)
    return environment
