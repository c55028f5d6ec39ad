"""The figure of an audit of reliance: what file and model say of each picture, and how closely it follows families."""

from typing import Any

import numpy as np

from audit.reliance.judge import SURE, WEAK
from audit.reliance.work import Audit
from curate.evidence.probe import ALL
from imageledger.figure import drawn
from imageledger.sheet import FAINT, INK, LINE, MOUNT, visible

NEGATIVE, POSITIVE = "#2f6db5", "#c2660c"
FOLLOWS, PLAIN = "#b3261e", "#646a73"
SIZE = (11.2, 5.2)
MOST = 8.0
"""Logits beyond this stand at the edge."""


def png(audit: Audit, heading: str) -> bytes:
    """Draw both panels and return a PNG; equal audits give equal bytes."""

    def draw(figure: Any) -> None:
        figure.get_layout_engine().set(w_pad=0.15, h_pad=0.12)
        left, right = figure.subplots(1, 2, width_ratios=(6, 5))
        _pictures(left, audit)
        _families(right, audit)
        figure.suptitle(visible(heading), x=0.02, ha="left", fontsize=11, fontweight="bold", color=INK)
        told = (
            "Left: a model that looks at the face gives level lines, whatever the file says. Right: rank correlation "
            "within the classes with its 95 % interval;\n"
            f"red: above 0 for certain (corrected). Grey: weaker than {WEAK}."
        )
        figure.supxlabel(told, x=0.02, ha="left", fontsize=8.5, color=FAINT)

    return drawn(SIZE, draw)


def _pictures(axes: Any, audit: Audit) -> None:
    found = audit.reliance
    inside = np.clip(found.said, 1e-9, 1 - 1e-9)
    model = np.clip(np.log(inside / (1 - inside)), -MOST, MOST)
    file = np.clip(found.probe.scores, -MOST, MOST)
    axes.axhline(0, color=LINE, lw=1, zorder=1)
    axes.axvline(0, color=LINE, lw=1, zorder=1)
    sides = zip((~found.positive, found.positive), (NEGATIVE, POSITIVE), audit.run.labels, strict=True)
    for side, colour, label in sides:
        axes.scatter(file[side], model[side], s=20, color=colour, alpha=0.65, lw=0, zorder=3, label=visible(label))
        if side.sum() > 2 and np.ptp(file[side]) > 0:
            ends = np.array([file[side].min(), file[side].max()])
            axes.plot(ends, np.polyval(np.polyfit(file[side], model[side], 1), ends), color=colour, lw=2, zorder=4)
    said = f"Run {audit.run.name}: {found.model.total} pictures, {audit.split}"
    axes.set_title(visible(said), loc="left", fontsize=9, color=FAINT)
    positive = visible(audit.run.labels[1])
    axes.set_xlabel(f"the file alone, out of fold: logit of P({positive})", color=INK)
    axes.set_ylabel(f"the model: logit of P({positive})", color=INK)
    axes.legend(frameon=False, loc="upper left", fontsize=8.5, handletextpad=0.2)
    _plainly(axes)


def _families(axes: Any, audit: Audit) -> None:
    links = sorted(audit.reliance.links, key=lambda one: (one.family != ALL, -one.rho))
    axes.axvspan(-WEAK, WEAK, color=MOUNT, lw=0, zorder=0)
    axes.axvline(0, color=FAINT, lw=1, zorder=1)
    for row, one in enumerate(links):
        colour = FOLLOWS if one.p < SURE else PLAIN
        axes.plot([one.low, one.high], [row, row], color=colour, lw=2.2, alpha=0.5, solid_capstyle="round", zorder=3)
        axes.plot([one.rho], [row], "o", color=colour, ms=6, zorder=4)
    names = ["all together" if one.family == ALL else one.family.replace("_", " ") for one in links]
    axes.set_yticks(range(len(links)), names)
    axes.set_ylim(len(links) - 0.4, -0.6)
    axes.set_xticks((-1, -0.5, 0, 0.5, 1))
    axes.set_xlim(-1, 1)
    axes.set_xlabel("the model follows the file, within the classes", color=INK)
    _plainly(axes)


def _plainly(axes: Any) -> None:
    axes.tick_params(length=0, colors=INK)
    for side in axes.spines.values():
        side.set_visible(False)
