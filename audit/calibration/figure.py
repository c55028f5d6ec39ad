"""The reliability figure: what the model said against how often it came true, before and after the temperature."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from audit.calibration.bins import Bin
from audit.calibration.work import Audit
from imageledger.figure import drawn
from imageledger.sheet import FAINT, INK, LINE, MOUNT, visible

OFF, WITHIN = "#b3261e", "#1b6e3c"
BAND = "#e7dcc0"
SIZE = (9.2, 6.1)
STEPS = np.linspace(0, 1, 21)


def png(audit: Audit, heading: str) -> bytes:
    """Draw both panels and return a PNG; equal audits give equal bytes."""

    def draw(figure: Any) -> None:
        panels = figure.subplots(2, 2, sharex="all", height_ratios=(4, 1))
        figure.subplots_adjust(left=0.085, right=0.975, top=0.82, bottom=0.175, wspace=0.16, hspace=0.08)
        raw = audit.judged.shares
        for column, (bins, title) in enumerate(((audit.before, "as the model says it"), (audit.after, "calibrated"))):
            _panel(panels[0, column], bins, title)
            _counts(panels[1, column], audit, raw if column == 0 else _after(audit))
        low, high = audit.calibration.low, audit.calibration.high
        for axes in panels[:, 1]:
            axes.axvspan(low, high, color=BAND, alpha=0.45, zorder=0, lw=0)
        panels[1, 1].set_ylim(0, top := max(axes.get_ylim()[1] for axes in panels[1]))
        panels[1, 0].set_ylim(0, top)
        positive = visible(audit.judged.run.labels[1])
        panels[0, 0].set_ylabel(f"share that is {positive}", color=INK)
        panels[1, 0].set_ylabel("pictures", color=INK)
        _words(figure, audit, heading, positive)

    return drawn(SIZE, draw, fitted=False)


def _after(audit: Audit) -> Any:
    from train.evaluation.temperature import calibrated

    return calibrated(audit.judged.shares, audit.calibration.temperature)


def _panel(axes: Any, bins: Sequence[Bin], title: str) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, lw=1, zorder=2)
    said = [one.said for one in bins]
    axes.fill_between(said, [one.least for one in bins], [one.most for one in bins], color=MOUNT, zorder=1, lw=0)
    for one in bins:
        colour = OFF if one.off else WITHIN
        axes.plot([one.said, one.said], [one.low, one.high], color=colour, lw=2, alpha=0.45, zorder=3)
        axes.plot([one.said], [one.share], "D" if one.off else "o", color=colour, ms=7, zorder=4,
                  markeredgecolor="white", markeredgewidth=0.6)  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)
    axes.set_title(title, fontsize=10, fontweight="bold", color=INK, loc="left")
    _plainly(axes)


def _counts(axes: Any, audit: Audit, shares: Any) -> None:
    positive = audit.judged.positive
    sides = [np.histogram(shares[side], STEPS)[0] for side in (~positive, positive)]
    width = STEPS[1] - STEPS[0]
    middles = STEPS[:-1] + width / 2
    axes.bar(middles, sides[0], width * 0.9, color="#2f6db5", zorder=3)
    axes.bar(middles, sides[1], width * 0.9, bottom=sides[0], color="#c2660c", zorder=3)
    _plainly(axes)


def _plainly(axes: Any) -> None:
    axes.tick_params(length=0, colors=INK)
    axes.grid(color=LINE, lw=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _words(figure: Any, audit: Audit, heading: str, positive: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure.text(0.025, 0.945, visible(heading), fontsize=11, fontweight="bold", color=INK)
    said = (
        f"Run {audit.judged.run.name}: {audit.judged.in_words}. Right: pictures that the temperature was not fitted on."
    )
    figure.text(0.025, 0.905, visible(said), fontsize=9, color=FAINT)
    figure.text(0.53, 0.115, f"P({positive}), 0 to 1", fontsize=9, color=INK, ha="center")
    negative = visible(audit.judged.run.labels[0])
    keys: list[Any] = [
        Line2D([], [], marker="o", color=WITHIN, lw=2, ms=6, label="within the grey band"),
        Line2D([], [], marker="D", color=OFF, lw=2, ms=6, label="outside of it"),
        Patch(color=MOUNT, label="a perfectly calibrated model, 19 of 20 cases"),
        Patch(color=BAND, label="unsure: no verdict"),
        Patch(color="#2f6db5", label=negative),
        Patch(color="#c2660c", label=positive),
    ]
    figure.legend(handles=keys, loc="lower center", bbox_to_anchor=(0.5, 0.005), ncols=3, frameon=False, fontsize=8.5,
                  labelcolor=FAINT)  # fmt: skip
