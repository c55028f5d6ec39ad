"""Which pictures the tables of the dataset count: by class, as fetched and as chosen. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.charts.matrix import Cell, MatrixRow, matrix
from audit.report.subject import Subject
from imageledger.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What was not done or not measured, and the command that does it."""

    sentence: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some pictures of one class: all that were fetched, or those of the final set."""

    label: str
    which: str
    colour: str
    records: Sequence[Record]

    @property
    def name(self) -> str:
        """Its name at the head of a column."""
        return f"{self.label}, {self.which}"


ALL, FINAL = "fetched", "final set"


def labels_of(subject: Subject) -> tuple[str, ...]:
    """Return the classes of the project, the negative one first, and behind them any other that a row has."""
    others = sorted({record.label for record in subject.rows} - set(subject.labels))
    return (*dict.fromkeys(subject.labels), *others)


def colour_of(subject: Subject, label: str) -> str:
    """Return the colour class of a class of pictures."""
    negative, positive = subject.labels
    return "negative" if label == negative else "positive" if label == positive else "faint"


def groups_of(subject: Subject) -> list[Group]:
    """Return all fetched pictures of each class and, once there is a choice, those of the final set."""
    groups = []
    for label in labels_of(subject):
        sets = {ALL: subject.rows} | ({FINAL: subject.chosen} if len(subject.chosen) < len(subject.rows) else {})
        for which, records in sets.items():
            own = [record for record in records if record.label == label]
            groups.append(Group(label=label, which=which, colour=colour_of(subject, label), records=own))
    return groups


def table(groups: Sequence[Group], rows: Iterable[tuple[str, Sequence[int]]], totals: Sequence[int], *, corner: str,
          label: str, loud: Sequence[str] = ()) -> Markup:  # fmt: skip
    """Draw counts as a table, a column for each group, shaded by their share of `totals`; `loud` rows are problems."""
    drawn = []
    for name, counts in rows:
        cells = [
            _cell(count, total, "problem" if name in loud else group.colour)
            for group, count, total in zip(groups, counts, totals, strict=True)
        ]
        drawn.append(MatrixRow(name=name, cells=cells, strong=name in loud and any(counts)))
    return matrix(drawn, [group.name for group in groups], corner=corner, label=label)


def _cell(count: int, total: int, colour: str) -> Cell:
    if not total:
        return Cell(words="–", title="no picture")
    share = count / total
    return Cell(words=str(count), shade=share, colour=colour, title=f"{count} of {total} = {100 * share:.0f} %")
