"""The face of a sitter: skin and its shading, eyes, brows, nose, mouth, and what is worn on it."""

from collections.abc import Callable

from curate.sources.sample.canvas import Canvas, Colour, closed, curve, mirrored, mix, oval, shade
from curate.sources.sample.person import Manner, Person, grey

WHITE = (255, 250, 244)

Trace = Callable[[Canvas, Person], None]
"""What is painted over the skin of a face before its features."""


def face(canvas: Canvas, person: Person, manner: Manner, trace: Trace | None) -> None:
    """Paint the face on the canvas."""
    skin = person.skin
    outline = closed(_outline(person))
    mask = canvas.mask(outline, 0.03)
    canvas.paint(outline, skin, 0.03)
    with canvas.inside(mask):
        _light(canvas, person, manner, skin)
        _skin(canvas, person, manner, skin)
        if trace:
            trace(canvas, person)
        if person.beard:
            _beard(canvas, person)
        _nose(canvas, person, manner, skin)
        _mouth(canvas, person, manner, skin)
        for side in (-1, 1):
            _eye(canvas, person, manner, skin, side)
            _brow(canvas, person, manner, side)
        _shine(canvas, person, manner)


def adornments(canvas: Canvas, person: Person) -> None:
    """Paint glasses and earrings."""
    if person.glasses:
        frame = shade(person.second, 0.45)
        for side in (-1, 1):
            x = side * person.apart
            lens = _rim(x, 0.31, 0.3)
            canvas.paint(lens, WHITE, 0.02, 0.06)
            canvas.paint([*lens, lens[0], *reversed([*(hole := _rim(x, 0.275, 0.265)), hole[0]])], frame, 0.012, 0.95)
            canvas.stroke([(side * 0.72, -0.14), (side * 0.88, -0.13), (side * 1.0, -0.1)], 0.03, frame, 0.02)
        canvas.stroke([(-0.16, -0.12), (0, -0.17), (0.16, -0.12)], 0.03, frame, 0.02)
    if person.earrings:
        for side in (-1, 1):
            canvas.paint(oval(side * 1.0, 0.42, 0.06, 0.08), (226, 200, 120), 0.02)
            canvas.paint(oval(side * 1.0 - 0.02, 0.4, 0.02, 0.02), WHITE, 0.01)


def complexion(person: Person, manner: Manner) -> Colour:
    """Return the skin colour; a generator's polish makes it a little more saturated."""
    level = grey(person.skin)
    red, green, blue = (
        min(255, max(0, round(level + (value - level) * (0.9 + 0.35 * manner.tint)))) for value in person.skin
    )
    return red, green, blue


def _outline(person: Person) -> list[tuple[float, float]]:
    wide, chin = person.jaw, person.length
    return mirrored(
        [(0, -1.38), (0.5, -1.3), (0.84, -0.95), (0.97, -0.35), (0.95, 0.25), (0.78 + 0.1 * wide, 0.78),
         (0.42 + 0.16 * wide, chin - 0.12), (0.2 + 0.08 * wide, chin), (0, chin + 0.01)]
    )  # fmt: skip


def _light(canvas: Canvas, person: Person, manner: Manner, skin: Colour) -> None:
    """Shade the side away from the light; an even, frontal glow takes its place as the polish grows."""
    side = person.light * (1 - 0.35 * manner.polish)
    away = -1 if person.light > 0 else 1
    canvas.paint(oval(1.05 * away, 0.1, 0.62, 1.6), shade(skin, 0.48), 0.75, 0.3 + 0.55 * abs(side))
    canvas.paint(oval(-0.35 * away, -0.55, 0.6, 0.6), mix(skin, WHITE, 0.5), 0.6, 0.25 + 0.35 * abs(side))
    canvas.paint(oval(0, 1.5, 1.0, 0.35), shade(skin, 0.55), 0.4, 0.5)
    for edge in (-1, 1):
        canvas.paint(oval(edge * 0.92, 0.75, 0.28, 0.6), shade(skin, 0.66), 0.4, 0.45)
        canvas.paint(
            oval(edge * 0.55, 0.42, 0.24, 0.2),
            mix(shade(skin, 1.1), (224, 104, 90), 0.4),
            0.32,
            0.2 + 0.3 * person.made_up,
        )


