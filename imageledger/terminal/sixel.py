"""Sixels, the oldest pictures of terminals: 256 colours, six rows at a time. Pure."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = 256
BAND = 6
"""Rows of pixels that one line of letters draws."""

FIRST = 63
"""The letter of no pixel; the six bits of a column are added to it."""

SHORTEST = 4
"""From so many equal letters on, their number is written instead."""


def encoded(picture: Image.Image) -> str:
    """Return the escape sequence that draws an RGB picture at the cursor, in at most COLOURS colours.

    The DEC VT340's protocol, with the size of the picture and pixels as wide as high.
    """
    reduced = picture.convert("RGB").quantize(COLOURS)
    pixels = np.asarray(reduced)
    palette = np.asarray(reduced.getpalette(), dtype=np.int64).reshape(-1, 3) * 100 // 255
    used = np.unique(pixels)
    colours = "".join(f"#{n};2;{';'.join(str(part) for part in palette[n])}" for n in used.tolist())
    bands = "-".join(_band(pixels[top : top + BAND]) for top in range(0, picture.height, BAND))
    return f'\x1bP0;1q"1;1;{picture.width};{picture.height}{colours}{bands}\x1b\\'


def _band(rows: NDArray[np.uint8]) -> str:
    """Draw up to six rows: every colour in turn, from the left edge."""
    weights = (1 << np.arange(len(rows)))[:, None]
    lines = []
    for colour in np.unique(rows).tolist():
        letters = FIRST + ((rows == colour) * weights).sum(axis=0)
        lines.append(f"#{colour}" + "".join(_runs(letters)))
    return "$".join(lines)


def _runs(letters: NDArray[np.int64]) -> Iterator[str]:
    starts = np.flatnonzero(np.diff(letters, prepend=-1))
    lengths = np.diff(starts, append=len(letters))
    runs = list(zip(letters[starts].tolist(), lengths.tolist(), strict=True))
    if runs[-1][0] == FIRST:
        runs.pop()  # what is left of the line stays as it is
    for letter, length in runs:
        yield f"!{length}{chr(letter)}" if length >= SHORTEST else chr(letter) * length
