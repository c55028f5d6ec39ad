"""Elements of SVG and straight axes: pure, numbers in, escaped markup out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from imageledger.letters import visible

WIDTH = 440
"""Width of every chart in its own units: at 390 px of screen its letters are still 10 px tall."""


def element(name: str, content: str | Markup = "", **attributes: object) -> Markup:
    """Return one element; content and attributes are escaped, `class_` and `stroke_width` are spelled as in SVG."""
    spelled = Markup("").join(
        Markup(' {}="{}"').format(Markup(key.rstrip("_").replace("_", "-")), _plain(value))
        for key, value in attributes.items()
        if value is not None
    )
    inside = content if isinstance(content, Markup) else escape(visible(content))
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), spelled, inside)


def chart(parts: Iterable[Markup], *, height: float, label: str, width: float = WIDTH) -> Markup:
    """Return a whole drawing of `width` × `height` units; `label` says in a sentence what it shows."""
    return element("svg", Markup("").join(parts), class_="chart", viewBox=f"0 0 {_plain(width)} {_plain(height)}",
                   role="img", aria_label=visible(label))  # fmt: skip


def text(words: str, x: float, y: float, *, anchor: str = "start", kind: str = "") -> Markup:
    """Return words on the base line (x, y); `kind` adds classes such as "faint" or "strong"."""
    return element("text", words, x=x, y=y, text_anchor=anchor, class_=kind or None)


def line(start: tuple[float, float], end: tuple[float, float], kind: str = "grid") -> Markup:
    """Return a straight line; `kind` are its classes."""
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=kind)


def path(points: Sequence[tuple[float, float]], kind: str, *, closed: bool = False) -> Markup:
    """Return a line through points, or the area that they enclose; `kind` are its classes."""
    steps = " ".join(f"{'L' if n else 'M'}{_plain(x)} {_plain(y)}" for n, (x, y) in enumerate(points))
    return element("path", d=steps + ("Z" if closed else ""), class_=kind)


def mark(shape: str, x: float, y: float, kind: str, size: float = 4.5) -> Markup:
    """Return a marker ("o" circle, "s" square, "D" diamond), so that no chart says anything by colour alone."""
    if shape == "o":
        return element("circle", cx=x, cy=y, r=size, class_=kind)
    if shape == "s":
        return element("rect", x=x - size, y=y - size, width=2 * size, height=2 * size, class_=kind)
    reach = 1.35 * size
    return path([(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)], kind, closed=True)


@dataclass(frozen=True, slots=True)
class Axis:
    """A straight axis: values of `low`..`high` lie between the places `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value; values outside are put on the end."""
        span = self.high - self.low
        share = min(1.0, max(0.0, (value - self.low) / span)) if span else 0.5
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Return at most `most` round values on the axis."""
        span = self.high - self.low
        if not (span > 0 and math.isfinite(span)):
            return [self.low]
        rough = span / max(1, most - 1)
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(n * step, 12) for n in range(first, last + 1)]


def number(value: float) -> str:
    """Write the value of a tick, as short as it is exact."""
    return f"{value:.6g}"


def _plain(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else visible(str(value))
