"""What a self-test found: which plants were named, how often the audit cried wolf, and whether that passes."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.self_test.doses import Dose
from audit.self_test.nulls import Alarms
from audit.self_test.plants import Plant
from audit.self_test.portraits import Sitters
from audit.words import family_in_words
from curate.evidence.verdict import SHORTCUT, Probe
from imageledger.counted import of_each
from imageledger.intervals import with_interval
from imageledger.types import Row

MOST_FALSE_ALARMS = 0.05
AMONG_THE_STRONGEST = 0.05
"""A family that names a plant is at most this much AUC below the family that separates best."""

LIMIT = ", which is a limit of the method: declare what belongs together"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantProbes:
    """The probes of one planted set, the strongest family first."""

    plant: Plant
    probes: Sequence[Probe]

    @property
    def named(self) -> Probe:
        """The strongest of the families that may rightly name the plant."""
        return next(probe for probe in self.probes if probe.family in self.plant.families)

    @property
    def right(self) -> bool:
        """Whether a right family calls it a shortcut and is among the strongest."""
        return self.named.verdict == SHORTCUT and self.named.auc >= self.probes[0].auc - AMONG_THE_STRONGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """The probes of every planted set; `alarms` holds, for every null set, the families that gave a false alarm.

    A thorough test has `doses`, and null sets of `others` kinds.
    """

    planted: Sequence[PlantProbes]
    alarms: Sequence[Sequence[str]]
    sitters: Sitters
    doses: Sequence[Dose] = ()
    others: Sequence[Alarms] = ()

    @property
    def false_alarms(self) -> int:
        """In how many null sets at least one family, or all together, were called a shortcut."""
        return sum(bool(families) for families in self.alarms)

    @property
    def passed(self) -> bool:
        """Whether every plant was rightly named, and false alarms are no more than allowed."""
        few = self.false_alarms <= MOST_FALSE_ALARMS * len(self.alarms)
        others = all(other.found.share <= MOST_FALSE_ALARMS for other in self.others if other.counts)
        return all(plant.right for plant in self.planted) and few and others

    def rows(self) -> list[Row]:
        """Return one row per plant: what was planted, which families may name it, and what the probes named."""
        return [_row(plant) for plant in self.planted]

    @property
    def sentences(self) -> list[str]:
        """Say in words how many plants were named, and how many alarms were false."""
        right, each = sum(plant.right for plant in self.planted), len(self.sitters.groups) // 2
        of = "of this project" if self.sitters.own else "drawn for this test"
        lines = [
            f"The right family named {right} of {len(self.planted)} planted nuisances, with {each} portraits {of} in "
            "each class.",
            f"False alarms: {of_each(map(bool, self.alarms))} of the sets in which nothing was "
            f"planted; at most {100 * MOST_FALSE_ALARMS:.0f} % are allowed.",
        ]
        lines += [
            f"{other.kind}: {other.found} raise an alarm{'' if other.counts else LIMIT}." for other in self.others
        ]
        if not self.sitters.with_mattes:
            lines.append("Nothing was planted in cut-outs: these portraits have no mattes, which curate whiten makes.")
        return lines


def _row(probed: PlantProbes) -> Row:
    named = probed.named
    strongest = [rival for rival in probed.probes if rival.verdict == SHORTCUT and rival.auc > named.auc][:2]
    return {
        "plant": probed.plant.name,
        "may be named": ", ".join(family_in_words(name) for name in probed.plant.families),
        "named": family_in_words(named.family) if named.verdict == SHORTCUT else "",
        "AUC": round(named.auc, 3),
        "interval": f"{named.low:.2f}–{named.high:.2f}",
        "p": float(f"{named.p:.2g}"),
        "verdict": named.verdict,
        "stronger still": ", ".join(f"{family_in_words(rival.family)} {rival.auc:.2f}" for rival in strongest),
        "right": "yes" if probed.right else "NO",
    }


def for_people(row: Row) -> Row:
    """Return a row as a terminal shows it."""
    low, high = map(float, row["interval"].split("–"))
    words = {"AUC": with_interval(row["AUC"], low, high), "p": f"{row['p']:.4f}" if row["p"] >= 0.0001 else "<0.0001"}
    return {name: words.get(name, value) for name, value in row.items() if name != "interval"}
