"""Why was this picture mistaken? Facts about one picture in, causes out, the likeliest first. Pure.

A cause is proposed where a number passes a limit that makes sense in itself and, where its class has enough pictures,
is also unusual within the class: what all portraits of a class have explains no single mistake. The limits were set on
portraits of Unsplash and stock photographs and judged on FFHQ (`benchmarks/causes.py`). A cause is a proposal for a
person to look at. It says what is unusual about a picture, not what moved the model.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Cause(StrEnum):
    """What may be wrong with a picture, in the order in which groups are shown."""

    MISLABELLED = "mislabelled"
    NO_FACE = "no face"
    TORN = "torn matte"
    LOW = "low resolution"
    RETOUCHED = "retouched"
    TIGHT = "tight crop"
    DARK = "dark"
    GREY = "grey"
    SHORTCUT = "leans on a shortcut"
    HARD = "simply hard"


@dataclass(frozen=True, slots=True)
class Usual:
    """How a number lies within a class: its median, its spread (1.4826 median absolute deviations) and of how many."""

    median: float
    spread: float
    count: int

    def away(self, value: float) -> float:
        """Return how many spreads a value lies above the median; NaN where either is unknown."""
        return (value - self.median) / max(self.spread, 1e-3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one picture of class `actual` that a model called `called`.

    `sure` is P(called), from a model that had not seen the picture; `typical` the share of the pictures of the class
    called of which models are no surer, None where that cannot be said. `near` counts the pictures of the class called
    among the nearest training pictures, of how many. `by_file` is P(called) by the file as fetched alone, and
    `file_auc` how well files tell the classes apart. `looked` tells whether a face was looked for, `face` whether there
    is one in the picture that the model saw. `numbers` are those of NUMBERS, NaN where they do not apply, and `usual`
    how each lies within the class; `grey_share` is the share of its class that is grey.
    """

    actual: str
    called: str
    sure: float
    typical: float | None = None
    near: tuple[int, int] | None = None
    by_file: float | None = None
    file_auc: float = 0.5
    looked: bool = False
    face: bool = True
    numbers: Mapping[str, float] = field(default_factory=dict)
    usual: Mapping[str, Usual] = field(default_factory=dict)
    grey_share: float = 0.0

    def number(self, name: str) -> float:
        """Return a number, NaN where it is not known."""
        return self.numbers.get(name, math.nan)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One cause with the sentence that speaks for it; `strength` is 1 at the limit and grows beyond it."""

    cause: Cause
    evidence: str
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """From where on a number is a cause: beyond `at`, towards `sign`, and `away` spreads from the median of its class.

    `step` is how far beyond the limit the strength has doubled. `says` takes the number and the median of the class.
    """

    number: str
    at: float
    sign: int
    away: float
    step: float
    says: str


ENOUGH = 10
"""A class of fewer pictures has no usual range to speak of, so that limits count by themselves."""

NUMBERS: Mapping[str, tuple[str, str, str]] = {
    "brightness": ("final", "tone", "brightness"),
    "colourless": ("final", "tone", "colourless"),
    "edges": ("fetched", "fineness", "edges"),
    "texture": ("fetched", "fineness", "texture"),
    "side": ("fetched", "fineness", "side"),
    "kept": ("final", "head", "kept"),
    "dent": ("final", "head", "dent"),
    "scale": ("final", "head", "scale"),
}
"""The numbers that limits go by: the stage at which each is measured, its family and its name there."""

LIMITS: Mapping[Cause, tuple[Limit, ...]] = {
    Cause.TORN: (
        Limit(number="kept", at=0.985, sign=-1, away=1.0, step=0.05,
              says="The matte keeps {percent:.0f} % of the face (usually {usually:.0f} %)."),
        Limit(number="dent", at=0.095, sign=1, away=2.0, step=0.1,
              says="The head is bitten out: its hull lacks {percent:.0f} % (usually {usually:.0f} %)."),
    ),
    Cause.LOW: (
        Limit(number="edges", at=-1.55, sign=-1, away=1.5, step=0.2,
              says="The edges of the face are {times:.1f} times softer than usual: few pixels, enlarged, or blurred."),
        Limit(number="side", at=40, sign=-1, away=1.0, step=15,
              says="The face is {share:.0f} px wide in the original (usually {usual:.0f} px)."),
    ),
    Cause.RETOUCHED: (
        Limit(number="texture", at=-2.9, sign=-1, away=1.0, step=0.5,
              says="Beside its own sharp edges, the skin has {times:.1f} times less texture than usual."),
    ),
    Cause.TIGHT: (
        Limit(number="scale", at=0.36, sign=1, away=2.5, step=0.1,
              says="Eyes and mouth take up {percent:.0f} % of the picture: it is cut tight (usually {usually:.0f} %)."),
    ),
    Cause.DARK: (
        Limit(number="brightness", at=50, sign=-1, away=1.3, step=15,
              says="The person is dark: a mean level of {share:.0f} of 255 (usually {usual:.0f})."),
    ),
}  # fmt: skip

GREY_FROM = 0.98
"""Share of pixels without colour from which a picture is grey."""

USUALLY_GREY = 0.5
"""Where so many of its class are grey, being grey explains nothing."""

TYPICAL, NEAR = 0.1, 0.6
"""A label is doubted where the model is surer than of a tenth of the pictures of the class called, and so many of the
nearest training pictures are of it. A tenth of all wrong labels is passed over by the first alone."""

WITNESS = 0.75
"""The AUC from which the file is a witness of the label."""

FILE_SAYS, FILE_DENIES = 0.8, 0.2


def causes(facts: Facts) -> tuple[Proposal, ...]:
    """Return all causes that something speaks for, the strongest first; "simply hard" only where nothing else does."""
    proposed = [*_label(facts), *_no_face(facts), *_limits(facts), *_grey(facts), *_shortcut(facts)]
    best: dict[Cause, Proposal] = {}
    for one in proposed:
        if one.cause not in best or one.strength > best[one.cause].strength:
            best[one.cause] = one
    if not best:
        return (Proposal(Cause.HARD, _nothing(facts), 0.0),)
    return tuple(sorted(best.values(), key=lambda one: -one.strength))


def _label(facts: Facts) -> list[Proposal]:
    """Doubt the label where a model that had not seen the picture is as sure as of others, and its neighbours agree."""
    if facts.near is None or facts.typical is None or facts.typical < TYPICAL or facts.near[0] < NEAR * facts.near[1]:
        return []
    strength = 1.5
    words = (
        f"The model is as sure of {facts.called} ({facts.sure:.2f}) as it is of pictures labelled so, and "
        f"{facts.near[0]} of its {facts.near[1]} nearest training pictures are {facts.called}"
    )
    if facts.by_file is not None and facts.file_auc >= WITNESS:
        if facts.by_file <= FILE_DENIES:
            return []
        if facts.by_file >= FILE_SAYS:
            strength, words = 3.0, f"{words}; its file, too, looks like that of {facts.called}"
    return [Proposal(Cause.MISLABELLED, f"{words}.", strength)]


def _no_face(facts: Facts) -> list[Proposal]:
    if not facts.looked or facts.face:
        return []
    return [Proposal(Cause.NO_FACE, "No face was found in the picture that the model saw.", 9.0)]


def _limits(facts: Facts) -> list[Proposal]:
    proposed = []
    for cause, limits in LIMITS.items():
        for limit in limits:
            value, usual = facts.number(limit.number), facts.usual.get(limit.number)
            beyond = limit.sign * (value - limit.at)
            if not beyond >= 0:
                continue
            if usual and usual.count >= ENOUGH and limit.sign * usual.away(value) < limit.away:
                continue
            middle = usual.median if usual else limit.at
            says = limit.says.format(
                share=value,
                usual=middle,
                percent=100 * value,
                usually=100 * middle,
                times=math.exp(abs(value - middle)),
            )
            proposed.append(Proposal(cause, says, 1 + beyond / limit.step))
    return proposed


def _grey(facts: Facts) -> list[Proposal]:
    if not facts.number("colourless") >= GREY_FROM or facts.grey_share >= USUALLY_GREY:
        return []
    says = f"It has no colour, like {100 * facts.grey_share:.0f} % of the {facts.actual} pictures."
    return [Proposal(Cause.GREY, says, 2.0)]


def _shortcut(facts: Facts) -> list[Proposal]:
    if facts.by_file is None or facts.file_auc < WITNESS or facts.by_file < FILE_SAYS:
        return []
    says = (
        f"Its file alone, as fetched, looks like that of {facts.called} ({facts.by_file:.2f}). Whether the model goes "
        "by that, audit reliance tests."
    )
    return [Proposal(Cause.SHORTCUT, says, 1.2 + facts.by_file)]


def _nothing(facts: Facts) -> str:
    unknown = [name for name, known in _ASKED if not known(facts)]
    seen = "Nothing else about it is unusual among the pictures of its class"
    return f"{seen}; not known: {', '.join(unknown)}." if unknown else f"{seen}."


_ASKED: tuple[tuple[str, Callable[[Facts], bool]], ...] = (
    ("its face", lambda facts: facts.looked),
    ("its matte", lambda facts: math.isfinite(facts.number("kept"))),
    ("what its file alone says", lambda facts: facts.by_file is not None and facts.file_auc >= WITNESS),
)
