"""Who is drawn and how: the traits of an invented sitter, drawn from chance without regard to any label."""

from dataclasses import dataclass

import numpy as np

from curate.sources.sample.canvas import Colour, mix, shade

SKINS: tuple[Colour, ...] = (
    (246, 217, 196), (240, 203, 176), (229, 187, 154), (216, 170, 134), (199, 150, 112),
    (178, 128, 92), (154, 106, 74), (132, 90, 64), (112, 76, 55), (96, 66, 50),
)  # fmt: skip
DARK_HAIR: tuple[Colour, ...] = ((28, 23, 22), (44, 32, 26), (62, 42, 30), (36, 30, 34))
ANY_HAIR: tuple[Colour, ...] = (
    *DARK_HAIR, (92, 62, 40), (124, 80, 46), (150, 84, 44), (186, 146, 92), (214, 182, 128), (168, 164, 160),
    (224, 220, 212),
)  # fmt: skip
IRISES: tuple[Colour, ...] = ((74, 48, 30), (58, 36, 24), (96, 70, 40), (90, 116, 84), (84, 118, 150), (110, 128, 140))
CLOTHES: tuple[Colour, ...] = (
    (38, 44, 62), (120, 36, 42), (46, 84, 70), (224, 220, 210), (52, 52, 54), (60, 98, 148), (196, 152, 64),
    (128, 88, 122), (94, 110, 74), (206, 124, 104), (30, 34, 36), (150, 176, 190),
)  # fmt: skip
BACKDROPS: tuple[Colour, ...] = (
    (196, 204, 208), (122, 138, 150), (208, 196, 174), (86, 104, 96), (62, 70, 84), (182, 150, 128), (150, 172, 148),
    (226, 222, 214), (98, 88, 100), (134, 164, 188), (176, 112, 92), (58, 84, 88),
)  # fmt: skip
HAIR_STYLES = ("crop", "parted", "long", "bob", "curls", "bun", "bald", "fringe", "receding")
COLLARS = ("round", "vee", "shirt", "jacket", "roll", "hood")
SCENES = ("plain", "wall", "bokeh", "window", "leaves", "shelves")
LEAST_CONTRAST = 34
"""How far, in grey levels, the backdrop keeps from hair and clothes, so that a person can be cut out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An invented sitter, the place behind, and the light; lengths in head units (half a face's width is 1)."""

    skin: Colour
    hair: Colour
    iris: Colour
    cloth: Colour
    second: Colour
    backdrop: Colour
    style: str
    collar: str
    scene: str
    jaw: float
    length: float
    shoulders: float
    eyes: float
    apart: float
    nose: float
    mouth: float
    lips: float
    smile: float
    brows: float
    age: float
    beard: float
    glasses: bool
    earrings: bool
    made_up: float
    light: float
    face: float
    off: tuple[float, float]
    lean: float
    turn: float
    crooked: tuple[float, ...]
    chance: int

    def rng(self, part: str) -> np.random.Generator:
        """Return this sitter's own chance for one part of the drawing, so that parts do not shift each other."""
        return np.random.Generator(np.random.PCG64([self.chance, *part.encode()]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a sitter is rendered, each 0..1; a camera shows more of the first three, a generator more of the others."""

    crooked: float
    folds: float
    blemish: float
    gloss: float
    polish: float
    tint: float
    mismatch: float


def grey(colour: Colour) -> float:
    """Return the brightness of a colour, 0..255."""
    return (299 * colour[0] + 587 * colour[1] + 114 * colour[2]) / 1000


def invent(chance: int) -> Person:
    """Return the sitter that belongs to a number; the same number always gives the same sitter."""
    rng = np.random.Generator(np.random.PCG64(chance))
    tone = int(rng.integers(len(SKINS)))
    skin = shade(SKINS[tone], rng.uniform(0.96, 1.05))
    age = rng.uniform(0, 1)
    hair = _pick(rng, DARK_HAIR if tone > 5 or rng.random() < 0.25 else ANY_HAIR)
    if age > 0.75 and rng.random() < 0.6:
        hair = mix(hair, (190, 188, 184), rng.uniform(0.4, 0.9))
    bearded = rng.random() < 0.28
    style = str(rng.choice(("crop", "parted", "receding", "bald", "curls") if bearded else HAIR_STYLES))
    cloth, backdrop = _clothes_and_backdrop(rng, hair, skin)
    return Person(
        skin=skin, hair=hair, iris=_pick(rng, IRISES[:3] if tone > 5 else IRISES), cloth=cloth, backdrop=backdrop,
        second=_pick(rng, CLOTHES), style=style, collar=str(rng.choice(COLLARS)), scene=str(rng.choice(SCENES)),
        jaw=rng.uniform(0.0, 1.0), length=rng.uniform(1.24, 1.4), shoulders=rng.uniform(2.1, 2.75),
        eyes=rng.uniform(0.19, 0.225), apart=rng.uniform(0.41, 0.46), nose=rng.uniform(0.15, 0.22),
        mouth=rng.uniform(0.3, 0.4), lips=rng.uniform(0.06, 0.1), smile=rng.uniform(-0.1, 1.0),
        brows=rng.uniform(0.05, 0.1), age=age, beard=rng.uniform(0.35, 1) if bearded else 0.0,
        glasses=rng.random() < 0.2, earrings=not bearded and rng.random() < 0.25,
        made_up=0.0 if bearded else rng.uniform(0, 0.7), light=float(rng.choice((-1.0, 1.0))) * rng.uniform(0.2, 0.85),
        face=rng.uniform(0.185, 0.225), off=(rng.uniform(-0.06, 0.06), rng.uniform(-0.015, 0.03)),
        lean=rng.uniform(-0.05, 0.05), turn=rng.uniform(-0.55, 0.55),
        crooked=tuple(rng.uniform(-1, 1, 8).tolist()), chance=int(rng.integers(1 << 62)),
    )  # fmt: skip


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    return shade(colours[int(rng.integers(len(colours)))], rng.uniform(0.9, 1.1))


def _clothes_and_backdrop(rng: np.random.Generator, hair: Colour, skin: Colour) -> tuple[Colour, Colour]:
    """Draw colours until the person stands out from what is behind."""
    while True:
        cloth, backdrop = _pick(rng, CLOTHES), _pick(rng, BACKDROPS)
        apart = min(_distance(backdrop, cloth), _distance(backdrop, hair), _distance(backdrop, skin) * 1.3)
        if apart >= LEAST_CONTRAST:
            return cloth, backdrop


def _distance(first: Colour, second: Colour) -> float:
    hue = max(abs(a - b - (first[1] - second[1])) for a, b in zip(first, second, strict=True))
    return abs(grey(first) - grey(second)) + hue / 2
