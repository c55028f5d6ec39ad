"""Lines and points over two axes: learning curves, ROC curves, reliability diagrams."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.charts.svg import WIDTH, Axis, chart, element, line, mark, number, path, text

LEFT, RIGHT, TOP, BELOW = 58, 12, 10, 42
KEY_ROW = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points (x, y) of one name and colour class; `band` are the (x, low, high) of an interval around them, as an area.

    `whiskers` are such intervals as single lines.

    `colour` is a class of charts.css: negative, positive, usual, problem, undecided, fine or faint. `shape` marks every
    point ("o", "s", "D"), "" draws the line alone; `dashed` and `joined` say how the points are connected.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: str = "usual"
    shape: str = ""
    dashed: bool = False
    joined: bool = True
    band: Sequence[tuple[float, float, float]] = ()
    whiskers: Sequence[tuple[float, float, float]] = ()


def plane(
    series: Sequence[Series], *, x: str, y: str, label: str, xs: tuple[float, float], ys: tuple[float, float],
    diagonal: bool = False, whole: bool = False, height: float = 260,
) -> Markup:  # fmt: skip
    """Draw series over named axes that reach from end to end of `xs` and `ys`.

    `diagonal` draws the faint line from corner to corner (chance of a ROC curve, perfect calibration); `whole` allows
    only whole numbers as ticks of x, as for epochs.
    """
    across = Axis(*xs, LEFT, WIDTH - RIGHT)
    up = Axis(*ys, height - BELOW, TOP)
    parts = [*_axes(across, up, x, y, height, whole)]
    if diagonal:
        parts.append(line((across.start, up.start), (across.end, up.end), "axis dashed"))
    for item in series:
        parts += _series(item, across, up)
    named = [item for item in series if item.name]
    parts += _key(named, height)
    return chart(parts, height=height + KEY_ROW * ((len(named) + 1) // 2), label=label)


def _axes(across: Axis, up: Axis, x: str, y: str, height: float, whole: bool) -> list[Markup]:
    parts = []
    for value in up.ticks():
        parts.append(line((across.start, up.at(value)), (across.end, up.at(value))))
        parts.append(text(number(value), across.start - 6, up.at(value) + 4, anchor="end", kind="faint"))
    for value in across.ticks(6):
        if not whole or value == int(value):
            parts.append(text(number(value), across.at(value), up.start + 16, anchor="middle", kind="faint"))
    parts.append(line((across.start, up.start), (across.end, up.start), "axis"))
    parts.append(text(x, (across.start + across.end) / 2, height - 6, anchor="middle", kind="faint"))
    middle = (up.start + up.end) / 2
    turned = f"rotate(-90 10 {middle:.1f})"
    parts.append(element("text", y, x=10, y=middle, transform=turned, text_anchor="middle", class_="faint"))
    return parts


def _series(item: Series, across: Axis, up: Axis) -> list[Markup]:
    parts = []
    if item.band:
        lower = [(across.at(x), up.at(low)) for x, low, _ in item.band]
        upper = [(across.at(x), up.at(high)) for x, _, high in reversed(item.band)]
        parts.append(path([*lower, *upper], f"area {item.colour}", closed=True))
    parts += [line((across.at(x), up.at(low)), (across.at(x), up.at(high)), f"reach {item.colour}")
              for x, low, high in item.whiskers]  # fmt: skip
    places = [(across.at(x), up.at(y)) for x, y in item.points]
    if item.joined and len(places) > 1:
        parts.append(path(places, f"curve {item.colour}{' dashed' if item.dashed else ''}"))
    if item.shape:
        parts += [mark(item.shape, x, y, f"dot {item.colour}", 3.5) for x, y in places]
    return parts


def _key(named: Sequence[Series], height: float) -> list[Markup]:
    parts = []
    for n, item in enumerate(named):
        left, top = LEFT + (n % 2) * (WIDTH - LEFT) / 2, height + KEY_ROW * (n // 2) + 12
        if item.joined:
            parts.append(line((left, top - 4), (left + 20, top - 4), f"curve {item.colour}{' dashed' * item.dashed}"))
        if item.shape:
            parts.append(mark(item.shape, left + 10, top - 4, f"dot {item.colour}", 3.5))
        parts.append(text(item.name, left + 26, top))
    return parts
