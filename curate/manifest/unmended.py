"""What a matched choice could not mend: features that became worse, that still differ, and what would help."""

from collections.abc import Sequence

import numpy as np

from curate.evidence.measure import Table
from curate.manifest.balance import Wanted
from curate.manifest.matched import Selection
from curate.manifest.matching.balance_table import APART, RATIO, Difference, column_of, title
from curate.nuisance import family

SURELY = 2.5
"""Standard errors that a difference must exceed, so that chance alone does not explain it."""

SCARCE = 0.35
"""With a larger share of a class than this beyond the middle of the other it is not for want of pictures."""


def worsened(compared: Sequence[Difference], wanted: Wanted) -> list[str]:
    """Say in how many features the classes lie further apart than plainly chosen, by more than chance, and where most.

    The difference of two means of so many pictures a class changes by chance from one choice to another.
    """
    limit = SURELY * float(np.sqrt(2 / wanted.per_class))
    worse = [difference for difference in compared if difference.worsened > limit and abs(difference.matched) > APART]
    ratios = [each for each in compared if max(each.ratios[1], 1 / max(each.ratios[1], 1e-9)) > RATIO]
    lines = []
    if worse:
        most = max(worse, key=lambda difference: difference.worsened)
        lines.append(
            f"{len(worse)} of {len(compared)} features became worse, most of all {title(most.family, most.feature)}: "
            f"{most.plain:+.2f} before, {most.matched:+.2f} now"
        )
    if ratios:
        lines.append(
            f"in {len(ratios)} of {len(compared)} features one class varies more than {RATIO:g} times as much as the "
            "other, which a match of means does not mend"
        )
    return lines


def helpful(
    table: Table, compared: Sequence[Difference], selection: Selection, wanted: Wanted, labels: Sequence[str]
) -> list[str]:
    """Say where the classes stay apart and why: one feature a family, and the pictures that would help."""
    limit = max(APART, SURELY * float(np.sqrt(2 / wanted.per_class)))
    still = [difference for difference in compared if abs(difference.matched) > limit]
    if not still:
        return []
    lines = [
        f"{family(name).title} was not matched on: the candidates of the two classes hardly overlap in it"
        for name in selection.hopeless
    ]
    of = f"{len(still)} of {len(compared)} features"
    lines.append(f"the classes still differ in {of} (by more than {limit:.2f} standard deviations):")
    for name in dict.fromkeys(
        difference.family for difference in sorted(still, key=lambda difference: -abs(difference.matched))
    ):
        own = [difference for difference in still if difference.family == name]
        worded = [difference for difference in own if not any(letter.isdigit() for letter in difference.feature)] or own
        lines.append(_lacking(table, max(worded, key=lambda difference: abs(difference.matched)), labels))
    return lines


def _lacking(table: Table, difference: Difference, labels: Sequence[str]) -> str:
    """Say of one feature which class has too few pictures where the other one lies."""
    column = column_of(table, difference.family, difference.feature)
    negative, positive = difference.medians
    shortages = []
    for label, other, here, there in (
        (labels[0], labels[1], negative, positive),
        (labels[1], labels[0], positive, negative),
    ):
        own = column[[record.label == label for record in table.records]]
        side, beyond = ("above", own > there) if there > here else ("below", own < there)
        shortages.append((float(np.mean(beyond)), int(np.sum(beyond)), len(own), label, other, side, there))
    share, count, total, label, other, side, there = min(shortages)
    name = f"  {title(difference.family, difference.feature)}: "
    if share > SCARCE or negative == positive:
        return f"{name}median {negative:.3g} for {labels[0]}, {positive:.3g} for {labels[1]}"
    return (
        f"{name}{count or 'none'} of {total} {label} candidates {'is' if count == 1 else 'are'} {side} {there:.3g}, "
        f"the median of the {other} pictures; fetch more {label} pictures {side} it"
    )
