"""The reliability figure: how often each probability came true, before and after the temperature."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from audit.calibration.bins import Bin
from audit.calibration.judge import RunCalibration
from imageledger.figure import FAINT, FINE, MOUNT, NEGATIVE, POSITIVE, PROBLEM, UNSURE, drawn, key, styled, whisker
from train.evaluation.temperature import calibrated

SIZE = (9.2, 5.0)
STEPS = np.linspace(0, 1, 21)


def png(result: RunCalibration, heading: str) -> bytes:
    """Draw both panels and return a PNG; equal results give equal bytes."""
    judged = result.answers
    note = f"Run {judged.run.name}: {judged.one_by_one}. Right: pictures that the temperature was not fitted on."
    return drawn(SIZE, lambda figure: _draw(figure, result), title=heading, note=note)


def _draw(figure: Any, result: RunCalibration) -> None:
    panels = figure.subplots(2, 2, sharex="all", sharey="row", height_ratios=(4, 1))
    negative, positive = result.answers.labels
    raw = result.shares
    columns = (
        (result.before, raw, "as the model says it"),
        (result.after, calibrated(raw, result.calibration.temperature), "calibrated"),
    )
    for column, (bins, shares, title) in enumerate(columns):
        first = column == 0
        _panel(panels[0, column], bins)
        styled(panels[0, column], y=f"share that is {positive}" if first else "", title=title, grid="both")
        _counts(panels[1, column], result, shares)
        styled(panels[1, column], x=f"P({positive}), {title}", y="pictures" if first else "", grid="both")
    for axes in panels[:, 1]:
        axes.axvspan(result.calibration.low, result.calibration.high, color=UNSURE, alpha=0.45, zorder=0, lw=0)
    key(
        figure,
        [
            ("within the grey band", FINE, "o"),
            ("outside it", PROBLEM, "D"),
            ("19 of 20 calibrated models", MOUNT, ""),
            ("unsure: no verdict", UNSURE, ""),
            (negative, NEGATIVE, ""),
            (positive, POSITIVE, ""),
        ],
    )


def _panel(axes: Any, bins: Sequence[Bin]) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, lw=1, zorder=2)
    places = [part.said for part in bins]
    axes.fill_between(places, [part.least for part in bins], [part.most for part in bins], color=MOUNT, zorder=1, lw=0)
    for part in bins:
        colour, marker = (PROBLEM, "D") if part.off else (FINE, "o")
        whisker(axes, part.said, part.share, (part.low, part.high), colour, marker, up=True)
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)


def _counts(axes: Any, result: RunCalibration, shares: Any) -> None:
    positive = result.positive
    below, above = (np.histogram(shares[side], STEPS)[0] for side in (~positive, positive))
    width = STEPS[1] - STEPS[0]
    middles = STEPS[:-1] + width / 2
    axes.bar(middles, below, width * 0.9, color=NEGATIVE, zorder=3)
    axes.bar(middles, above, width * 0.9, bottom=below, color=POSITIVE, zorder=3)