def _skin(canvas: Canvas, person: Person, manner: Manner, skin: Colour) -> None:
    """Paint what a camera shows: folds, bags under the eyes, spots, uneven colour."""
    rng = person.rng("skin")
    dark = mix(shade(skin, 0.55), (92, 40, 40), 0.25)
    depth = manner.folds * (0.55 + 0.45 * person.age)
    for side in (-1, 1):
        off = 0.06 * person.crooked[1] * manner.crooked
        canvas.stroke(
            [(side * 0.25, 0.36), (side * 0.42, 0.56), (side * (0.47 + off), 0.82)], 0.07, dark, 0.07, 0.8 * depth
        )
        canvas.stroke([(side * 0.26, 0.1), (side * 0.44, 0.2), (side * 0.62, 0.1)], 0.075, dark, 0.08, 0.85 * depth)
        canvas.stroke([(side * 0.62, -0.02), (side * 0.75, 0.0), (side * 0.8, 0.05)], 0.02, dark, 0.03, 0.7 * depth)
    for number in range(3):
        y = -0.82 + 0.13 * number
        canvas.stroke(
            [(-0.5, y + 0.03), (0.05, y - 0.02), (0.5, y + 0.03)], 0.03, dark, 0.05, 0.75 * depth * person.age
        )
    spots = int(26 * manner.blemish * rng.random()) + int(4 * manner.blemish)
    for _ in range(spots):
        x, y = rng.uniform(-0.75, 0.75), rng.uniform(-0.7, 1.0)
        size = rng.uniform(0.012, 0.035)
        canvas.paint(oval(x, y, size, size), mix(dark, (150, 50, 40), 0.4), 0.03, rng.uniform(0.2, 0.55))
    mask = canvas.mask(closed(_outline(person)), 0.05)
    canvas.mottle(rng, 48, 0.01 + 0.05 * manner.blemish, mask)
    canvas.mottle(rng, 150, 0.01 + 0.06 * manner.blemish, mask)


def _beard(canvas: Canvas, person: Person) -> None:
    chin, tone = person.length, mix(person.hair, (70, 60, 58), 0.25)
    jaw = [
        (-0.98, 0.15),
        (-0.8, 0.5),
        (-0.45, 0.62),
        (0, 0.56),
        (0.45, 0.62),
        (0.8, 0.5),
        (0.98, 0.15),
        (1.0, 0.9),
        (0.6, chin + 0.2),
        (0, chin + 0.25),
        (-0.6, chin + 0.2),
        (-1.0, 0.9),
    ]
    canvas.paint(closed(jaw), tone, 0.12, 0.85 * person.beard)
    rng = person.rng("beard")
    for _ in range(30):
        x, y = rng.uniform(-0.8, 0.8), rng.uniform(0.62, chin)
        canvas.stroke(
            [(x, y), (x * 1.04, y + 0.08), (x * 1.06, y + 0.16)],
            0.014,
            shade(tone, rng.uniform(0.5, 1.5)),
            0.01,
            0.35 * person.beard,
        )


def _nose(canvas: Canvas, person: Person, manner: Manner, skin: Colour) -> None:
    wide, tip = person.nose, 0.42
    dark = mix(shade(skin, 0.52), (90, 40, 36), 0.3)
    away = -1 if person.light > 0 else 1
    bend = 0.08 * person.crooked[2] * manner.crooked
    canvas.stroke(
        [(away * 0.16, -0.2), (away * 0.13 + bend, 0.1), (away * (wide + 0.02), 0.36)], 0.07, dark, 0.12, 0.65
    )
    canvas.stroke([(-away * 0.16, -0.22), (-away * 0.11 + bend, 0.05), (-away * wide, 0.34)], 0.04, dark, 0.1, 0.3)
    canvas.stroke([(0, -0.25), (bend, 0.1), (0, 0.36)], 0.05, mix(skin, WHITE, 0.6), 0.09, 0.7)
    canvas.paint(oval(0, tip + 0.09, wide * 0.9, 0.06), dark, 0.08, 0.55)
    for side in (-1, 1):
        canvas.stroke(
            [(side * wide, tip - 0.1), (side * (wide + 0.05), tip), (side * (wide - 0.02), tip + 0.06)],
            0.03,
            dark,
            0.04,
            0.6,
        )
        canvas.paint(oval(side * wide * 0.52, tip + 0.06, wide * 0.3, 0.035), shade(dark, 0.5), 0.03, 0.85)


