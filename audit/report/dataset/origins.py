"""Where the pictures come from and how they are divided: faces, licences, balance, split, sources. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from audit.charts.matrix import Cell, MatrixRow, matrix
from audit.report.dataset.groups import Group, Undone, colour_of, labels_of, table
from audit.report.subject import Subject
from curate.faces.words import counted_faces, for_want_of_a_face, lost_said
from curate.sources import licences
from imageledger.record import Record
from imageledger.record import groups_of as kept_together

NUMBERS = ("one face", "several faces", "no face")
NOT_LOOKED = "not looked for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """How many originals of each group show one face, several, none, and in how many nobody looked."""

    groups: Sequence[Group]
    counts: Mapping[str, Sequence[int]]
    said: Sequence[str]
    detector: str
    undone: Sequence[Undone]

    def table(self) -> Markup:
        """Draw the numbers by group."""
        totals = [len(group.records) for group in self.groups]
        label = "Faces in the originals, by class"
        return table(self.groups, self.counts.items(), totals, corner="shows", label=label)

    def data(self) -> Mapping[str, Any]:
        """Return the numbers by group."""
        return _by_group(self.groups, self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Licences:
    """How many pictures of each group are under each licence, and what some licences forbid or leave open."""

    groups: Sequence[Group]
    counts: Mapping[str, Sequence[int]]
    concerns: Mapping[str, str]
    unknown: int
    there: int

    def table(self) -> Markup:
        """Draw the licences by group; those that say nothing are marked."""
        totals = [len(group.records) for group in self.groups]
        return table(self.groups, self.counts.items(), totals, corner="licence", label="Licences, by class",
                     loud=[licences.UNKNOWN])  # fmt: skip

    def data(self) -> Mapping[str, Any]:
        """Return the licences by group, and what speaks against them."""
        return {"counts": _by_group(self.groups, self.counts), "concerns": dict(self.concerns)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one source holds of one class: how many were fetched, and how many stand in the final set and its sides."""

    source: str
    label: str
    generator: str
    fetched: int
    chosen: int
    train: int
    valid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The final set by class and side of the split, and the same by source."""

    classes: Sequence[str]
    sides: Mapping[str, Sequence[int]]
    groups: Mapping[str, int]
    colours: Mapping[str, str]
    held: Sequence[Held]
    one_sided: bool
    undone: Sequence[Undone]

    def table(self) -> Markup:
        """Draw the classes by side of the split."""
        most = max((count for counts in self.sides.values() for count in counts), default=0) or 1
        rows = [
            MatrixRow(name=label, cells=[*(Cell(words=str(n), shade=n / most, colour=self.colours[label])
                                           for n in counts),
                                         Cell(words=str(sum(counts))), Cell(words=str(self.groups[label]))])
            for label, counts in self.sides.items()
        ]  # fmt: skip
        return matrix(rows, ["train", "valid", "together", "groups"], corner="class", label="The final set by class")

    def data(self) -> Mapping[str, Any]:
        """Return the counts by class, and a row for each source, class and generator."""
        return {
            "classes": {
                label: {"train": counts[0], "valid": counts[1], "groups": self.groups[label]}
                for label, counts in self.sides.items()
            },
            "each source holds one class only": self.one_sided,
            "sources": [
                {"source": one.source, "label": one.label, "generator": one.generator, "fetched": one.fetched,
                 "chosen": one.chosen, "train": one.train, "valid": one.valid}
                for one in self.held
            ],
        }  # fmt: skip


def faces_of(subject: Subject, groups: Sequence[Group]) -> Faces:
    """Count the faces in the originals, and say whether one class loses more pictures for want of one."""
    found = [counted_faces(group.records).get(group.label, (0, 0, 0)) for group in groups]
    missing = [len(group.records) - sum(own) for group, own in zip(groups, found, strict=True)]
    counts = {name: [own[n] for own in found] for n, name in enumerate(NUMBERS)}
    looked = any(map(sum, found))
    if any(missing) and looked:
        counts[NOT_LOOKED] = missing
    seen: dict[str, list[Record]] = {}
    for record in subject.rows:
        seen.setdefault(record.label, []).append(record)
    said = lost_said(seen, "Set aside because no face was found", for_want_of_a_face) if looked else []
    undone = [] if looked else [Undone(sentence="Nobody has looked for faces yet.", command="curate normalize")]
    stated = {str(record.stated("normalize").get("detector", "")) for record in subject.rows} - {""}
    return Faces(groups=groups, counts=counts, said=said, detector=", ".join(sorted(stated)), undone=undone)


def licences_of(subject: Subject, groups: Sequence[Group]) -> Licences:
    """Count the licences, those that are unknown first."""
    counted = [Counter(record.licence or licences.UNKNOWN for record in group.records) for group in groups]
    names = sorted({name for own in counted for name in own}, key=lambda name: (name != licences.UNKNOWN, name))
    concerns = {name: why for name in names if (why := licences.concern(name))}
    return Licences(
        groups=groups, counts={name: [own[name] for own in counted] for name in names}, concerns=concerns,
        unknown=sum(record.licence in ("", licences.UNKNOWN) for record in subject.chosen), there=len(subject.chosen),
    )  # fmt: skip


def balance_of(subject: Subject) -> Balance:
    """Count the final set by class and side, and by source; before there is one, the pictures that are still in use."""
    classes = labels_of(subject)
    own = {label: [record for record in subject.chosen if record.label == label] for label in classes}
    sides = {label: [sum(record.split == side for record in rows) for side in ("train", "valid")]
             for label, rows in own.items()}  # fmt: skip
    split = any(map(any, sides.values()))
    sources: dict[str, set[str]] = {}
    for record in subject.chosen:
        sources.setdefault(record.source, set()).add(record.label)
    sentence = "The pictures have not been balanced and split yet."
    groups = {name: len(set(kept_together(rows))) for name, rows in own.items()}
    return Balance(
        classes=classes, sides=sides, held=_held(subject), colours={name: colour_of(subject, name) for name in classes},
        groups=groups,
        one_sided=bool(sources) and all(len(labels) == 1 for labels in sources.values()),
        undone=[] if split else [Undone(sentence=sentence, command="curate manifest")],
    )  # fmt: skip


def _held(subject: Subject) -> list[Held]:
    def cell(record: Record) -> tuple[str, str, str]:
        return record.source, record.label, record.generator

    fetched, chosen = Counter(map(cell, subject.rows)), Counter(map(cell, subject.chosen))
    sides = Counter((cell(record), record.split) for record in subject.chosen)
    return [
        Held(source=at[0], label=at[1], generator=at[2], fetched=fetched[at], chosen=chosen[at],
             train=sides[at, "train"], valid=sides[at, "valid"])
        for at in sorted(fetched)
    ]  # fmt: skip


def _by_group(groups: Sequence[Group], counts: Mapping[str, Sequence[int]]) -> dict[str, dict[str, int]]:
    names = [group.name for group in groups]
    return {name: dict(zip(names, own, strict=True)) for name, own in counts.items()}
