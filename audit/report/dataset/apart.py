"""How far the classes lie apart in every measured number, before and after choosing (a Love plot). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from audit.charts.rows import Bar, rows
from audit.report.dataset.groups import Undone
from curate.manifest.matching.balance_table import APART, Difference, title

SHOWN = 14
"""Features in the drawing, the farthest apart first, before or after."""

EACH = 3
"""Features in the drawing of one family, whose features say much the same."""

SURE = 1.96
"""Standard errors within which nineteen of twenty differences by chance lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Standardised mean differences by feature, worst first; `before` and `after` say of which pictures.

    `before` is "" where no picture was left out. `each` is how many pictures a class has afterwards.
    """

    differences: Sequence[Difference]
    before: str
    after: str
    each: int
    undone: Sequence[Undone]

    @property
    def beyond(self) -> tuple[int, int]:
        """How many features lie further apart than APART, before and after."""
        plain = sum(abs(one.plain) > APART for one in self.differences)
        return plain, sum(abs(one.matched) > APART for one in self.differences)

    @property
    def by_chance(self) -> float:
        """What two draws of so many pictures from one population differ by at most, in nineteen of twenty features."""
        return float(SURE * (2 / max(self.each, 1)) ** 0.5)

    @property
    def limit(self) -> float:
        """The difference beyond which the classes are called apart."""
        return APART

    @property
    def shown(self) -> Sequence[Difference]:
        """The features to draw: those that words describe, unless there are none, and at most EACH of a family."""
        worded = [one for one in self.differences if not any(letter.isdigit() for letter in one.feature)]
        drawn: dict[str, list[Difference]] = {}
        for one in worded or self.differences:
            drawn.setdefault(one.family, []).append(one)
        own = {(one.family, one.feature) for features in drawn.values() for one in features[:EACH]}
        return [one for one in self.differences if (one.family, one.feature) in own][:SHOWN]

    def chart(self) -> Markup:
        """Draw the features that are farthest apart: hollow before, filled after."""
        shown = self.shown
        bars = [
            Bar(
                name=title(one.family, one.feature).partition(": ")[2], value=abs(one.matched),
                other=abs(one.plain) if self.before else None,
                colour="problem" if abs(one.matched) > APART else "fine",
                shape="D" if abs(one.matched) > APART else "o",
                words=_words(one, bool(self.before)),
            )
            for one in shown
        ]  # fmt: skip
        most = max(max(abs(one.plain), abs(one.matched)) for one in shown)
        return rows(
            bars, x="difference of the means (standard deviations)", ends=(0.0, 1.08 * max(0.5, most)), middle=APART,
            names=182, words=96, label="How far the classes lie apart in each measured number, before and after",
        )  # fmt: skip

    def data(self) -> Mapping[str, Any]:
        """Return all differences."""
        return {
            "before": self.before, "after": self.after, "limit": APART, "by chance": self.by_chance,
            "features": [
                {"family": one.family, "feature": one.feature, "words": title(one.family, one.feature),
                 "before": one.plain if self.before else None, "after": one.matched}
                for one in self.differences
            ],
        }  # fmt: skip


def _words(one: Difference, both: bool) -> str:
    after = f"{one.matched:+.2f}"
    return (f"{one.plain:+.2f} → {after}" if both else after).replace("-", "−")
