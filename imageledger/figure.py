"""How every figure looks: the palette, the letters, the axes, and a drawing as the bytes of a PNG.

No figure chooses a colour of its own. Contact sheets take their colours from here too. Nothing here uses pyplot and
its global state.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from imageledger.letters import visible, wrapped

PAPER = "#ffffff"
INK = "#16181d"
FAINT = "#646a73"
LINE = "#cfd3d9"
MOUNT = "#eceef1"

NEGATIVE, POSITIVE = "#2f6db5", "#b85c00"
"""The two classes: blue and orange."""

USUAL = NEGATIVE
"""The colour of everything that has no class and no verdict."""

PROBLEM, UNDECIDED, FINE = "#8f1d14", "#9c6b00", "#0b7285"
"""Verdicts. Like the classes, they can be told apart with any kind of colour blindness; each has its marker too."""

UNSURE = "#e7dcc0"
"""A range in which no verdict is given."""

SHADES = "Blues"
"""From none to all, for tables of counts and shares."""

DPI = 144
LETTERS, SMALL, HEADING = 9.0, 8.5, 11.5
"""Sizes of letters, in points: in text, in keys and feet, and in titles."""

EDGE = 0.22
"""Room between words and the edge of a figure, in inches."""


def drawn(
    size: tuple[float, float], draw: Callable[[Any], None], *, title: str, note: str = "", foot: str = ""
) -> bytes:
    """Draw a figure and return a PNG; equal drawings give equal bytes.

    `size` is the width of the figure and the height of what `draw` fills, in inches; `draw` gets a (sub)figure whose
    panels are fitted around their words. The `title` and a `note` (what was counted, and how many) stand above, the
    `foot` (how to read the figure) below. All three are wrapped, and no text is taken for a formula.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"font.family": "DejaVu Sans", "font.size": LETTERS, "text.parse_math": False}):
        figure = Figure(dpi=DPI, facecolor=PAPER, layout="constrained")
        FigureCanvasAgg(figure)
        head = [
            *_lines(figure, title, HEADING, "bold", INK, size[0]),
            *_lines(figure, note, LETTERS, "normal", FAINT, size[0]),
        ]
        below = _lines(figure, foot, SMALL, "normal", FAINT, size[0])
        heights = (_tall(head) + EDGE, size[1], _tall(below) + EDGE)
        figure.set_size_inches(size[0], sum(heights))
        aside = EDGE / size[0]
        layout: Any = figure.get_layout_engine()
        layout.set(w_pad=0.04, h_pad=0.06, rect=(aside, 0, 1 - 2 * aside, 1))
        parts: Any = figure.subfigures(3, 1, height_ratios=heights, hspace=0)
        _write(figure, head, sum(heights) - EDGE * 0.8)
        draw(parts[1])
        _write(figure, below, _tall(below) + EDGE * 0.7)
        target = io.BytesIO()
        figure.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()


def styled(axes: Any, *, x: str = "", y: str = "", title: str = "", grid: str = "") -> None:
    """Give axes the style of all figures: names, no frame, no ticks, and a faint `grid` along "x", "y" or "both".

    A `title` names a panel where a figure has several.
    """
    axes.set_xlabel(visible(x), color=FAINT)
    axes.set_ylabel(visible(y), color=FAINT)
    if title:
        axes.set_title(visible(title), fontsize=10, fontweight="bold", color=INK, loc="left")
    axes.tick_params(length=0, colors=INK)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=LINE, lw=0.6, alpha=0.7)
    for side in axes.spines.values():
        side.set_visible(False)


def whisker(
    axes: Any,
    place: float,
    value: float,
    ends: tuple[float, float],
    colour: str,
    marker: str = "o",
    *,
    up: bool = False,
) -> None:
    """Draw a number as a marker on the line of its interval: across the row `place`, or `up` the column."""
    along, at = list(ends), [place, place]
    axes.plot(*((at, along) if up else (along, at)), color=colour, lw=2.2, alpha=0.45, zorder=4, solid_capstyle="round")
    axes.plot(*(([place], [value]) if up else ([value], [place])), marker, color=colour, ms=6, zorder=5,
              markeredgecolor="white", markeredgewidth=0.6)  # fmt: skip


def key(
    owner: Any, entries: Sequence[tuple[str, str, str]] = (), *, loc: str = "outside lower left", columns: int = 3
) -> None:
    """Explain marks in a figure or axes: `entries` are (words, colour, marker), where "" as marker means an area.

    Without entries, the key explains everything that was drawn with a label.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], marker=marker, color=colour, lw=2.2, ms=6, label=visible(words))
        if marker
        else Patch(color=colour, label=visible(words))
        for words, colour, marker in entries
    ]
    given = {"handles": handles} if handles else {}
    owner.legend(**given, loc=loc, ncols=columns, frameon=False, fontsize=SMALL, labelcolor=FAINT, handlelength=1.4,
                 columnspacing=1.6)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float
    weight: str
    colour: str

    @property
    def step(self) -> float:
        return self.size * 1.5 / 72


class _Letters:
    """Letters of one size as matplotlib draws them, to measure words that have to fit."""

    def __init__(self, figure: Any, size: float, weight: str) -> None:
        from matplotlib.font_manager import FontProperties

        self.renderer = figure.canvas.get_renderer()
        self.font = FontProperties(family="DejaVu Sans", size=size, weight=weight)

    def getlength(self, text: str) -> float:
        return float(self.renderer.get_text_width_height_descent(text, self.font, False)[0])


def _lines(figure: Any, text: str, size: float, weight: str, colour: str, width: float) -> list[_Line]:
    room = int((width - 2 * EDGE) * DPI)
    letters = _Letters(figure, size, weight)
    parts = [part for whole in text.splitlines() for part in wrapped(whole, letters, room)]
    return [_Line(part, size, weight, colour) for part in parts]


def _tall(lines: Sequence[_Line]) -> float:
    return sum(line.step for line in lines)


def _write(figure: Any, lines: Sequence[_Line], top: float) -> None:
    """Write lines below each other, from `top` inches above the lower edge."""
    wide, tall = figure.get_size_inches()
    for line in lines:
        figure.text(EDGE / wide, top / tall, line.text, fontsize=line.size, fontweight=line.weight, color=line.colour,
                    va="top")  # fmt: skip
        top -= line.step
