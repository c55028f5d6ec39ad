"""Hair: what falls behind the head, what lies on it, and the line where it meets the face."""

from collections.abc import Mapping, Sequence

from curate.sources.sample.canvas import Canvas, Point, closed, curve, mirrored, mix, oval, shade
from curate.sources.sample.person import Manner, Person

LONG = ("long", "curls", "bob")
EDGES: Mapping[str, tuple[float, float]] = {
    "crop": (-1.52, -0.2), "receding": (-1.46, -0.1), "bun": (-1.55, -0.15), "long": (-1.66, 0.75),
    "bob": (-1.66, 0.75), "curls": (-1.66, 0.35),
}  # fmt: skip
"""How high the hair stands and how low it reaches beside the face, in head units."""

INNER: Mapping[str, tuple[Sequence[Point], float]] = {
    "crop": (((0.96, -0.25), (0.84, -0.7), (0.5, -0.95)), -0.98),
    "parted": (((0.96, -0.3), (0.86, -0.62), (0.45, -0.86)), -0.96),
    "fringe": (((0.95, -0.1), (0.86, -0.5), (0.5, -0.57)), -0.61),
    "receding": (((0.97, -0.35), (0.86, -0.8), (0.6, -1.16)), -1.02),
    "long": (((0.87, 0.6), (0.84, -0.1), (0.72, -0.64)), -1.12),
    "bob": (((0.87, 0.6), (0.84, -0.1), (0.72, -0.64)), -1.12),
    "curls": (((0.92, 0.2), (0.84, -0.5), (0.5, -0.8)), -0.84),
}
"""Right half of the line between hair and face, from the ear up, and its height in the middle."""


def hair_behind(canvas: Canvas, person: Person) -> None:
    """Paint the hair that falls behind the head and the shoulders' line."""
    dark = shade(person.hair, 0.72)
    chin = person.length
    if person.style == "long":
        shape = mirrored(
            [(0, -1.6), (0.85, -1.4), (1.22, -0.6), (1.25, 0.4), (1.38, 1.4), (1.3, 2.35), (0.7, 2.5), (0, 2.2)]
        )
    elif person.style == "bob":
        shape = mirrored([(0, -1.6), (0.9, -1.4), (1.24, -0.5), (1.3, 0.5), (1.16, chin - 0.02), (0.6, chin), (0, 1.0)])
    elif person.style == "curls":
        rng = person.rng("curls")
        shape = mirrored([(0, -1.75), (0.9, -1.5), (1.38, -0.7), (1.42, 0.2), (1.15, 0.95), (0.5, 1.0), (0, 0.8)])
        for _ in range(46):
            at = shape[int(rng.integers(len(shape)))]
            near = (at[0] * rng.uniform(0.84, 1.04), at[1] * rng.uniform(0.84, 1.04))
            if near[1] < 1.0:
                canvas.paint(oval(*near, 0.22, 0.22), shade(dark, rng.uniform(0.9, 1.15)), 0.05)
    elif person.style == "bun":
        canvas.paint(oval(0.05, -1.85, 0.42, 0.36), dark, 0.04)
        canvas.paint(oval(0.05 + 0.1 * person.light, -1.93, 0.2, 0.16), shade(person.hair, 1.25), 0.2, 0.7)
        return
    else:
        return
    canvas.paint(closed(shape), dark, 0.06)
    with canvas.inside(canvas.mask(closed(shape), 0.06)):
        _strands(canvas, person, "behind", -1.5, 2.3)


def hair_in_front(canvas: Canvas, person: Person, manner: Manner) -> None:
    """Paint the hair on top, down to the hairline; a bald head gets its shine."""
    if person.style == "bald":
        canvas.paint(oval(0.3 * person.light, -1.02, 0.3, 0.18), (255, 250, 240), 0.3, 0.28 + 0.2 * manner.gloss)
        return
    outer, inner = _hairline(person, manner)
    shape = [*curve(outer), *curve(inner)]
    canvas.paint(shape, shade(person.skin, 0.5), 0.16, 0.35)
    canvas.paint(shape, person.hair, 0.05)
    with canvas.inside(canvas.mask(shape, 0.05)):
        canvas.paint(oval(-0.9 * person.light, -0.9, 0.6, 1.2), shade(person.hair, 0.55), 0.6, 0.8)
        _strands(canvas, person, "front", -1.7, 0.6)
        shine = 0.25 + 0.4 * manner.gloss
        canvas.paint(oval(0.45 * person.light, -1.28, 0.42, 0.14), mix(person.hair, (255, 245, 230), 0.55), 0.22, shine)


def _hairline(person: Person, manner: Manner) -> tuple[list[Point], list[Point]]:
    """Return the outer edge of the hair, left to right, and the line where it meets the face, right to left."""
    tall, low = EDGES.get(person.style, (-1.66, 0.1))
    wide = 1.2 if person.style in LONG else 1.08
    half = [(0.64, tall + 0.19), (wide - 0.1, -0.9), (wide, -0.35), (1.0, low)]
    outer = [*((-x, y) for x, y in reversed(half)), (0, tall), *half]
    right, middle = INNER.get(person.style, INNER["crop"])
    tip = 0.35 * person.crooked[0] * manner.crooked
    slope = (0.1 if person.chance % 2 else -0.1) if person.style == "parted" else 0.0
    inner = [(x, y - slope * (x < 0.96)) for x, y in right]
    inner += [(tip, middle)] + [(-x, y + slope * (x < 0.96)) for x, y in reversed(right)]
    return outer, inner


def _strands(canvas: Canvas, person: Person, part: str, top: float, bottom: float) -> None:
    """Draw lighter and darker strands that fall from the crown to both sides."""
    rng = person.rng(f"strands {part}")
    curly = person.style == "curls"
    for number in range(34):
        x = rng.uniform(-1.3, 1.3)
        tone = shade(person.hair, rng.uniform(1.25, 1.6) if number % 2 else rng.uniform(0.5, 0.75))
        y = top + rng.uniform(0.0, 1.2 if part == "front" else 2.0)
        wave = 0.12 if curly else 0.03
        reach = (bottom - top) * (0.2 if curly else 0.4)
        line = [
            (x * 0.55, y),
            (x * 0.9 + rng.uniform(-wave, wave), y + reach * 0.4),
            (x + rng.uniform(-wave, wave), y + reach),
        ]
        canvas.stroke(line, rng.uniform(0.012, 0.03), tone, 0.02, 0.4)