def _mouth(canvas: Canvas, person: Person, manner: Manner, skin: Colour) -> None:
    wide, thick, y = person.mouth, person.lips, 0.79
    up, skew = 0.09 * person.smile, 0.05 * person.crooked[3] * manner.crooked
    blush = shade((176, 44, 56), 0.5 + 0.5 * grey(skin) / 190)
    red = mix(shade(skin, 0.72), blush, 0.3 + 0.25 * person.made_up + 0.2 * manner.polish)
    left, right = (-wide, y - up + skew), (wide, y - up - skew)
    middle = [(-wide * 0.5, y + 0.01), (0, y + 0.02), (wide * 0.5, y + 0.01)]
    upper = [
        left,
        (-wide * 0.45, y - thick),
        (-0.06, y - thick * 1.25),
        (0, y - thick),
        (0.06, y - thick * 1.25),
        (wide * 0.45, y - thick),
        right,
    ]
    lower = [right, (wide * 0.6, y + thick), (0, y + thick * 1.8), (-wide * 0.6, y + thick), left]
    canvas.paint([*curve(upper), *curve(lower)], red, 0.03, 0.9)
    canvas.paint(oval(0, y + thick * 2.6, wide * 0.6, 0.05), shade(skin, 0.62), 0.12, 0.5)
    if person.smile > 0.62:
        teeth = [
            left,
            *[(x, v - 0.03) for x, v in middle],
            right,
            (wide * 0.55, y + thick * 0.75),
            (0, y + thick),
            (-wide * 0.55, y + thick * 0.75),
        ]
        canvas.paint(closed(teeth), shade(red, 0.35), 0.02)
        canvas.paint(closed([(x * 0.86, v) for x, v in teeth]), (242, 236, 226), 0.03, 0.95)
    else:
        canvas.stroke([left, *middle, right], 0.03, shade(red, 0.35), 0.02, 0.95)
    canvas.paint(oval(0.06 * person.light, y + thick * 1.1, wide * 0.34, 0.03), WHITE, 0.06, 0.12 + 0.6 * manner.gloss)


