"""The figure of a sitter: body, clothes, head and hair, in the order in which a painter would lay them down."""

from dataclasses import replace

from PIL import Image

from curate.sources import sample_face
from curate.sources.sample_canvas import Canvas, Colour, Place, Point, closed, curve, mirrored, mix, oval, shade
from curate.sources.sample_person import Manner, Person
from curate.sources.sample_scene import scene

LONG = ("long", "curls", "bob")


def portrait(person: Person, manner: Manner, size: tuple[int, int]) -> Image.Image:
    """Draw a sitter in a manner, as an RGB picture of `size` (width, height) pixels; costs about 0.1 s at 700 px."""
    person = replace(person, skin=sample_face.complexion(person, manner))
    wide, high = size
    unit = person.face * min(size)
    place = Place(
        x=(0.5 + person.off[0]) * wide,
        y=max(2.15 * unit, min(high - 2.3 * unit, (0.44 + person.off[1]) * high)),
        unit=unit, lean=person.lean, turn=person.turn * (0.45 + 0.55 * manner.crooked),
    )  # fmt: skip
    canvas = Canvas(scene(person, size), place)
    _hair_behind(canvas, person)
    _body(canvas, person)
    _ears(canvas, person)
    sample_face.face(canvas, person, manner)
    _hair_in_front(canvas, person, manner)
    sample_face.adornments(canvas, person)
    return canvas.image


def _body(canvas: Canvas, person: Person) -> None:
    head, canvas.place = canvas.place, canvas.place.upright()
    chin, out = person.length, person.shoulders
    skin = shade(person.skin, 0.93)
    neck = mirrored([(0, 0.5), (0.5 + 0.08 * person.jaw, 0.6), (0.52, chin + 0.2), (0.75, chin + 0.55), (0, chin + 1.1)])
    shoulder = [(0, chin + 0.42), (0.5, chin + 0.36), (0.85, chin + 0.5), (0.75 * out, chin + 0.78), (out, chin + 1.3)]
    trunk = mirrored([*curve([*shoulder, (out * 1.1, 6)]), (0, 6)])
    cloth = canvas.mask(trunk)
    canvas.paint(trunk, person.cloth)
    with canvas.inside(cloth):
        _folds_of_cloth(canvas, person)
    opening = _opening(person, chin)
    canvas.paint(opening, shade(skin, 0.96))
    canvas.paint(closed(neck, 3), skin)
    with canvas.inside(canvas.mask(closed(neck, 3))):
        canvas.paint(oval(0.1 * person.light, chin * 0.93, 0.95, 0.5), shade(skin, 0.52), 0.35, 0.7)
        canvas.paint(oval(-0.55 * person.light, chin + 0.3, 0.3, 0.8), shade(skin, 0.6), 0.3, 0.5)
    _collar(canvas, person, chin)
    canvas.place = head


def _opening(person: Person, chin: float) -> list[Point]:
    deep = {"round": 0.66, "vee": 1.15, "shirt": 0.9, "jacket": 1.0, "roll": 0.2, "hood": 0.62}[person.collar]
    wide = 0.62 if person.collar in ("round", "hood", "roll") else 0.52
    if person.collar in ("vee", "shirt", "jacket"):
        return [(-wide, chin + 0.3), (wide, chin + 0.3), (0, chin + deep)]
    return oval(0, chin + 0.32, wide, deep - 0.3) if deep > 0.3 else [(0, chin), (0.1, chin), (0, chin + 0.1)]


def _folds_of_cloth(canvas: Canvas, person: Person) -> None:
    rng, out = person.rng("cloth"), person.shoulders
    low = person.length + 0.9
    canvas.paint(oval(-out * 0.8 * person.light, low + 0.9, out * 0.75, 1.7), shade(person.cloth, 0.6), 0.9, 0.7)
    canvas.paint(oval(out * 0.6 * person.light, low, out * 0.5, 0.5), mix(person.cloth, (255, 250, 240), 0.25), 0.7, 0.6)
    if person.chance % 5 == 0 and person.collar in ("round", "vee", "hood"):
        step = 0.3 + 0.2 * rng.random()
        for number in range(8):
            y = low + number * step
            canvas.paint([(-3.2, y + 0.1), (0, y), (3.2, y + 0.1), (3.2, y + 0.1 + step / 2), (0, y + step / 2), (-3.2, y + 0.1 + step / 2)],
                         person.second, 0.03, 0.75)  # fmt: skip
    for _ in range(9):
        x, y = rng.uniform(-out, out), low + rng.uniform(0, 1.5)
        line = [(x, y), (x + rng.uniform(-0.2, 0.2), y + 0.5), (x + rng.uniform(-0.4, 0.4), y + rng.uniform(0.8, 1.6))]
        canvas.stroke(line, 0.05, shade(person.cloth, 0.62), 0.12, 0.5)


