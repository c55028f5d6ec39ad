"""A matplotlib figure as the bytes of a PNG, without pyplot and its global state."""

import io
from collections.abc import Callable
from typing import Any

DPI = 144


def drawn(size: tuple[float, float], draw: Callable[[Any], None], *, fitted: bool = True, letters: float = 9) -> bytes:
    """Draw on a figure of a size in inches and return a PNG; equal drawings give equal bytes.

    `draw` gets the figure; unless it places its panels itself, they are `fitted` around what is written beside them.
    `letters` is the usual size of letters, in points. No text is taken for a formula.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"font.family": "DejaVu Sans", "font.size": letters, "text.parse_math": False}):
        figure = Figure(figsize=size, dpi=DPI, facecolor="white", layout="constrained" if fitted else None)
        FigureCanvasAgg(figure)
        draw(figure)
        target = io.BytesIO()
        figure.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()