def _eye(canvas: Canvas, person: Person, manner: Manner, skin: Colour, side: int) -> None:
    size = person.eyes * (0.95 + 0.16 * manner.polish)
    x = side * person.apart
    y = -0.08 + side * 0.05 * person.crooked[4] * manner.crooked
    open_ = size * (0.5 + 0.07 * person.crooked[5] * side * manner.crooked)
    canvas.paint(oval(x, y - 0.06, size * 1.25, size * 1.0), mix(shade(skin, 0.5), (70, 34, 40), 0.3), 0.2, 0.62)
    rim = [
        (x - size, y + 0.03 * (side > 0)), (x - size * 0.5, y - open_ * 0.85), (x + 0.02, y - open_),
        (x + size * 0.55, y - open_ * 0.8), (x + size, y + 0.03 * (side < 0)),
        (x + size * 0.45, y + open_ * 0.75), (x - size * 0.4, y + open_ * 0.75),
    ]  # fmt: skip
    white = closed(rim)
    canvas.paint(white, mix((236, 230, 224), skin, 0.42 - 0.4 * grey(skin) / 255), 0.015)
    with canvas.inside(canvas.mask(white, 0.015)):
        iris = _iris(person, manner, side)
        look = 0.05 * person.turn
        canvas.paint(oval(x, y - open_, size, open_ * 0.7), (70, 50, 48), 0.1, 0.55)
        canvas.paint(oval(x + look, y, size * 0.53, size * 0.53), shade(iris, 0.45), 0.015)
        canvas.paint(oval(x + look, y + 0.012, size * 0.44, size * 0.44), shade(iris, 1.15), 0.03)
        canvas.paint(oval(x + look, y, size * 0.24, size * 0.24), (10, 8, 10), 0.015)
        _catchlights(canvas, person, manner, (x + look, y), size, side)
    lash = 0.035 + 0.03 * manner.polish + 0.012 * person.made_up
    canvas.stroke(
        [(rim[0][0] - 0.015, rim[0][1]), *rim[1:4], (rim[4][0] + 0.015, rim[4][1])], lash, (26, 16, 16), 0.015, 0.95
    )
    canvas.stroke([rim[4], rim[5], rim[6], rim[0]], 0.018, shade(skin, 0.42), 0.02, 0.7)
    canvas.stroke(
        [(x - size, y - 0.09), (x, y - open_ - 0.085), (x + size, y - 0.08)], 0.022, shade(skin, 0.42), 0.03, 0.65
    )


def _iris(person: Person, manner: Manner, side: int) -> Colour:
    if manner.mismatch > 0.45 and side > 0:
        return mix(person.iris, (120, 150, 120), 0.75 * manner.mismatch)
    return mix(person.iris, (110, 160, 190), 0.3 * manner.mismatch)


def _catchlights(
    canvas: Canvas, person: Person, manner: Manner, at: tuple[float, float], size: float, side: int
) -> None:
    """Paint the light in the eyes: the same in both for a camera; a generator may change its side or add a second."""
    way = 1 if person.light > 0 else -1
    if manner.mismatch > 0.5 and side > 0:
        way = -way
    big = size * (0.11 + 0.08 * manner.gloss)
    canvas.paint(oval(at[0] + way * size * 0.17, at[1] - size * 0.18, big, big), (255, 255, 255), 0.01, 0.95)
    if manner.gloss > 0.5:
        canvas.paint(
            oval(at[0] - way * size * 0.2, at[1] + size * 0.2, big * 0.6, big * 0.6), (255, 255, 255), 0.015, 0.8
        )


def _brow(canvas: Canvas, person: Person, manner: Manner, side: int) -> None:
    lift = -0.39 + side * 0.09 * person.crooked[6] * manner.crooked
    tone = mix(person.hair, (40, 30, 28), 0.45)
    line = [(side * 0.18, lift + 0.05), (side * 0.42, lift - 0.05), (side * 0.74, lift + 0.06)]
    canvas.stroke(line, person.brows * 0.9, tone, 0.035, 0.9)


def _shine(canvas: Canvas, person: Person, manner: Manner) -> None:
    """Put the gloss of a generator on forehead, cheekbones, nose and chin; a camera's sitter has little of it."""
    spots = (
        (0.0, -0.72, 0.36, 0.13, 0.6), (0.0, 0.34, 0.07, 0.08, 1.0), (-0.56, 0.24, 0.17, 0.08, 0.9),
        (0.56, 0.24, 0.17, 0.08, 0.9), (0.0, 1.1, 0.14, 0.07, 0.7),
    )  # fmt: skip
    soft = 0.55 + 0.45 * grey(person.skin) / 255
    for x, y, wide, high, strength in spots:
        canvas.paint(oval(x, y, wide, high), WHITE, 0.14, strength * (0.14 + 0.62 * manner.gloss) * soft)


def _rim(x: float, wide: float, high: float) -> list[tuple[float, float]]:
    y, low = -0.06, high * 0.75
    corners = [(-0.92, -0.72), (0, -1), (0.92, -0.72), (1.0, 0), (0.7, 0.85), (0, 1.1), (-0.7, 0.85), (-1.0, 0)]
    return closed([(x + wide * a, y + low * b) for a, b in corners])
