"""Gather what the files give away without a face: what `audit shortcuts` kept, and the numbers measured before."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from audit import kept
from audit.charts.spread import spread
from audit.pictures import Shown, show_object
from audit.report.files_alone import words
from audit.report.files_alone.told import ProbeTold, StageTold, Told, told_of
from audit.report.subject import Subject
from audit.shortcuts.work import as_it_was
from curate.evidence.measure import FETCHED, FINAL, MODEL_INPUT, STAGES, Table, measured
from curate.evidence.verdict import ALL, CLEAN
from curate.nuisance import FAMILIES
from imageledger import manifest as manifests
from imageledger.config import MANIFEST_OF, Project
from imageledger.intervals import with_interval
from imageledger.record import Record
from imageledger.types import Bools, Floats, Row, Track, untracked

COMMAND = "audit shortcuts --stage all"
FILES = ("shortcuts.json", *(f"shortcuts-{stage}.json" for stage in reversed(STAGES)))
"""Where the audit keeps what it found: of all stages, and of one stage alone."""

SIDE = 88
"""Longer side of an example, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One picture that gives its family away, with its value of the strongest feature (NaN where it has none)."""

    record: Record
    shown: Shown
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One family: its probe, its strongest feature in words and as distributions, examples per class, and advice."""

    probe: ProbeTold
    anchor: str
    name: str
    feature: str = ""
    drawing: Markup | None = None
    examples: tuple[Sequence[Example], Sequence[Example]] = ((), ())
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesAloneSection:
    """What is shown: sentences, the heat map, the stage that counts, a card per family, and what was not measured.

    `missing` holds sentences with the command that mends each; without a `told` there is nothing else.
    """

    labels: tuple[str, str]
    told: Told | None = None
    stage: StageTold | None = None
    cards: Sequence[Card] = ()
    missing: Sequence[tuple[str, str]] = ()
    sentences: Sequence[str] = ()
    heat_map: Markup = field(default=Markup(""))
    areas: Markup = field(default=Markup(""))
    table: Sequence[Row] = ()
    anchor: str = "files-alone"
    title: str = "Shortcuts: what the file gives away without a face"
    template: str = "report/files_alone/section.html"
    style: str = "report/files_alone/section.css"

    def data(self) -> Mapping[str, Any]:
        """Return the probes of every stage, and what was not measured."""
        return {
            "sentences": list(self.sentences),
            "missing": [{"why": why, "command": command} for why, command in self.missing],
            "judged": self.stage.stage if self.stage else None,
            "stages": [_plain(asdict(stage)) for stage in (self.told.stages if self.told else ())],
            "strongest": {card.probe.family: card.feature for card in self.cards},
        }


def files_alone(subject: Subject, *, track: Track = untracked) -> FilesAloneSection | None:
    """Show which numbers of the files tell the classes apart, stage by stage; None before there are pictures.

    Measures and probes nothing: what is missing or about other pictures than today's names the command.
    """
    if not subject.stages:
        return None
    told, missing = _read(subject.project)
    if told is None or not told.stages:
        alone = subject.run.file_alone if subject.run else {}
        return FilesAloneSection(labels=subject.labels, missing=missing, sentences=_of_the_run(alone))
    stage = told.at(told.judged) or told.stages[-1]
    cards = _cards(subject, told, stage, track)
    return FilesAloneSection(
        labels=told.labels, told=told, stage=stage, cards=cards, missing=missing,
        sentences=[sentence for sentence in words.sentences(told, stage) if sentence],
        heat_map=words.heat_map(told, [card.probe.family for card in cards]), areas=words.areas(stage),
        table=words.judged_rows(stage),
    )  # fmt: skip


def _read(project: Project) -> tuple[Told | None, list[tuple[str, str]]]:
    """Read the audit that knows most of today's pictures, and say what is missing."""
    best, whys = None, []
    for name in FILES:
        path = project.root / "data" / "audit" / "shortcuts" / name
        found, why = _told(project, path)
        whys += [why] if why else []
        if found and (best is None or len(found.stages) > len(best.stages)):
            best = found
    if best is None or not best.stages:
        why = whys[0] if whys else "What the files give away has not been measured."
        return None, [(why, COMMAND)]
    if len(best.stages) < 2:
        return best, [("The other stages are not shown: they have not been measured, or have changed since.", COMMAND)]
    changed = [why for why in whys if why.startswith(FILES[0])]
    return best, [(why, COMMAND) for why in changed]


def _told(project: Project, path: Path) -> tuple[Told | None, str]:
    found = kept.read(path)
    if not found.data:
        return None, f"{found.why}." if found.why else ""
    today = {stage: digest == _digest(project, stage) for stage, digest in found.about.items()}
    try:
        told = told_of(found.data, today)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None, f"{path.name} does not hold what it should."
    stale = [stage for stage, current in today.items() if not current]
    return told, f"{path.name} is about other pictures than today's: {', '.join(stale)}." if stale else ""


def _digest(project: Project, stage: str) -> str:
    made = FINAL if stage == MODEL_INPUT else stage
    step = next((step for step, name in MANIFEST_OF.items() if name == made), None)
    path = project.manifest(step) if step else None
    return manifests.digest(path) if path and path.is_file() else ""


def _of_the_run(alone: Mapping[str, Any]) -> list[str]:
    if not alone:
        return []
    auc = with_interval(alone["auc"], alone["low"], alone["high"])
    return [f"The training measured all families together: AUC {auc}, {alone['verdict']}."]


def _cards(subject: Subject, told: Told, stage: StageTold, track: Track) -> list[Card]:
    known = [name for name in FAMILIES if stage.of(name)]
    records = [then for record in subject.chosen if (then := as_it_was(record, stage.stage))]
    table = measured(subject.project, records, known, stage=stage.stage)
    positive = np.array([record.label == told.labels[1] for record in records], dtype=bool)
    probes = sorted(stage.probes, key=lambda probe: (probe.family != ALL, -probe.area.auc))
    return [
        _card(subject, told, probe, table, positive, stage.stage)
        for probe in track(probes, len(probes), "opening examples")
    ]


def _card(subject: Subject, told: Told, probe: ProbeTold, table: Table, positive: Bools, stage: str) -> Card:
    feature, values = words.strongest(probe), _values(probe, table)
    drawing = spread(values, positive, told.labels, name=feature) if values is not None and feature else None
    examples: tuple[list[Example], list[Example]] = ([], [])
    if probe.verdict != CLEAN:
        rows = {record.key: row for row, record in enumerate(table.records)}
        for key in told.examples.get(probe.family, ()):
            if (row := rows.get(key)) is not None:
                value = float("nan") if values is None else float(values[row])
                record = table.records[row]
                name = record.origin if stage == FETCHED else record.file
                shown = show_object(subject.project.store, name)
                examples[int(positive[row])].append(Example(record=record, shown=shown, value=value))
    return Card(
        probe=probe, anchor=words.anchor_of(probe.family), name=words.family_in_words(probe.family), feature=feature,
        drawing=drawing, examples=examples, advice=told.advice.get(words.family_in_words(probe.family), ""),
    )  # fmt: skip


def _values(probe: ProbeTold, table: Table) -> Floats | None:
    """Return the values of a probe's strongest feature; of all together it is named family.feature."""
    name, feature = probe.family, probe.strongest
    if name == ALL:
        name, _, feature = feature.partition(".")
    columns = list(table.columns.get(name, ()))
    return np.asarray(table.values[name][:, columns.index(feature)]) if feature in columns else None


def _plain(value: Any) -> Any:
    """Replace NaN, which JSON does not know, by None."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and value != value else value
