"""How many pictures of each class every stage left, and what became of the others. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from audit.charts.matrix import Cell, MatrixRow, matrix
from audit.charts.stacked import Kind, Stack, stacked
from audit.report.dataset.groups import Undone, colour_of, labels_of
from audit.report.subject import Subject
from imageledger.manifest import Tally
from imageledger.overview import COMMAND_OF
from imageledger.record import DUPLICATE, OK, REJECTED, STATUSES, UNREADABLE, UNUSED

LOOKS = {
    DUPLICATE: Kind(words="duplicate", colour="undecided", texture="/"),
    UNREADABLE: Kind(words="unreadable", colour="problem", texture="x"),
    REJECTED: Kind(words="rejected", colour="problem", texture="\\"),
    UNUSED: Kind(words="unused", colour="faint", texture="o"),
}
"""How each status is drawn; `ok` is solid, in the colour of its class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Counts by class, stage and status; `unmade` are the stages that were not run yet."""

    counts: Mapping[str, Mapping[str, Mapping[str, int]]]
    colours: Mapping[str, str]
    unmade: Sequence[Undone]

    @property
    def made(self) -> list[str]:
        """The stages that were run."""
        return list(next(iter(self.counts.values())))

    @property
    def empty(self) -> list[str]:
        """The classes without a single picture."""
        return [label for label, stages in self.counts.items() if not any(sum(own.values()) for own in stages.values())]

    def chart(self, label: str) -> Markup:
        """Draw the stages of one class under each other, all to the scale of the largest class."""
        kinds = [LOOKS.get(status, Kind(words="ok", colour=self.colours[label])) for status in STATUSES]
        stacks = [
            Stack(name=stage, counts=[own[status] for status in STATUSES], words=f"{own[OK]} ok")
            for stage, own in self.counts[label].items()
        ]
        most = max(sum(own.values()) for stages in self.counts.values() for own in stages.values())
        said = "; ".join(f"after {stack.name} {stack.words}" for stack in stacks)
        return stacked(stacks, kinds, label=f"What became of the {label} pictures: {said}", most=most)

    def table(self) -> Markup:
        """Write the same numbers as a table, a row for each class and stage."""
        rows = [
            MatrixRow(name=f"{label}, {stage}", cells=[Cell(words=str(own[status])) for status in STATUSES])
            for label, stages in self.counts.items()
            for stage, own in stages.items()
        ]
        return matrix(rows, STATUSES, corner="after", label="Pictures of each class by stage and status")

    def data(self) -> Mapping[str, Any]:
        """Return the counts by class, stage and status."""
        return {label: {stage: dict(own) for stage, own in stages.items()} for label, stages in self.counts.items()}


def flow_of(subject: Subject) -> Flow:
    """Count the rows of every stage that was made."""
    labels = labels_of(subject)
    counts: dict[str, dict[str, dict[str, int]]] = {label: {} for label in labels}
    for stage, rows in subject.stages.items():
        tally = Tally()
        for record in rows:
            tally.add(record)
        for label in labels:
            counts[label][stage] = {status: tally.by_label.get(label, Counter())[status] for status in STATUSES}
    unmade = [
        Undone(sentence=f"The stage {stage} has not been run.", command=COMMAND_OF[stage])
        for stage in subject.project.declared.order
        if stage not in subject.stages and stage in COMMAND_OF
    ]
    return Flow(counts=counts, colours={label: colour_of(subject, label) for label in labels}, unmade=unmade)
