"""One row per name with a number and its interval: hold-outs, slices, families, the balance of two classes."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.charts.svg import WIDTH, Axis, chart, element, line, mark, number, text

ROW, NAME, BELOW, TOP = 26, 18, 42, 6
LETTER = 7.0
"""Width of a letter, on the safe side: names that need more room are shortened in the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row: a number with its interval (or without), a colour class, a marker, and words at its right end.

    `other` is a second number in the same row, drawn hollow, such as the value before.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    colour: str = "usual"
    shape: str = "o"
    words: str = ""
    other: float | None = None
    strong: bool = False


def rows(
    bars: Sequence[Bar], *, x: str, label: str, ends: tuple[float, float], middle: float | None = None,
    names: float = 130, words: float = 118,
) -> Markup:  # fmt: skip
    """Draw the rows under each other; `middle` is the line of chance or of no difference, `ends` those of the axis.

    `names` and `words` are the room at the left for names and at the right for words, in units of the chart. Where a
    name needs more room than that, every name stands above its row.
    """
    above = any(len(bar.name) * LETTER > names for bar in bars)
    right = words if any(bar.words for bar in bars) else 10.0
    across = Axis(*ends, 8.0 if above else names + 8, WIDTH - right - 6)
    step = ROW + NAME if above else ROW
    foot = TOP + step * len(bars)
    parts = [line((across.at(value), TOP), (across.at(value), foot)) for value in across.ticks(5)]
    parts += [
        text(number(value), across.at(value), foot + 16, anchor="middle", kind="faint") for value in across.ticks(5)
    ]
    if middle is not None:
        parts.append(line((across.at(middle), TOP), (across.at(middle), foot), "axis"))
    for n, bar in enumerate(bars):
        top = TOP + step * n
        if above:
            parts.append(_name(bar, 0, top + NAME - 4, WIDTH, "start"))
        else:
            parts.append(_name(bar, names, top + ROW / 2 + 4, names, "end"))
        parts += _row(bar, top + step - ROW / 2, across)
    parts.append(text(x, (across.start + across.end) / 2, foot + 34, anchor="middle", kind="faint"))
    return chart(parts, height=foot + BELOW, label=label)


def _name(bar: Bar, x: float, y: float, room: float, anchor: str) -> Markup:
    words = text(short(bar.name, room), x, y, anchor=anchor, kind="strong" if bar.strong else "")
    return element("g", element("title", bar.name) + words)


def _row(bar: Bar, y: float, across: Axis) -> list[Markup]:
    parts = []
    if bar.low is not None and bar.high is not None:
        parts.append(line((across.at(bar.low), y), (across.at(bar.high), y), f"reach {bar.colour}"))
    if bar.other is not None:
        parts.append(mark(bar.shape, across.at(bar.other), y, f"hollow {bar.colour}", 4))
    parts.append(mark(bar.shape, across.at(bar.value), y, f"dot {bar.colour}"))
    if bar.words:
        parts.append(text(bar.words, across.end + 8, y + 4, kind="strong" if bar.strong else ""))
    return parts


def short(name: str, room: float) -> str:
    """Shorten a name in the middle to a room in units of the chart."""
    most = max(3, int(room / LETTER))
    head, tail = most - most // 2 - 1, most // 2
    return name if len(name) <= most else f"{name[:head]}…{name[len(name) - tail :]}"
