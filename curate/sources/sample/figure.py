"""The figure of a sitter: body, clothes, head and hair, in the order in which a painter would lay them down."""

from dataclasses import replace

from PIL import Image

from curate.sources.sample.canvas import Canvas, Colour, Place, Point, closed, curve, mirrored, mix, oval, shade
from curate.sources.sample.face import Trace, adornments, complexion, face
from curate.sources.sample.hair import LONG, hair_behind, hair_in_front
from curate.sources.sample.person import Manner, Person


def portrait(person: Person, manner: Manner, behind: Image.Image, trace: Trace | None = None) -> Image.Image:
    """Draw a sitter in a manner before a backdrop, an RGB picture; `trace` goes over the bare skin."""
    person = replace(person, skin=complexion(person, manner))
    wide, high = behind.size
    unit = person.face * min(behind.size)
    place = Place(
        x=(0.5 + person.off[0]) * wide,
        y=max(2.15 * unit, min(high - 2.3 * unit, (0.44 + person.off[1]) * high)),
        unit=unit, lean=person.lean, turn=person.turn * (0.45 + 0.55 * manner.crooked),
    )  # fmt: skip
    canvas = Canvas(behind, place)
    hair_behind(canvas, person)
    _body(canvas, person)
    _ears(canvas, person)
    face(canvas, person, manner, trace)
    hair_in_front(canvas, person, manner)
    adornments(canvas, person)
    return canvas.image


def _body(canvas: Canvas, person: Person) -> None:
    head, canvas.place = canvas.place, canvas.place.upright()
    chin, out = person.length, person.shoulders
    skin = shade(person.skin, 0.93)
    neck = mirrored(
        [(0, 0.5), (0.5 + 0.08 * person.jaw, 0.6), (0.52, chin + 0.2), (0.75, chin + 0.55), (0, chin + 1.1)]
    )
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
    canvas.paint(
        oval(out * 0.6 * person.light, low, out * 0.5, 0.5), mix(person.cloth, (255, 250, 240), 0.25), 0.7, 0.6
    )
    if person.chance % 5 == 0 and person.collar in ("round", "vee", "hood"):
        step = 0.3 + 0.2 * rng.random()
        for number in range(8):
            y = low + number * step
            upper, lower = ([(x, y + 0.1 * (x != 0) + more) for x in (-3.2, 0.0, 3.2)] for more in (0, step / 2))
            canvas.paint([*upper, *reversed(lower)], person.second, 0.03, 0.75)
    for _ in range(9):
        x, y = rng.uniform(-out, out), low + rng.uniform(0, 1.5)
        line = [(x, y), (x + rng.uniform(-0.2, 0.2), y + 0.5), (x + rng.uniform(-0.4, 0.4), y + rng.uniform(0.8, 1.6))]
        canvas.stroke(line, 0.05, shade(person.cloth, 0.62), 0.12, 0.5)


def _collar(canvas: Canvas, person: Person, chin: float) -> None:
    cloth, dark = person.cloth, shade(person.cloth, 0.7)
    if person.collar == "roll":
        band = [
            (-0.6, chin + 0.12),
            (0, chin + 0.3),
            (0.6, chin + 0.12),
            (0.72, chin + 0.55),
            (0, chin + 0.78),
            (-0.72, chin + 0.55),
        ]
        canvas.paint(closed(band), shade(cloth, 1.06))
        canvas.stroke([(-0.68, chin + 0.5), (0, chin + 0.74), (0.68, chin + 0.5)], 0.03, dark, 0.05, 0.8)
    elif person.collar == "hood":
        _hood(canvas, cloth, chin)
    elif person.collar in ("shirt", "jacket"):
        shirt = mix(person.second, (240, 240, 238), 0.75) if person.collar == "jacket" else shade(cloth, 1.1)
        _lapels(canvas, person, chin, shirt)
    elif person.collar == "round":
        canvas.stroke(
            [(-0.66, chin + 0.3), (-0.4, chin + 0.6), (0, chin + 0.69), (0.4, chin + 0.6), (0.66, chin + 0.3)],
            0.035,
            dark,
            0.03,
            0.8,
        )


def _hood(canvas: Canvas, cloth: Colour, chin: float) -> None:
    for side in (-1, 1):
        canvas.paint(
            closed(
                [
                    (side * 0.45, chin + 0.18),
                    (side * 1.0, chin + 0.42),
                    (side * 0.55, chin + 0.95),
                    (side * 0.15, chin + 1.0),
                ]
            ),
            shade(cloth, 0.85),
            0.03,
        )
        canvas.stroke(
            [(side * 0.25, chin + 0.95), (side * 0.3, chin + 1.3), (side * 0.27, chin + 1.7)],
            0.025,
            shade(cloth, 1.5),
        )


def _lapels(canvas: Canvas, person: Person, chin: float, shirt: Colour) -> None:
    if person.collar == "jacket":
        canvas.paint([(-0.6, chin + 0.35), (0.6, chin + 0.35), (0.05, 4), (-0.05, 4)], shirt, 0.02)
        canvas.paint([(-0.3, chin + 0.4), (0.3, chin + 0.4), (0, chin + 0.75)], shade(person.skin, 0.88), 0.02)
        if person.chance % 2:
            canvas.paint([(-0.11, chin + 0.72), (0.11, chin + 0.72), (0.17, 4), (-0.17, 4)], person.second)
    for side in (-1, 1):
        flap = [
            (side * 0.52, chin + 0.2),
            (side * 0.8, chin + 0.42),
            (side * 0.5, chin + 0.9),
            (side * 0.06, chin + 0.72),
        ]
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
