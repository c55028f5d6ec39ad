"""How one number is distributed in both classes: bars above the line for the negative class, below for the positive."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from audit.charts.svg import WIDTH, chart, element, line, text
from imageledger.types import Bools, Floats

BINS = 32
KEPT_INSIDE = (0.01, 0.99)
"""The quantiles between which a distribution is drawn; what lies outside is put into the outermost bars."""

HALF = 58


def spread(
    values: Floats, positive: Bools, labels: Sequence[str], *, name: str, format: str = "{:.3g}"
) -> Markup | None:
    """Draw the values (n) of both classes (`positive`: n); None where there is no value to draw."""
    known = np.isfinite(values)
    if not known.any():
        return None
    low, high = (float(end) for end in np.quantile(values[known], KEPT_INSIDE))
    if high <= low:
        low, high = float(values[known].min()), float(values[known].max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    sides = [values[known & ~positive], values[known & positive]]
    shares = [np.histogram(np.clip(side, low, high), BINS, (low, high))[0] / max(1, len(side)) for side in sides]
    tallest = max(float(share.max()) for share in shares) or 1.0
    parts = [line((0, HALF + 2), (WIDTH, HALF + 2), "axis")]
    parts += _side(shares[0] / tallest, "negative", above=True) + _side(shares[1] / tallest, "positive", above=False)
    for side, colour, top in ((sides[0], "negative", 2), (sides[1], "positive", HALF + 2)):
        if len(side):
            place = WIDTH * float(np.clip((np.median(side) - low) / (high - low), 0, 1))
            parts.append(line((place, top), (place, top + HALF), f"median {colour}"))
    foot = 2 * HALF + 20
    parts += [
        text(format.format(low), 0, foot, kind="faint"),
        text(format.format(high), WIDTH, foot, anchor="end", kind="faint"),
    ]
    medians = ", ".join(
        f"{label}: median {format.format(np.median(side))}"
        for label, side in zip(labels, sides, strict=True)
        if len(side)
    )
    parts.append(text(medians, WIDTH / 2, foot, anchor="middle"))
    return chart(parts, height=foot + 6, label=f"{name}: {labels[0]} above the line, {labels[1]} below; {medians}")


def _side(shares: Floats, colour: str, *, above: bool) -> list[Markup]:
    wide = WIDTH / BINS
    return [
        element("rect", x=n * wide + 1, y=HALF + 2 - HALF * share if above else HALF + 2.0, width=wide - 2,
                height=float(HALF * share), class_=f"bar {colour}")
        for n, share in enumerate(shares.tolist())
        if share
    ]  # fmt: skip
