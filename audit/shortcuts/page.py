"""The page of an audit of shortcuts: per family what gives it away, how far apart the classes are, and six pictures."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit import page
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

BINS = 32
KEPT_INSIDE = (0.01, 0.99)
"""The quantiles between which a distribution is drawn; what lies outside is put into the outermost bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How one feature is distributed in both classes: bar heights of 0..1, and medians as places of 0..1."""

    feature: str
    bars: tuple[tuple[float, ...], tuple[float, ...]]
    medians: tuple[float | None, float | None]
    ends: tuple[float, float]
    absent: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One picture that the family's probe is surest of, and the value of the family's strongest feature."""

    record: Record
    shown: Shown
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the page shows of one family: its probe, its spread, three pictures per class, and what to do."""

    probe: Probe
    spread: Spread | None
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
    spread = None
    if probe.strongest is not None and values is not None:
        spread = spread_of(in_words(probe.family, probe.strongest.feature), values, stage.positive)
    return Card(probe=probe, spread=spread, examples=(sides[0], sides[1]), advice=advice)


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


def spread_of(feature: str, values: NDArray[np.float64], positive: NDArray[np.bool_]) -> Spread | None:
    """Count a feature's values in bars for either class; None where it has no value at all."""
    known = np.isfinite(values)
    if not known.any():
        return None
    low, high = (float(end) for end in np.quantile(values[known], KEPT_INSIDE))
    if high <= low:
        low, high = float(values[known].min()), float(values[known].max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    sides = [values[known & side] for side in (~positive, positive)]
    counts = [np.histogram(np.clip(side, low, high), BINS, (low, high))[0] / max(len(side), 1) for side in sides]
    tallest = max(float(count.max()) for count in counts)
    medians = [float(np.clip((np.median(side) - low) / (high - low), 0, 1)) if len(side) else None for side in sides]
    return Spread(
        feature=feature,
        bars=(tuple((counts[0] / tallest).tolist()), tuple((counts[1] / tallest).tolist())),
        medians=(medians[0], medians[1]),
        ends=(low, high),
        absent=(int((~known & ~positive).sum()), int((~known & positive).sum())),
    )


def html_text(probed: DatasetProbes, cards: Sequence[Card], figure: bytes) -> str:
    """Fill the page; it needs nothing but itself."""
    inline = "data:image/png;base64," + base64.b64encode(figure).decode("ascii")
    return page.render(
        "shortcuts/page.html", probed=probed, stage=probed.last, cards=cards, words=words, named=family_in_words,
        lines=words.remarks(probed), heading=words.conclusion(probed.last), course=words.course_table(probed),
        next_step=next_step(probed), needed=any(probe.needed[0] for probe in probed.last.probes),
        figure=inline, bins=BINS, with_interval=with_interval, inside_of=inside_of, power=power,
    )  # fmt: skip


def _example(project: Project, stage: StageProbes, row: int, values: NDArray[np.float64] | None) -> Example:
    record = stage.table.records[row]
    shown = show_object(project.store, record.origin if stage.stage == FETCHED else record.file)
    value = float("nan") if values is None else float(values[row])
    return Example(record=record, shown=shown, value=value)