def _collar(canvas: Canvas, person: Person, chin: float) -> None:
    cloth, dark = person.cloth, shade(person.cloth, 0.7)
    if person.collar == "roll":
        band = [(-0.6, chin + 0.12), (0, chin + 0.3), (0.6, chin + 0.12), (0.72, chin + 0.55), (0, chin + 0.78), (-0.72, chin + 0.55)]
        canvas.paint(closed(band), shade(cloth, 1.06))
        canvas.stroke([(-0.68, chin + 0.5), (0, chin + 0.74), (0.68, chin + 0.5)], 0.03, dark, 0.05, 0.8)
    elif person.collar == "hood":
        for side in (-1, 1):
            canvas.paint(closed([(side * 0.45, chin + 0.18), (side * 1.0, chin + 0.42), (side * 0.55, chin + 0.95), (side * 0.15, chin + 1.0)]), shade(cloth, 0.85), 0.03)
            canvas.stroke([(side * 0.25, chin + 0.95), (side * 0.3, chin + 1.3), (side * 0.27, chin + 1.7)], 0.025, shade(cloth, 1.5))
    elif person.collar in ("shirt", "jacket"):
        shirt = mix(person.second, (240, 240, 238), 0.75) if person.collar == "jacket" else shade(cloth, 1.1)
        _lapels(canvas, person, chin, shirt)
    elif person.collar == "round":
        canvas.stroke([(-0.66, chin + 0.3), (-0.4, chin + 0.6), (0, chin + 0.69), (0.4, chin + 0.6), (0.66, chin + 0.3)], 0.035, dark, 0.03, 0.8)


def _lapels(canvas: Canvas, person: Person, chin: float, shirt: Colour) -> None:
    if person.collar == "jacket":
        canvas.paint([(-0.6, chin + 0.35), (0.6, chin + 0.35), (0.05, 4), (-0.05, 4)], shirt, 0.02)
        canvas.paint([(-0.3, chin + 0.4), (0.3, chin + 0.4), (0, chin + 0.75)], shade(person.skin, 0.88), 0.02)
        if person.chance % 2:
            canvas.paint([(-0.11, chin + 0.72), (0.11, chin + 0.72), (0.17, 4), (-0.17, 4)], person.second)
    for side in (-1, 1):
        flap = [(side * 0.52, chin + 0.2), (side * 0.8, chin + 0.42), (side * 0.5, chin + 0.9), (side * 0.06, chin + 0.72)]
        canvas.paint(flap, shade(shirt, 1.05 if side * person.light > 0 else 0.9), 0.02)
        canvas.stroke([flap[3], flap[2], flap[1]], 0.02, shade(shirt, 0.62), 0.03, 0.8)
        if person.collar == "jacket":
            lapel = [(side * 0.74, chin + 0.4), (side * 1.05, chin + 1.0), (side * 0.8, chin + 1.15), (side * 0.1, 3.6)]
            canvas.paint(lapel, shade(person.cloth, 0.84), 0.02)


def _ears(canvas: Canvas, person: Person) -> None:
    if person.style in LONG:
        return
    for side in (-1, 1):
        tone = shade(person.skin, 0.95 if side * person.light > 0 else 0.78)
        canvas.paint(oval(side * 1.0, 0.03, 0.15, 0.29), tone, 0.03)
        canvas.paint(oval(side * 1.02, 0.02, 0.07, 0.17), shade(tone, 0.72), 0.06, 0.7)


def _hair_behind(canvas: Canvas, person: Person) -> None:
    dark = shade(person.hair, 0.72)
    chin = person.length
    if person.style == "long":
        shape = mirrored([(0, -1.6), (0.85, -1.4), (1.22, -0.6), (1.25, 0.4), (1.38, 1.4), (1.3, 2.35), (0.7, 2.5), (0, 2.2)])
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


def _hair_in_front(canvas: Canvas, person: Person, manner: Manner) -> None:
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
    tall, side = {"crop": (-1.52, -0.2), "receding": (-1.46, -0.1), "bun": (-1.55, -0.15)}.get(person.style, (-1.66, 0.1))
    low = 0.75 if person.style in ("long", "bob") else 0.35 if person.style == "curls" else side
    wide = 1.2 if person.style in LONG else 1.08
    outer = [(-1.0, low), (-wide, -0.35), (-wide + 0.1, -0.9), (-0.64, tall + 0.19), (0, tall), (0.64, tall + 0.19),
             (wide - 0.1, -0.9), (wide, -0.35), (1.0, low)]  # fmt: skip
    tip = 0.35 * person.crooked[0] * manner.crooked
    if person.style == "parted":
        way = 1 if person.chance % 2 else -1
        inner = [(0.96, -0.3), (0.86, -0.62 - 0.1 * way), (0.45, -0.86 - 0.14 * way), (0.0, -0.96), (-0.45, -0.86 + 0.14 * way), (-0.86, -0.62 + 0.1 * way), (-0.96, -0.3)]
    elif person.style == "fringe":
        inner = [(0.95, -0.1), (0.86, -0.5), (0.5, -0.57), (0.05 + tip, -0.61), (-0.5, -0.57), (-0.86, -0.5), (-0.95, -0.1)]
    elif person.style == "receding":
        inner = [(0.97, -0.35), (0.86, -0.8), (0.6, -1.16), (0.1 + tip, -1.02), (-0.6, -1.16), (-0.86, -0.8), (-0.97, -0.35)]
    elif person.style in ("long", "bob"):
        way = 0.12 + tip
        inner = [(0.87, 0.6), (0.84, -0.1), (0.72, -0.62), (way, -1.12), (-0.72, -0.66), (-0.84, -0.1), (-0.87, 0.6)]
    elif person.style == "curls":
        inner = [(0.92, 0.2), (0.84, -0.5), (0.5, -0.8), (tip, -0.84), (-0.5, -0.8), (-0.84, -0.5), (-0.92, 0.2)]
    else:
        inner = [(0.96, -0.25), (0.84, -0.7), (0.5, -0.95), (tip, -0.98), (-0.5, -0.95), (-0.84, -0.7), (-0.96, -0.25)]
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
        line = [(x * 0.55, y), (x * 0.9 + rng.uniform(-wave, wave), y + reach * 0.4), (x + rng.uniform(-wave, wave), y + reach)]
        canvas.stroke(line, rng.uniform(0.012, 0.03), tone, 0.02, 0.4)
