"""The figure of an audit of shortcuts: a dot with its interval for every family, one panel per stage."""

from typing import Any

from audit.shortcuts.judge import DatasetProbes, StageProbes
from audit.shortcuts.words import ABSENT, conclusion, families_of, pictures_in_words
from audit.words import family_in_words
from curate.evidence.verdict import ALL, CLEAN, INCONCLUSIVE, SHORTCUT, Probe
from imageledger.figure import FAINT, FINE, INK, LINE, MOUNT, PROBLEM, UNDECIDED, drawn, key, styled, whisker

MARKS = {SHORTCUT: (PROBLEM, "D"), INCONCLUSIVE: (UNDECIDED, "o"), CLEAN: (FINE, "s")}
ALONE, NAMES, PANEL = 9.2, 1.9, 2.3
ROW, REST = 0.36, 0.95
LOWEST, HIGHEST = 0.3, 1.02


def png(probed: DatasetProbes) -> bytes:
    """Draw the probes and return a PNG; equal probes give equal bytes."""
    names = families_of(probed)
    size = (max(ALONE, NAMES + PANEL * len(probed.stages)), ROW * len(names) + REST)
    return drawn(
        size, lambda figure: _draw(figure, probed, names), title=conclusion(probed.last),
        note=f"Dataset {probed.dataset}: {pictures_in_words(probed, probed.last)}",
        foot="AUC of a probe that sees only these numbers: 0.5 is a coin, 1.0 tells every pair apart.",
    )  # fmt: skip


def _draw(figure: Any, probed: DatasetProbes, names: list[str]) -> None:
    alone = len(probed.stages) == 1
    panels = figure.subplots(1, len(probed.stages), squeeze=False, sharey=True)[0]
    for axes, stage in zip(panels, probed.stages, strict=True):
        _panel(axes, stage, names, alone=alone)
    panels[0].set_yticks(range(len(names)), [family_in_words(name) for name in names])
    for label, name in zip(panels[0].get_yticklabels(), names, strict=True):
        label.set_fontweight("bold" if name == ALL else "normal")
    marks = [(name, *mark) for name, mark in MARKS.items()]
    if any(stage.chosen_on for stage in probed.stages):
        marks.append(("inside the chosen set: not to be quoted", FAINT, "o"))
    key(figure, [*marks, ("what chance reaches in 19 of 20 cases", MOUNT, "")], columns=3 if len(marks) > 3 else 4)


def _panel(axes: Any, stage: StageProbes, names: list[str], *, alone: bool) -> None:
    axes.set_xlim(LOWEST, HIGHEST)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.axvline(0.5, color=FAINT, lw=1, zorder=1)
    for row, name in enumerate(names):
        if probe := stage.of(name):
            _probe(axes, row, probe, alone=alone)
        else:
            axes.text(0.52, row, ABSENT, va="center", color=FAINT)
    if len(names) > 1 and names[-1] == ALL:
        axes.axhline(len(names) - 1.5, color=LINE, lw=1)
    axes.set_xticks([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0] if alone else [0.5, 0.75, 1.0])
    styled(axes, x="AUC, with its 95 % interval" if alone else "AUC", title="" if alone else stage.stage, grid="x")


def _probe(axes: Any, row: int, probe: Probe, *, alone: bool) -> None:
    colour, marker = MARKS[probe.verdict]
    axes.barh(row, probe.chance - 0.5, left=0.5, height=0.62, color=MOUNT, zorder=0)
    if probe.inside:
        axes.plot(max(probe.inside.auc, LOWEST), row, marker="o", color=FAINT, ms=5, zorder=2)
    whisker(axes, row, max(probe.auc, LOWEST), (max(probe.low, LOWEST), probe.high), colour, marker)
    if alone:
        weight = "bold" if probe.family == ALL else "normal"
        axes.text(HIGHEST + 0.015, row, f"{probe.auc:.2f}", color=INK, va="center", fontweight=weight)
        axes.text(HIGHEST + 0.085, row, probe.verdict, color=colour, va="center", fontweight=weight)
