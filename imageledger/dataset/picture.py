"""One picture of a dataset: its record, its pixels now and as fetched, its matte, and what was done to it."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imageledger import notebook
from imageledger.errors import StoreError
from imageledger.record import Record, Step
from imageledger.store import Store

if TYPE_CHECKING:
    from PIL import Image

THUMBNAIL = 256
SHORT = 12
"""How many letters of an object's name are shown."""

DIGEST = re.compile(rf"([0-9a-f]{{{SHORT}}})[0-9a-f]{{52}}")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a dataset: `faces["real/001.png"]`.

    >>> picture = faces["real/001.png"]
    >>> picture.label, picture.image().size, picture.original().size
    ('real', (64, 64), (160, 160))
    """

    record: Record
    store: Store

    @property
    def name(self) -> str:
        """Source and member in one string, as manifests and tables write them."""
        return self.record.name

    @property
    def label(self) -> str:
        """The class."""
        return self.record.label

    @property
    def status(self) -> str:
        """Whether it is ok, a duplicate, unreadable, rejected or unused; `record.reason` says why."""
        return self.record.status

    @property
    def path(self) -> Path:
        """The file of the newest object, for programs that want a path."""
        return self.store.path(self.record.file)

    def image(self) -> "Image.Image":
        """Return the picture as the last stage left it."""
        return self._opened(self.record.file)

    def original(self) -> "Image.Image":
        """Return the picture as it was fetched, upright."""
        return self._opened(self.record.origin)

    def matte(self) -> "Image.Image | None":
        """Return the alpha mask that cut the person out, or None where there is none.

        >>> faces["real/001.png"].matte().mode
        'L'
        """
        return self._opened(self.record.matte) if self.record.matte else None

    @property
    def history(self) -> list[str]:
        """What each stage did to the picture, in words, the first step first.

        >>> faces["real/001.png"].history[0]
        'fetch@1 → ...'
        """
        made = [*(step.on for step in self.record.steps[1:]), self.record.file]
        return [_in_words(step, result) for step, result in zip(self.record.steps, made, strict=False)]

    def _opened(self, name: str) -> "Image.Image":
        from PIL import Image, ImageOps

        try:
            with Image.open(io.BytesIO(self.store.read(name))) as image:
                return ImageOps.exif_transpose(image)
        except Exception as error:  # a torn file may raise anything
            why = self.record.reason or str(error)
            raise StoreError(f"{self.name} cannot be opened: {why}", "faces.verify() checks all objects") from error

    def __repr__(self) -> str:
        """Name the picture and say what became of it."""
        reason = f": {self.record.reason}" if self.record.reason else ""
        return f"<Picture {self.name}, {self.label}, {self.status}{reason}>"

    def _repr_html_(self) -> str:
        try:
            shown = notebook.thumbnail(self.image(), THUMBNAIL)
        except StoreError as error:
            shown = notebook.paragraph(error.what)
        steps = "".join(f"<li>{escape(words)}</li>" for words in self.history)
        return f"{shown}{notebook.paragraph(repr(self)[1:-1])}<ol style='{notebook.STYLE}'>{steps}</ol>"


def _in_words(step: Step, made: str) -> str:
    facts = [*_facts(step.settings), *_facts(step.found)]
    return f"{step.did} → {made[:SHORT]}" + (f": {', '.join(facts)}" if facts else "")


def _facts(values: Mapping[str, Any]) -> list[str]:
    return [f"{name} {_short(value)}" for name, value in values.items() if value or (value == 0 and value is not False)]


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return DIGEST.sub(r"\1", words)
