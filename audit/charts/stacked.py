"""Bars made of parts: what became of the pictures at each stage. Every kind of part has a texture of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.charts.rows import short
from audit.charts.svg import chart, element, text

WIDTH = 360
ROW, TALL, TOP = 28, 18, 4
KEY_ROW, SWATCH = 22, 12
STEP = 6.0
"""Distance of the lines of a texture."""

SLOPES = {"/": (-1,), "\\": (1,), "x": (-1, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a part is: its words in the key, its colour class, and its texture.

    Textures are "" (solid), "o" (hollow), "/", "\\" and "x" (lines one way, the other, both).
    """

    words: str
    colour: str = "usual"
    texture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One bar: its name, a count for each kind, and words at its right end."""

    name: str
    counts: Sequence[int]
    words: str = ""


def stacked(stacks: Sequence[Stack], kinds: Sequence[Kind], *, label: str, names: float = 76, words: float = 64,
            most: int = 0) -> Markup:  # fmt: skip
    """Draw the bars under each other; `most` is the count that fills the width (0: the largest sum).

    The key below names the kinds that occur.
    """
    left, right = names + 8, WIDTH - words
    whole = max(most, *(sum(stack.counts) for stack in stacks), 1)
    parts = []
    for n, stack in enumerate(stacks):
        top = TOP + ROW * n
        parts.append(text(short(stack.name, names), names, top + TALL - 5, anchor="end"))
        at = left
        for kind, count in zip(kinds, stack.counts, strict=True):
            wide = (right - left) * count / whole
            if count:
                said = f"{stack.name}: {count} {kind.words}"
                parts.append(element("g", element("title", said) + _block(kind, at, top, wide, TALL)))
            at += wide
        if stack.words:
            parts.append(text(stack.words, right + 8, top + TALL - 5))
    used = [kind for n, kind in enumerate(kinds) if any(stack.counts[n] for stack in stacks)]
    foot = TOP + ROW * len(stacks)
    parts += _key(used, left, foot)
    return chart(parts, height=foot + KEY_ROW * ((len(used) + 2) // 3) + 4, label=label, width=WIDTH)


def _key(used: Sequence[Kind], left: float, top: float) -> list[Markup]:
    parts = []
    for n, kind in enumerate(used):
        x, y = left + (n % 3) * (WIDTH - left) / 3, top + KEY_ROW * (n // 3) + 4
        parts += [_block(kind, x, y, SWATCH, SWATCH), text(kind.words, x + SWATCH + 6, y + SWATCH - 1, kind="faint")]
    return parts


def _block(kind: Kind, x: float, y: float, wide: float, tall: float) -> Markup:
    lines = [line for slope in SLOPES.get(kind.texture, ()) for line in _lines(x, y, wide, tall, slope)]
    solid = "bar" if not kind.texture else "frame"
    block = element("rect", x=x, y=y, width=max(wide, 1.0), height=tall, class_=f"{solid} {kind.colour}")
    return block + (element("path", d=" ".join(lines), class_=f"frame {kind.colour}") if lines else Markup(""))


def _lines(x: float, y: float, wide: float, tall: float, slope: int) -> list[str]:
    """Return the strokes of slanted lines, cut off at the edges of a block."""
    strokes = []
    start = -tall + STEP / 2
    while start < wide:
        low, high = max(0.0, start), min(wide, start + tall)
        if high > low:
            ends = [(place, place - start if slope > 0 else tall - (place - start)) for place in (low, high)]
            (x1, y1), (x2, y2) = ends
            strokes.append(f"M{x + x1:.1f} {y + y1:.1f}L{x + x2:.1f} {y + y2:.1f}")
        start += STEP
    return strokes
