"""The page of a self-test: what was planted and whether it was named, and from which dose on it is found."""

from collections.abc import Sequence

from audit.audit_page import Drawing
from audit.charts.matrix import Cell, MatrixRow, matrix
from audit.charts.rows import Bar, rows
from audit.self_test.doses import DRAWS, Dose
from audit.self_test.judge import PlantProbes, SelfTest


def drawings(test: SelfTest) -> list[Drawing]:
    """Draw how well every plant is seen, and, of a thorough test, in how many sets of each dose."""
    plants = [_bar(probed) for probed in test.planted]
    parts = [
        Drawing(
            title="How well the named family separates a planted set",
            drawn=rows(plants, x="AUC, with its 95 % interval; 0.5 is chance", middle=0.5, ends=(0.4, 1.0), names=175,
                       words=52, label="AUC of the family that may name each plant"),
            note="Circle: rightly named. Diamond: missed.",
        )
    ]  # fmt: skip
    return [*parts, _doses(test.doses)] if test.doses else parts


def _bar(probed: PlantProbes) -> Bar:
    named = probed.named
    return Bar(name=probed.plant.name, value=named.auc, low=named.low, high=named.high,
               colour="fine" if probed.right else "problem", shape="o" if probed.right else "D",
               words=f"{named.auc:.2f}")  # fmt: skip


def _doses(given: Sequence[Dose]) -> Drawing:
    names = list(dict.fromkeys(dose.plant.name for dose in given))
    columns = list(dict.fromkeys(dose.column for dose in given))
    by_place = {(dose.plant.name, dose.column): dose.found for dose in given}

    def cell(name: str, column: str) -> Cell:
        found = by_place.get((name, column))
        return Cell(words="–") if found is None else Cell(words=f"{found.hits}", shade=found.share, colour="fine")

    table = [MatrixRow(name=name, cells=[cell(name, column) for column in columns]) for name in names]
    return Drawing(
        title=f"In how many of {DRAWS} sets is the plant found?",
        drawn=matrix(table, columns, corner="plant", label="Sets in which each dose of each plant is found"),
        note="Columns: the share of one class that has the plant, and half strength in all of it. A pale cell is where "
        "the audit is blind: its silence there shows nothing.",
    )  # fmt: skip
