"""The figure of an audit of reliance: what file and model say of each picture, and how closely it follows families."""

from typing import Any

import numpy as np

from audit.reliance.judge import SURE, WEAK, RunReliance
from audit.words import family_in_words
from curate.evidence.verdict import ALL
from imageledger.figure import FAINT, LINE, MOUNT, NEGATIVE, POSITIVE, PROBLEM, drawn, key, styled, whisker
from imageledger.letters import visible

SIZE = (11.2, 4.4)
MOST = 8.0
"""Logits beyond this stand at the edge."""


def png(result: RunReliance, heading: str) -> bytes:
    """Draw both panels and return a PNG; equal results give equal bytes."""
    note = f"Run {result.run}: {result.reliance.model.total} pictures, {result.split}."
    foot = (
        "Left: a model that looks at the face gives level lines, whatever the file says. Right: rank correlation "
        "within the classes with its 95 % interval. Red diamond: above 0 for certain (corrected). Grey band: weaker "
        f"than {WEAK}."
    )

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(6, 5))
        _pictures(left, result)
        _families(right, result)

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
    styled(axes, x=f"the file alone, out of fold: logit of P({positive})", y=f"the model: logit of P({positive})")


def _families(axes: Any, result: RunReliance) -> None:
    links = sorted(result.reliance.links, key=lambda link: (link.family != ALL, -link.rho))
    axes.axvspan(-WEAK, WEAK, color=MOUNT, lw=0, zorder=0)
    axes.axvline(0, color=FAINT, lw=1, zorder=1)
    for row, link in enumerate(links):
        colour, marker = (PROBLEM, "D") if link.p < SURE else (FAINT, "o")
        whisker(axes, row, link.rho, (link.low, link.high), colour, marker)
    names = [family_in_words(link.family) for link in links]
    axes.set_yticks(range(len(links)), names)
    axes.set_ylim(len(links) - 0.4, -0.6)
    axes.set_xticks((-1, -0.5, 0, 0.5, 1))
    axes.set_xlim(-1, 1)
    styled(axes, x="rank correlation of model and file, within the classes")
