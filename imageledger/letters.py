"""Words that have to fit: wrapped or shortened to a width, and with nothing in them that cannot be seen."""

from math import ceil
from typing import Protocol


class Letters(Protocol):
    """A font at one size, as Pillow's fonts are."""

    def getlength(self, text: str, /) -> float:
        """Return how wide a line of text is, in pixels."""


def visible(text: str) -> str:
    """Replace what cannot be seen (line feeds, terminal escapes, marks that reverse the writing) by "�"."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def shorten(text: str, font: Letters, width: int) -> str:
    """Shorten text in the middle until it is no wider than `width` px: "portraits/re…/00042.jpg"."""
    text = visible(text)
    if font.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        kept = (low + high + 1) // 2
        if font.getlength(_middle_out(text, kept)) <= width:
            low = kept
        else:
            high = kept - 1
    return _middle_out(text, low)


def wrapped(text: str, font: Letters, width: int) -> list[str]:
    """Break text into lines no wider than `width` px, at spaces; a longer word is shortened."""
    lines: list[str] = []
    for word in visible(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(shorten(word, font, width))
    return lines


def _middle_out(text: str, kept: int) -> str:
    head, tail = ceil(kept / 2), kept // 2
    return f"{text[:head]}…{text[len(text) - tail :]}" if kept < len(text) else text
