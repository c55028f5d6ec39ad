"""The figure of an audit of shortcuts: a dot with its interval for every family, one panel a stage."""

from typing import Any

from audit.shortcuts.words import ABSENT, conclusion, families_of, pictures_in_words
from audit.shortcuts.work import Audit, Judged, title_of
from curate.evidence.probe import ALL, CLEAN, INCONCLUSIVE, SHORTCUT, Probe
from imageledger.figure import drawn
from imageledger.sheet import FAINT, INK, LINE, MOUNT, visible

COLOURS = {SHORTCUT: "#b3261e", INCONCLUSIVE: "#8a6100", CLEAN: "#1b6e3c"}
MARKERS = {SHORTCUT: "D", INCONCLUSIVE: "o", CLEAN: "s"}
LEFT, PANEL, RIGHT = 1.7, 2.3, 0.35
ALONE, VERDICTS = 5.4, 1.9
NARROWEST = 9.2
ROW, FOOT = 0.36, 0.95
HEAD_ALONE, HEAD = 0.95, 1.25
LOWEST, HIGHEST = 0.3, 1.02


def png(audit: Audit) -> bytes:
    """Draw the audit and return a PNG; equal audits give equal bytes."""
    names = families_of(audit)
    alone = len(audit.judged) == 1
    wide = max(NARROWEST, LEFT + (ALONE + VERDICTS if alone else PANEL * len(audit.judged)) + RIGHT)
    head = HEAD_ALONE if alone else HEAD
    tall = head + ROW * len(names) + FOOT

    def draw(figure: Any) -> None:
        right = (RIGHT + (VERDICTS if alone else 0)) / wide
        panels = figure.subplots(1, len(audit.judged), squeeze=False, sharey=True)[0]
        figure.subplots_adjust(left=LEFT / wide, right=1 - right, top=1 - head / tall, bottom=FOOT / tall, wspace=0.07)
        for axes, one in zip(panels, audit.judged, strict=True):
            _panel(axes, one, names, alone=alone)
        panels[0].set_yticks(range(len(names)), [title_of(name) for name in names])
        for label, name in zip(panels[0].get_yticklabels(), names, strict=True):
            label.set_fontweight("bold" if name == ALL else "normal")
        _words(figure, audit, tall)

    return drawn((wide, tall), draw, fitted=False)


def _panel(axes: Any, one: Judged, names: list[str], *, alone: bool) -> None:
    axes.set_xlim(LOWEST, HIGHEST)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.axvline(0.5, color=FAINT, lw=1, zorder=1)
    for row, name in enumerate(names):
        if probe := one.of(name):
            _whisker(axes, row, probe, alone=alone)
        else:
            axes.text(0.52, row, ABSENT, va="center", color=FAINT)
    if len(names) > 1 and names[-1] == ALL:
        axes.axhline(len(names) - 1.5, color=LINE, lw=1)
    axes.set_xticks([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0] if alone else [0.5, 0.75, 1.0])
    axes.tick_params(length=0, colors=INK, labelsize=9)
    axes.grid(axis="x", color=LINE, lw=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    if not alone:
        axes.set_title(one.stage, fontsize=10, fontweight="bold", color=INK, loc="left")


def _whisker(axes: Any, row: int, probe: Probe, *, alone: bool) -> None:
    colour = COLOURS[probe.verdict]
    axes.barh(row, probe.chance - 0.5, left=0.5, height=0.62, color=MOUNT, zorder=0)
    axes.plot([max(probe.low, LOWEST), probe.high], [row, row], color=colour, lw=2.2, alpha=0.45, zorder=4,
              solid_capstyle="round")  # fmt: skip
    axes.plot([max(probe.auc, LOWEST)], [row], MARKERS[probe.verdict], color=colour, ms=6, zorder=5,
              markeredgecolor="white", markeredgewidth=0.6)  # fmt: skip
    if alone:
        weight = "bold" if probe.family == ALL else "normal"
        axes.text(HIGHEST + 0.015, row, f"{probe.auc:.2f}", color=INK, va="center", fontweight=weight, clip_on=False)
        axes.text(HIGHEST + 0.085, row, probe.verdict, color=colour, va="center", fontweight=weight, clip_on=False)


def _words(figure: Any, audit: Audit, tall: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    left, inside = 0.25 / figure.get_figwidth(), LEFT / figure.get_figwidth()
    said = f"Dataset {audit.dataset}: {pictures_in_words(audit, audit.last)}"
    axis = "AUC of a probe that sees only these numbers: 0.5 is a coin, 1.0 tells every pair apart"
    heading = visible(conclusion(audit, audit.last))
    figure.text(left, 1 - 0.38 / tall, heading, fontsize=12, fontweight="bold", color=INK)
    figure.text(left, 1 - 0.62 / tall, visible(said), fontsize=9, color=FAINT)
    figure.text(inside, 0.5 / tall, axis, fontsize=8.5, color=FAINT)
    keys: list[Any] = [
        Line2D([], [], marker=MARKERS[name], color=COLOURS[name], lw=2.2, ms=6, label=name) for name in COLOURS
    ]
    keys.append(Patch(color=MOUNT, label="what chance reaches in 19 of 20 cases"))
    figure.legend(handles=keys, loc="lower left", bbox_to_anchor=(inside - 0.008, 0.06 / tall),
                  ncols=4, frameon=False, fontsize=8.5, handlelength=1.4, columnspacing=1.6,
                  labelcolor=FAINT)  # fmt: skip
