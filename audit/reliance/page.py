"""The page of an audit of reliance: what deliveries move, what families explain, and where file and model agree."""

import numpy as np

from audit.audit_page import Drawing
from audit.charts.plane import Series, plane
from audit.charts.rows import Bar, rows
from audit.reliance.figure import LEAST, MOST, MOST_SPREADS
from audit.reliance.judge import SURE, RunReliance
from audit.reliance.swaps import SWAPPED
from audit.words import family_in_words

CLASSES = ("negative", "positive")


def drawings(result: RunReliance) -> list[Drawing]:
    """Draw the swaps of deliveries, what the families explain, and the model beside the file."""
    parts = [_swaps(result)] if result.reliance.swaps else []
    parts += [_families(result)] if result.reliance.explained else []
    return [*parts, _beside(result)]


def _swaps(result: RunReliance) -> Drawing:
    moved = {swap.what for swap in result.reliance.moved}
    bars = []
    for swap in result.reliance.swaps:
        for label, shift, colour in zip(result.labels, swap.shifts, CLASSES, strict=True):
            certain = swap.what in moved
            bars.append(Bar(
                name=f"{SWAPPED[swap.what]}: {label}", value=shift.value, low=shift.low, high=shift.high,
                colour="problem" if certain else colour, shape="D" if certain else "o", words=f"{shift.value:+.2f}",
            ))  # fmt: skip
    ends = [abs(end) for bar in bars for end in (bar.low or 0.0, bar.high or 0.0)]
    reach = min(MOST_SPREADS, 1.1 * max(1.0, *ends))
    margin = result.reliance.swaps[0].margin
    return Drawing(
        title="Delivered as the other class came",
        drawn=rows(bars, x="answers move by so many spreads, with the 95 % interval", middle=0.0, ends=(-reach, reach),
                   names=150, words=52, label="How far the answers of each class move with each delivery"),
        note="Right of the line: towards the class whose delivery the pictures got. Diamond: both classes move further "
        f"than {margin:.2f} for certain, which is reliance.",
    )  # fmt: skip


def _families(result: RunReliance) -> Drawing:
    explained = sorted(result.reliance.explained, key=lambda one: -one.share)
    bars = [
        Bar(name=family_in_words(one.family), value=one.share, low=one.low, high=one.high,
            colour="problem" if one.p < SURE else "faint", shape="D" if one.p < SURE else "o",
            words=f"p {one.p:.2g}")
        for one in explained
    ]  # fmt: skip
    return Drawing(
        title="What the numbers of the file explain",
        drawn=rows(bars, x="R² of the answers within a class", middle=0.0, ends=(LEAST, 1.0), words=64,
                   label="Share of the answers within a class that each family explains"),
        note="Diamond: certainly more than nothing. The face may show what these numbers show too.",
    )  # fmt: skip


def _beside(result: RunReliance) -> Drawing:
    reliance, positive = result.reliance, result.labels[1]
    inside = np.clip(reliance.answers, 1e-9, 1 - 1e-9)
    model = np.clip(np.log(inside / (1 - inside)), -MOST, MOST)
    file = np.clip(reliance.probe.scores, -MOST, MOST)
    series = [
        Series(name=label, points=list(zip(file[side].tolist(), model[side].tolist(), strict=True)), colour=colour,
               shape=shape, joined=False)
        for label, side, colour, shape in zip(
            result.labels, (~reliance.positive, reliance.positive), CLASSES, ("o", "s"), strict=True
        )
    ]  # fmt: skip
    reach = float(max(1.0, np.abs(file).max(), np.abs(model).max()))
    return Drawing(
        title="What the file says, and what the model says",
        drawn=plane(series, x=f"the file alone: logit of P({positive})", y=f"the model: logit of P({positive})",
                    xs=(-reach, reach), ys=(-reach, reach), diagonal=True,
                    label=f"The model's answers against those of the file alone, {len(file)} pictures"),
        note="A model that only reads the file would lie on the diagonal.",
    )  # fmt: skip
