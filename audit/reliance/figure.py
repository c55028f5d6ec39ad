"""The figure of an audit of reliance: what file and model say, what families explain, what swaps move."""

from typing import Any

import numpy as np

from audit.reliance.explained import WEAK
from audit.reliance.judge import SURE, RunReliance
from audit.reliance.swaps import SWAPPED
from audit.words import family_in_words
from imageledger.figure import FAINT, LINE, MOUNT, NEGATIVE, POSITIVE, PROBLEM, drawn, key, styled, whisker
from imageledger.letters import visible

SIZE = (14.4, 4.4)
LEAST = -0.3
"""R² below this stand at the edge."""
MOST_SPREADS = 6.0
"""Shifts beyond this stand at the edge."""
MOST = 8.0
"""Logits beyond this stand at the edge."""


def png(result: RunReliance, heading: str) -> bytes:
    """Draw both panels and return a PNG; equal results give equal bytes."""
    note = f"Run {result.run}: {result.reliance.model.total} pictures, {result.split}."
    foot = (
        "Left: what the file says of a picture, and what the model says. Middle: how much of the answers within a "
        "class the numbers of a family explain; red diamond: certainly more than nothing, which the "
        "face may explain too. "
        "Right: how far the answers move towards the class whose delivery a picture gets, in spreads of the answers; "
        "grey: too little to count; red diamond: both classes move further for certain."
    )

    def draw(figure: Any) -> None:
        left, middle, right = figure.subplots(1, 3, width_ratios=(5, 4, 4))
        _pictures(left, result)
        _families(middle, result)
        _swaps(right, result)

    return drawn(SIZE, draw, title=heading, note=note, foot=foot)


def _pictures(axes: Any, result: RunReliance) -> None:
    reliance = result.reliance
    inside = np.clip(reliance.answers, 1e-9, 1 - 1e-9)
    model = np.clip(np.log(inside / (1 - inside)), -MOST, MOST)
    file = np.clip(reliance.probe.scores, -MOST, MOST)
    axes.axhline(0, color=LINE, lw=1, zorder=1)
    axes.axvline(0, color=LINE, lw=1, zorder=1)
    sides = zip((~reliance.positive, reliance.positive), (NEGATIVE, POSITIVE), result.labels, strict=True)
    for side, colour, label in sides:
        axes.scatter(file[side], model[side], s=20, color=colour, alpha=0.65, lw=0, zorder=3, label=visible(label))
        if side.sum() > 2 and np.ptp(file[side]) > 0:
            ends = np.array([file[side].min(), file[side].max()])
            axes.plot(ends, np.polyval(np.polyfit(file[side], model[side], 1), ends), color=colour, lw=2, zorder=4)
    positive = result.labels[1]
    key(axes, loc="upper left", columns=1)
    asked = "asked outside the choice" if result.chosen else "out of fold"
    styled(axes, x=f"the file alone, {asked}: logit of P({positive})", y=f"the model: logit of P({positive})")


def _families(axes: Any, result: RunReliance) -> None:
    asked = sorted(result.reliance.explained, key=lambda one: -one.share)
    axes.axvspan(LEAST, WEAK, color=MOUNT, lw=0, zorder=0)
    axes.axvline(0, color=FAINT, lw=1, zorder=1)
    for row, one in enumerate(asked):
        colour, marker = (PROBLEM, "D") if one.p < SURE else (FAINT, "o")
        low, value, high = (max(LEAST, number) for number in (one.low, one.share, one.high))
        whisker(axes, row, value, (low, high), colour, marker)
    axes.set_yticks(range(len(asked)), [family_in_words(one.family) for one in asked])
    axes.set_ylim(max(len(asked), 1) - 0.4, -0.6)
    axes.set_xlim(LEAST, 1)
    styled(axes, x="R² of the answers within a class")


def _swaps(axes: Any, result: RunReliance) -> None:
    swaps = result.reliance.swaps
    moved = {swap.what for swap in result.reliance.moved}
    axes.axvline(0, color=FAINT, lw=1, zorder=1)
    for row, swap in enumerate(swaps):
        axes.barh(row, 2 * swap.margin, left=-swap.margin, height=0.7, color=MOUNT, zorder=0)
        marker = "D" if swap.what in moved else "o"
        for offset, shift, colour in zip((-0.15, 0.15), swap.shifts, (NEGATIVE, POSITIVE), strict=True):
            low, value, high = (float(np.clip(number, -MOST_SPREADS, MOST_SPREADS))
                                for number in (shift.low, shift.value, shift.high))  # fmt: skip
            whisker(axes, row + offset, value, (low, high), PROBLEM if marker == "D" else colour, marker)
    if not swaps:
        axes.text(0.5, 0.5, "no delivery was swapped", ha="center", color=FAINT, transform=axes.transAxes)
    axes.set_yticks(range(len(swaps)), [SWAPPED[swap.what] for swap in swaps])
    axes.set_ylim(max(len(swaps), 1) - 0.4, -0.6)
    reach = max([1.0, *(abs(end) for swap in swaps for shift in swap.shifts for end in (shift.low, shift.high))])
    reach = min(reach * 1.1, MOST_SPREADS)
    axes.set_xlim(-reach, reach)
    axes.locator_params(axis="x", nbins=5)
    styled(axes, x=f"moves, in spreads ({', then '.join(map(visible, result.labels))})")
