"""How far two classes lie apart in every feature, before and after matching: numbers, CSV and the Love plot."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.evidence.measure import Table
from curate.manifest.matching.scale import normal_scores
from curate.nuisance import FAMILIES, in_words
from curate.nuisance.spelling import spelled
from imageledger import spreadsheet
from imageledger.figure import FAINT, FINE, PROBLEM, drawn, key, styled
from imageledger.store import write_whole
from imageledger.types import Floats

RATIO = 2.0
"""Ratio of variances, either way, beyond which a feature is called unmatched (Rubin, 2001)."""
WIDEST = 2.0
"""Ratios beyond 2 to this power stand at the edge of the figure."""
APART = 0.25
"""Standardised difference above which a feature is called unmatched (Rubin, 2001), unless chance alone explains it."""

NAMES = (
    "family", "feature", "plain", "matched", "variance_ratio_plain", "variance_ratio_matched", "median_negative",
    "median_positive",
)  # fmt: skip
"""The columns of balance.csv."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far the classes lie apart in one feature, in standard deviations: plainly chosen, and matched.

    `ratios` are the variances of the positive over those of the negative class, plain and matched. `medians` are those
    of the matched (negative, positive) pictures, in the feature's own unit.
    """

    family: str
    feature: str
    plain: float
    matched: float
    ratios: tuple[float, float]
    medians: tuple[float, float]

    @property
    def worsened(self) -> float:
        """By how many standard deviations the classes lie further apart than plainly chosen; below 0 where nearer."""
        return abs(self.matched) - abs(self.plain)


def differences(
    table: Table, before: NDArray[np.bool_], after: NDArray[np.bool_], label: NDArray[np.bool_], on: Sequence[str]
) -> list[Difference]:
    """Return the standardised mean difference of every feature matched on, on the scale of normal scores."""
    scaled = normal_scores({name: table.columns[name] for name in on}, {name: table.values[name] for name in on})
    plain, matched = (_standardised(scaled.matrix, side, label) for side in (before, after))
    ratios = [_ratios(scaled.matrix, side, label) for side in (before, after)]
    compared = []
    for number, (of, name) in enumerate(zip(scaled.families, scaled.names, strict=True)):
        column = column_of(table, of, name)
        medians = [_median(column[after & side]) for side in (~label, label)]
        compared.append(
            Difference(
                family=of, feature=name, plain=float(plain[number]), matched=float(matched[number]),
                ratios=(float(ratios[0][number]), float(ratios[1][number])), medians=(medians[0], medians[1]),
            )
        )  # fmt: skip
    return sorted(
        compared, key=lambda one: (-max(abs(one.plain), abs(one.matched)), one.family, one.feature)
    )  # fmt: skip


def as_csv(compared: Sequence[Difference]) -> str:
    """Write all differences as CSV."""
    rows = (
        (
            difference.family,
            difference.feature,
            *(
                float(f"{number:.6g}")
                for number in (difference.plain, difference.matched, *difference.ratios, *difference.medians)
            ),
        )
        for difference in compared
    )
    return spreadsheet.as_csv(NAMES, (dict(zip(NAMES, row, strict=True)) for row in rows))


def from_csv(text: str) -> list[Difference]:
    """Read what `as_csv` wrote; raise ValueError for anything else."""
    rows = csv.DictReader(io.StringIO(text))
    if tuple(rows.fieldnames or ()) != NAMES:
        raise ValueError(f"the columns are {rows.fieldnames}")
    return [_difference(row) for row in rows]


def _difference(row: Mapping[str, str]) -> Difference:
    if row["family"] not in FAMILIES:
        raise ValueError(f"there is no family {row['family']!r}")
    try:
        plain, matched, before, after, negative, positive = (float(row[name]) for name in NAMES[2:])
    except TypeError as error:
        raise ValueError("a row is cut off") from error
    if not np.isfinite([plain, matched, before, after]).all():
        raise ValueError(f"{row['feature']} holds no number")
    return Difference(
        family=row["family"], feature=row["feature"], plain=plain, matched=matched, ratios=(before, after),
        medians=(negative, positive),
    )  # fmt: skip


def balance_figure(compared: Sequence[Difference], target: Path, most: int = 40) -> None:
    """Draw differences and variance ratios before and after, one line per feature, the worst `most` (Love, 2004)."""
    shown = compared[:most]
    content = drawn(
        (12.5, 0.7 + 0.2 * len(shown)), lambda figure: _love(figure, shown),
        title="How far the classes lie apart before and after matching",
        note=f"{len(shown)} of {len(compared)} features, the farthest apart first, before or after",
        foot=f"Dotted lines: {APART} standard deviations, and variance ratios of {RATIO:g} either way. A feature "
        "beyond them counts as unmatched, unless chance alone explains it (Rubin, 2001).",
    )  # fmt: skip
    write_whole(target, content)


def _love(figure: Any, shown: Sequence[Difference]) -> None:
    means, variances = figure.subplots(1, 2, width_ratios=(3, 2), sharey=True)
    places = range(len(shown))
    for which, name, colour, marker in ((0, "plain balanced choice", PROBLEM, "D"), (1, "matched", FINE, "o")):
        apart = [abs((each.plain, each.matched)[which]) for each in shown]
        means.plot(apart, places, marker, color=colour, label=name, markersize=5)
        ratios = [np.clip(np.log2(max(each.ratios[which], 1e-9)), -WIDEST, WIDEST) for each in shown]
        variances.plot(ratios, places, marker, color=colour, markersize=5)
    means.axvline(APART, linestyle=":", color=FAINT, lw=1)
    for side in (-1, 1):
        variances.axvline(side * np.log2(RATIO), linestyle=":", color=FAINT, lw=1)
    means.set_yticks(list(places), [title(each.family, each.feature) for each in shown])
    means.set_ylim(len(shown) - 0.5, -0.5)
    means.set_xlim(left=0)
    variances.set_xlim(-WIDEST - 0.2, WIDEST + 0.2)
    variances.set_xticks([-2, -1, 0, 1, 2], ["1/4", "1/2", "1", "2", "4"])
    styled(means, x="standardised mean difference (standard deviations)", grid="both")
    styled(variances, x="ratio of variances", grid="both")
    means.tick_params(axis="y", labelsize=7)
    key(means, loc="lower right", columns=1)


def title(of: str, feature: str) -> str:
    """Name a feature as people read it."""
    name = feature.removesuffix(" applies")
    words = in_words(of, name) if name == feature else f"whether there is any: {in_words(of, name)}"
    return f"{spelled(of)}: {words}"


def _standardised(matrix: Floats, side: NDArray[np.bool_], label: NDArray[np.bool_]) -> Floats:
    return np.asarray(matrix[side & label].mean(axis=0) - matrix[side & ~label].mean(axis=0))


def _ratios(matrix: Floats, side: NDArray[np.bool_], label: NDArray[np.bool_]) -> Floats:
    """Return the variances of the positive over those of the negative class; 1 where neither varies."""
    positive, negative = (matrix[side & own].var(axis=0) for own in (label, ~label))
    return np.asarray((positive + 1e-9) / (negative + 1e-9))


def column_of(table: Table, of: str, feature: str) -> Floats:
    """Return a feature in its own unit, or 1 and 0 for one that says whether a number applies."""
    name = feature.removesuffix(" applies")
    column = table.values[of][:, list(table.columns[of]).index(name)]
    return np.isfinite(column) * 1.0 if name != feature else column


def _median(column: Floats) -> float:
    known = column[np.isfinite(column)]
    return float(np.median(known)) if known.size else float("nan")
