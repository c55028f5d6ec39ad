"""The page of an audit of shortcuts: per family what gives it away, how far apart the classes are, and six pictures."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from audit import page
from audit.charts.spread import spread
from audit.pictures import Shown, show_object
from audit.shortcuts import power, words
from audit.shortcuts.chosen import inside_of
from audit.shortcuts.judge import DatasetProbes, StageProbes
from audit.shortcuts.way_out import next_step
from audit.shortcuts.words import EXAMPLES
from audit.words import family_in_words
from curate.evidence.measure import FETCHED
from curate.evidence.verdict import ALL, INCONCLUSIVE, SHORTCUT, Probe
from curate.nuisance import in_words
from curate.nuisance.spelling import spelled
from imageledger.config import Project
from imageledger.intervals import with_interval
from imageledger.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One picture that the family's probe is surest of, and the value of the family's strongest feature."""

    record: Record
    shown: Shown
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the page shows of one family: its probe, its strongest feature in words, three pictures per class, advice.

    `spread` draws the feature in both classes (None where it has no value), and `absent` counts to how many pictures
    of each class it does not apply.
    """

    probe: Probe
    feature: str
    spread: Markup | None
    absent: tuple[int, int]
    examples: tuple[tuple[Example, ...], tuple[Example, ...]]
    advice: str

    @property
    def anchor(self) -> str:
        """The id of its place on the page."""
        return spelled(self.probe.family)


def cards_of(project: Project, probed: DatasetProbes) -> list[Card]:
    """Open the pictures that the families of the last stage give away most; what cannot be shown says why."""
    return [card_of(project, probed, probe) for probe in probed.last.probes]


def card_of(project: Project, probed: DatasetProbes, probe: Probe) -> Card:
    """Gather what the page shows of one probe of the last stage."""
    stage = probed.last
    values = values_of(stage, probe)
    sides = [
        tuple(_example(project, stage, int(row), values) for row in rows)
        for rows in given_away(probe.scores, stage.positive)
    ]
    asked = probe.family != ALL and probe.verdict in (SHORTCUT, INCONCLUSIVE)
    advice = words.advice_on(probed, probe) if asked else ""
    feature, drawn, absent = "", None, (0, 0)
    if probe.strongest is not None and values is not None:
        feature, missing = in_words(probe.family, probe.strongest.feature), ~np.isfinite(values)
        drawn = spread(values, stage.positive, probed.labels, name=feature)
        absent = int((missing & ~stage.positive).sum()), int((missing & stage.positive).sum())
    return Card(probe=probe, feature=feature, spread=drawn, absent=absent, examples=(sides[0], sides[1]), advice=advice)


def given_away(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], most: int = EXAMPLES
) -> tuple[Sequence[int], Sequence[int]]:
    """Return the rows of each class that the scores give away most: lowest of the negative, highest of the positive."""
    order = np.argsort(scores, kind="stable")
    return [int(row) for row in order if not positive[row]][:most], [
        int(row) for row in np.argsort(-scores, kind="stable") if positive[row]
    ][:most]


def values_of(stage: StageProbes, probe: Probe) -> NDArray[np.float64] | None:
    """Return the numbers of a probe's strongest feature, row by row; of all together it is named family.feature."""
    if probe.strongest is None:
        return None
    name, feature = probe.family, probe.strongest.feature
    if name == ALL:
        name, _, feature = feature.partition(".")
    column: NDArray[np.float64] = stage.table.values[name][:, list(stage.table.columns[name]).index(feature)]
    return column


def html_text(probed: DatasetProbes, cards: Sequence[Card], figure: bytes) -> str:
    """Fill the page; it needs nothing but itself."""
    inline = "data:image/png;base64," + base64.b64encode(figure).decode("ascii")
    return page.render(
        "shortcuts/page.html", probed=probed, stage=probed.last, cards=cards, words=words, named=family_in_words,
        lines=words.remarks(probed), heading=words.conclusion(probed.last), course=words.course_table(probed),
        next_step=next_step(probed), needed=any(probe.needed[0] for probe in probed.last.probes),
        figure=inline, with_interval=with_interval, inside_of=inside_of, power=power,
    )  # fmt: skip


def _example(project: Project, stage: StageProbes, row: int, values: NDArray[np.float64] | None) -> Example:
    record = stage.table.records[row]
    shown = show_object(project.store, record.origin if stage.stage == FETCHED else record.file)
    value = float("nan") if values is None else float(values[row])
    return Example(record=record, shown=shown, value=value)
