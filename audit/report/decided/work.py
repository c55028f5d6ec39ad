"""What people decided about the pictures: how often, who, what is not applied, and where two of them differ."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.pictures import Shown, show_object
from audit.report.subject import Subject
from imageledger import decisions, manifest
from imageledger.decisions import LEAVE_OUT, RELABEL, Decision
from imageledger.errors import ManifestError
from imageledger.manifest import Card
from imageledger.record import OK, Record
from imageledger.types import Track, untracked

SHOWN = 24
"""At most so many decisions stand on the page with their picture, the newest first."""

SIDE = 128

STAGES = ("normalize", "dedupe", "whiten", "manifest")
"""The stages that apply decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One decision that holds, with its record (None where no row has its name), its picture, and what became of it."""

    decision: Decision
    record: Record | None
    shown: Shown
    became: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedSection:
    """The decisions that hold: `kinds` counts them, `people` counts them by who signed."""

    made: Sequence[Made]
    kinds: Mapping[str, int]
    people: Mapping[str, int]
    unapplied: Sequence[str]
    disputed: int
    waiting: Sequence[str]
    anchor: str = "decided"
    title: str = "What people decided"
    template: str = "report/decided/section.html"

    @property
    def warning(self) -> str:
        """Say why later figures flatter the model; "" where no picture was left out or relabelled."""
        gone = sum(count for words, count in self.kinds.items() if words.split()[0] in (LEAVE_OUT, RELABEL))
        if not gone:
            return ""
        noun = "1 picture" if gone == 1 else f"{gone} pictures"
        return (
            f"People left out or relabelled {noun}. Where they looked at what a model got wrong, every later figure on "
            "this set is better than on new pictures; only pictures that nobody has looked at can say by how much."
        )

    @property
    def total(self) -> int:
        """How many decisions hold."""
        return sum(self.kinds.values())

    def data(self) -> Mapping[str, Any]:
        """Return the counts, and a row per decision that is shown."""
        return {
            "total": self.total, "kinds": dict(self.kinds), "people": dict(self.people), "disputed": self.disputed,
            "not applied": list(self.unapplied), "waiting for": list(self.waiting),
            "decisions": [
                {"source": one.decision.source, "member": one.decision.member, "decision": one.decision.words,
                 "who": one.decision.who, "why": one.decision.why, "became": one.became}
                for one in self.made
            ],
        }  # fmt: skip


def decided(subject: Subject, *, track: Track = untracked) -> DecidedSection | None:
    """Show what people decided; None where nobody has decided anything.

    Raises ManifestError for a line of decisions.jsonl that is none.
    """
    project = subject.project
    standing = decisions.read(project.folder / decisions.FILE, project.declared.labels)
    every = list({(one.subject, one.matte): one for one in standing.all}.values())
    if not every:
        return None
    newest = every[::-1][:SHOWN]
    return DecidedSection(
        made=[_made(subject, one) for one in track(newest, len(newest), "opening pictures that people decided about")],
        kinds=dict(Counter(one.words for one in every).most_common()),
        people=dict(Counter(one.who for one in every).most_common()),
        unapplied=[*decisions.not_applied(standing, subject.by_key), *_strange(standing, subject)],
        disputed=len(decisions.disputed(standing)),
        waiting=list(_waiting(subject)),
    )


def _made(subject: Subject, one: Decision) -> Made:
    record = subject.by_key.get(one.key)
    if record is None:
        return Made(decision=one, record=None, shown=Shown(missing="no row has its name"), became="not applied")
    shown = show_object(subject.project.store, record.file or record.origin, SIDE)
    became = f"{record.label}, {record.split}" if record.status == OK and record.split else record.status
    return Made(decision=one, record=record, shown=shown, became=became)


def _strange(standing: decisions.Decisions, subject: Subject) -> list[str]:
    return [f"{name}: no row has this name" for name in decisions.without_row(standing, subject.rows)]


def _waiting(subject: Subject) -> Iterator[str]:
    """Name the stages that have not seen the newest decisions."""
    for stage in STAGES:
        path = subject.project.manifest(stage)
        try:
            seen = Card.read(manifest.card_path(path)).input
        except ManifestError:
            continue
        if path.is_file() and decisions.wait(subject.project.folder, stage, seen):
            yield stage
