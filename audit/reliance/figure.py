"""The figure of an audit of reliance: what file and model say of each picture, and how closely it follows families."""

from typing import Any

import numpy as np

from audit.reliance.judge import SURE, WEAK
from audit.reliance.work import Audit
from curate.evidence.probe import ALL
from imageledger.figure import FAINT, LINE, MOUNT, NEGATIVE, POSITIVE, PROBLEM, drawn, key, styled, whisker
from imageledger.letters import visible

SIZE = (11.2, 4.4)
MOST = 8.0
"""Logits beyond this stand at the edge."""


def png(audit: Audit, heading: str) -> bytes:
    """Draw both panels and return a PNG; equal audits give equal bytes."""
    note = f"Run {audit.run.name}: {audit.reliance.model.total} pictures, {audit.split}."
    foot = (
        "Left: a model that looks at the face gives level lines, whatever the file says. Right: rank correlation "
        "within the classes with its 95 % interval. Red diamond: above 0 for certain (corrected). Grey band: weaker "
        f"than {WEAK}."
    )

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(6, 5))
        _pictures(left, audit)
        _families(right, audit)

    return drawn(SIZE, draw, title=heading, note=note, foot=foot)


def _pictures(axes: Any, audit: Audit) -> None:
    reliance = audit.reliance
    inside = np.clip(reliance.said, 1e-9, 1 - 1e-9)
    model = np.clip(np.log(inside / (1 - inside)), -MOST, MOST)
    file = np.clip(reliance.probe.scores, -MOST, MOST)
    axes.axhline(0, color=LINE, lw=1, zorder=1)
    axes.axvline(0, color=LINE, lw=1, zorder=1)
    sides = zip((~reliance.positive, reliance.positive), (NEGATIVE, POSITIVE), audit.run.labels, strict=True)
    for side, colour, label in sides:
        axes.scatter(file[side], model[side], s=20, color=colour, alpha=0.65, lw=0, zorder=3, label=visible(label))
        if side.sum() > 2 and np.ptp(file[side]) > 0:
            ends = np.array([file[side].min(), file[side].max()])
            axes.plot(ends, np.polyval(np.polyfit(file[side], model[side], 1), ends), color=colour, lw=2, zorder=4)
    positive = audit.run.labels[1]
    key(axes, loc="upper left", columns=1)
    styled(axes, x=f"the file alone, out of fold: logit of P({positive})", y=f"the model: logit of P({positive})")


def _families(axes: Any, audit: Audit) -> None:
    links = sorted(audit.reliance.links, key=lambda link: (link.family != ALL, -link.rho))
    axes.axvspan(-WEAK, WEAK, color=MOUNT, lw=0, zorder=0)
    axes.axvline(0, color=FAINT, lw=1, zorder=1)
    for row, link in enumerate(links):
        colour, marker = (PROBLEM, "D") if link.p < SURE else (FAINT, "o")
        whisker(axes, row, link.rho, (link.low, link.high), colour, marker)
    names = ["all together" if link.family == ALL else link.family.replace("_", " ") for link in links]
    axes.set_yticks(range(len(links)), names)
    axes.set_ylim(len(links) - 0.4, -0.6)
    axes.set_xticks((-1, -0.5, 0, 0.5, 1))
    axes.set_xlim(-1, 1)
    styled(axes, x="rank correlation of model and file, within the classes")
