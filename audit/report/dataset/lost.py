"""Which pictures were set aside at which stage, grouped by reason, with some of each to look at. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from audit.report.dataset.groups import labels_of
from audit.report.subject import Subject
from imageledger.reasons import grouped, kinds_of
from imageledger.record import DUPLICATE, OK, UNREADABLE, UNUSED, Record
from imageledger.types import Key

EXAMPLES, FEWER = 6, 3
"""Pictures shown of a reason, and of pictures that nothing speaks against."""

WIDE = 3
"""So many pictures fit into half the width."""

SHOWN = 10
"""At most so many reasons stand on the page, the most frequent first."""

TOGETHER = {DUPLICATE: "copy of another picture", UNREADABLE: "not a picture that can be decoded"}
"""What stands for all reasons of these statuses together; how they differ is said below it."""

MEANS = {
    DUPLICATE: "another picture was kept in place of each; the duplicates below show them side by side",
    UNUSED: "nothing speaks against these: there were more candidates than places",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Pictures that one stage set aside for one kind of reason: how many of each class, and examples.

    `kinds` are the reasons in detail, with counts, where several stand together.
    """

    stage: str
    status: str
    reason: str
    counts: Mapping[str, int]
    examples: Sequence[Record]
    kinds: Sequence[tuple[str, int]] = ()

    @property
    def total(self) -> int:
        """How many pictures were lost."""
        return sum(self.counts.values())

    @property
    def means(self) -> str:
        """What the status means, where the reason does not say it."""
        return MEANS.get(self.status, "")

    @property
    def wide(self) -> bool:
        """Whether its pictures take the whole width of the page."""
        return len(self.examples) > WIDE

    @property
    def hidden(self) -> int:
        """How many of them are not shown."""
        return self.total - len(self.examples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """All losses, the most frequent first; those beyond SHOWN are counted on the page, and listed in the data."""

    losses: Sequence[Loss]

    @property
    def shown(self) -> Sequence[Loss]:
        """The losses that stand on the page."""
        return self.losses[:SHOWN]

    @property
    def others(self) -> tuple[int, int]:
        """How many pictures were lost for how many other reasons."""
        rest = self.losses[SHOWN:]
        return sum(loss.total for loss in rest), len(rest)

    def data(self) -> list[Mapping[str, Any]]:
        """Return all losses with their counts by class."""
        return [
            {
                "stage": loss.stage,
                "status": loss.status,
                "reason": loss.reason,
                "counts": dict(loss.counts),
                "kinds": dict(loss.kinds),
            }
            for loss in self.losses
        ]


def lost_of(subject: Subject) -> Lost:
    """Group the rows that are not `ok` in the furthest stage by the stage that set them aside, status and reason."""
    at = _lost_at(subject)
    by_stage: dict[tuple[str, str], list[Record]] = {}
    for record in subject.rows:
        if record.status != OK:
            by_stage.setdefault((at[record.key], record.status), []).append(record)
    labels = labels_of(subject)
    losses = [
        _loss(stage, status, reason, rows, labels)
        for (stage, status), records in by_stage.items()
        for reason, rows in ({TOGETHER[status]: records} if status in TOGETHER else _by_reason(records)).items()
    ]
    return Lost(losses=sorted(losses, key=lambda loss: (loss.status == UNUSED, -loss.total, loss.stage, loss.reason)))


def _lost_at(subject: Subject) -> dict[Key, str]:
    """Return for each row the first stage after which it had the status and reason that it has now."""
    now = {record.key: (record.status, record.reason) for record in subject.rows}
    at: dict[Key, str] = {}
    for stage, rows in subject.stages.items():
        for record in rows:
            if record.status != OK and now.get(record.key) == (record.status, record.reason):
                at.setdefault(record.key, stage)
    return at


def _by_reason(records: Sequence[Record]) -> dict[str, list[Record]]:
    of = {reason: words for words, kind in grouped(record.reason for record in records).items() for reason in kind}
    rows: dict[str, list[Record]] = {}
    for record in records:
        rows.setdefault(of[record.reason], []).append(record)
    return rows


def _loss(stage: str, status: str, reason: str, rows: Sequence[Record], labels: Sequence[str]) -> Loss:
    counts = Counter(record.label for record in rows)
    most = {DUPLICATE: 0, UNUSED: FEWER}.get(status, EXAMPLES)
    if status == UNREADABLE:  # one of each reason comes first
        rows = [record for turn in zip_longest(*_by_reason(rows).values()) for record in turn if record is not None]
    sides = [[record for record in rows if record.label == label][:most] for label in labels]
    turns = [record for record in chain.from_iterable(zip_longest(*sides)) if record is not None]
    kinds = kinds_of(Counter(record.reason for record in rows)) if status == UNREADABLE else ()
    return Loss(
        stage=stage, status=status, reason=reason, counts={label: counts[label] for label in labels},
        examples=turns[:most], kinds=kinds,
    )  # fmt: skip
