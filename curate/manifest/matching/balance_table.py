"""How far two classes lie apart in every feature, before and after matching: numbers, CSV and the Love plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.evidence.measure import Table
from curate.manifest.matching.scale import normal_scores
from curate.nuisance import family
from imageledger import spreadsheet
from imageledger.figure import FAINT, FINE, PROBLEM, drawn, key, styled
from imageledger.store import write_whole
from imageledger.types import Floats

APART = 0.25
"""Standardised difference above which a feature is called unmatched (Rubin, 2001), unless chance alone explains it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far the classes lie apart in one feature, in standard deviations: plainly chosen, and matched.

    `medians` are those of the matched (negative, positive) pictures, in the feature's own unit.
    """

    family: str
    feature: str
    plain: float
    matched: float
    medians: tuple[float, float]


def differences(
    table: Table, before: NDArray[np.bool_], after: NDArray[np.bool_], label: NDArray[np.bool_], on: Sequence[str]
) -> list[Difference]:
    """Return the standardised mean difference of every feature matched on, on the scale of normal scores."""
    scaled = normal_scores({name: table.columns[name] for name in on}, {name: table.values[name] for name in on})
    plain, matched = (_standardised(scaled.matrix, side, label) for side in (before, after))
    compared = []
    for number, (of, name) in enumerate(zip(scaled.families, scaled.names, strict=True)):
        column = column_of(table, of, name)
        medians = [_median(column[after & side]) for side in (~label, label)]
        compared.append(
            Difference(
                family=of, feature=name, plain=float(plain[number]), matched=float(matched[number]),
                medians=(medians[0], medians[1]),
            )
        )  # fmt: skip
    return sorted(compared, key=lambda difference: (-abs(difference.plain), difference.family, difference.feature))


def as_csv(compared: Sequence[Difference]) -> str:
    """Write all differences as CSV."""
    names = ("family", "feature", "plain", "matched", "median_negative", "median_positive")
    rows = (
        (
            difference.family,
            difference.feature,
            *(float(f"{number:.6g}") for number in (difference.plain, difference.matched, *difference.medians)),
        )
        for difference in compared
    )
    return spreadsheet.as_csv(names, (dict(zip(names, row, strict=True)) for row in rows))


def balance_figure(compared: Sequence[Difference], target: Path, most: int = 40) -> None:
    """Draw the differences before and after, one line per feature, the worst `most` (Love, 2004)."""
    shown = compared[:most]
    content = drawn(
        (8, 0.7 + 0.2 * len(shown)), lambda figure: _love(figure.subplots(), shown),
        title="How far the classes lie apart before and after matching",
        note=f"{len(shown)} of {len(compared)} features, the farthest apart first",
        foot=f"Dotted line: {APART} standard deviations. A feature beyond it counts as unmatched, unless chance alone "
        "explains it (Rubin, 2001).",
    )  # fmt: skip
    write_whole(target, content)


def _love(axes: Any, shown: Sequence[Difference]) -> None:
    places = range(len(shown))
    for values, name, colour, marker in (
        ([abs(each.plain) for each in shown], "plain balanced choice", PROBLEM, "D"),
        ([abs(each.matched) for each in shown], "matched", FINE, "o"),
    ):
        axes.plot(values, places, marker, color=colour, label=name, markersize=5)
    axes.axvline(APART, linestyle=":", color=FAINT, lw=1)
    axes.set_yticks(list(places), [title(each.family, each.feature) for each in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(left=0)
    styled(axes, x="standardised mean difference between the classes (standard deviations)", grid="both")
    axes.tick_params(axis="y", labelsize=7)
    key(axes, loc="lower right", columns=1)


def title(of: str, feature: str) -> str:
    """Name a feature as people read it."""
    return f"{family(of).title}: {feature.replace('_', ' ')}"


def _standardised(matrix: Floats, side: NDArray[np.bool_], label: NDArray[np.bool_]) -> Floats:
    return np.asarray(matrix[side & label].mean(axis=0) - matrix[side & ~label].mean(axis=0))


def column_of(table: Table, of: str, feature: str) -> Floats:
    """Return a feature in its own unit, or 1 and 0 for one that says whether a number applies."""
    name = feature.removesuffix(" applies")
    column = table.values[of][:, list(table.columns[of]).index(name)]
    return np.isfinite(column) * 1.0 if name != feature else column


def _median(column: Floats) -> float:
    known = column[np.isfinite(column)]
    return float(np.median(known)) if known.size else float("nan")
