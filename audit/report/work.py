"""Read everything that a project holds about a dataset and a run, and write it as one page."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from audit import page
from audit.findings import Finding, Report, Severity
from audit.report import figure, verdict
from audit.report.dataset.work import dataset
from audit.report.decided.work import DecidedSection, decided
from audit.report.facts import done_of
from audit.report.files_alone.work import files_alone
from audit.report.mistakes.work import mistakes
from audit.report.next_step import Step, next_step
from audit.report.pictures.work import pictures
from audit.report.section import Section
from audit.report.subject import Subject, subject_of
from audit.report.training.work import training
from audit.words import DRAWN, DRAWN_NOTE
from imageledger.config import Project
from imageledger.errors import ManifestError
from imageledger.types import Track, untracked

NAME = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """`output` is the file of the page; the same name with .json is written beside it."""

    output: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The content of a report: what it says first, the next step, and its parts."""

    heading: str
    about: str
    drawn: bool
    sentences: Sequence[str]
    step: Step
    sections: Sequence[Section]
    chart: Markup | None = None
    warnings: Sequence[str] = ()


def report(
    project: Project,
    run: str | Path | None = None,
    *,
    settings: ReportSettings = ReportSettings(),
    track: Track = untracked,
) -> Report:
    """Report on a dataset and a run of it (default: the run finished last; the dataset alone where there is none).

    Raises RunError for a run that is not there, ManifestError where the project has no manifest yet, and LedgerError
    for files that are damaged.
    """
    subject = subject_of(project, run)
    if not subject.stages:
        raise ManifestError(
            f"dataset {project.dataset} has no pictures yet", "curate fetch SOURCE makes its first ones"
        )
    written = gather(subject, track)
    home = subject.folder / "audit" if subject.folder else project.root / "data" / "audit"
    stem = settings.output.stem if settings.output else NAME
    return Report(
        audit=NAME,
        subject=subject.run.name if subject.run else project.dataset,
        verdict=written.sentences[0],
        findings=[
            *(Finding(severity=Severity.NOTE, sentence=sentence) for sentence in written.sentences),
            Finding(severity=Severity.NOTE, sentence=f"Next: {written.step.sentence} {written.step.command}"),
        ],
        data=data(written),
        contents={f"{stem}.html": cache(lambda: html(written)), f"{stem}.json": lambda: _json(data(written))},
        folder=settings.output.parent if settings.output else home,
        warnings=written.warnings,
    )


def gather(subject: Subject, track: Track = untracked) -> Written:
    """Gather every part of the report."""
    run = subject.run
    found = verdict.judged(run, subject.predictions, subject.by_key) if run else None
    sections = list(_sections(subject, track))
    return Written(
        heading=f"Report on {run.name}" if run else f"Report on {subject.project.dataset}",
        about=_about(subject),
        drawn=any(record.source.startswith(DRAWN) for record in subject.chosen),
        sentences=sentences(subject, found),
        step=next_step(done_of(subject, found)),
        sections=sections,
        chart=figure.accuracies(found) if run and found else None,
        warnings=[part.warning for part in sections if isinstance(part, DecidedSection) and part.warning],
    )


def sentences(subject: Subject, found: verdict.Judged | None) -> list[str]:
    """Say in three sentences what a layman has to know."""
    if subject.run is None:
        return [f"No model has been trained yet: this report shows the dataset, {len(subject.chosen)} pictures."]
    if found is None:
        return ["The run judged no picture that its model had not seen, so nothing is known about new pictures."]
    return [
        verdict.how_often(found),
        verdict.beyond_coin_and_file(found),
        verdict.fails_most(found),
        *verdict.by_heart(found),
    ]


def _sections(subject: Subject, track: Track) -> Sequence[Section]:
    wrong = mistakes(subject, track=track)
    every = pictures(
        subject, causes=wrong.causes if wrong else {}, links=wrong.links if wrong else {}, track=track
    )  # fmt: skip
    parts = (
        dataset(subject, track=track), files_alone(subject, track=track), training(subject, track=track), wrong,
        decided(subject, track=track), every,
    )  # fmt: skip
    return [part for part in parts if part]


def _about(subject: Subject) -> str:
    counts = {label: sum(record.label == label for record in subject.chosen) for label in subject.labels}
    held = " and ".join(f"{count} {label}" for label, count in counts.items())
    run = f", run {subject.run.name}" if subject.run else ""
    return f"Dataset {subject.project.dataset}: {held} pictures{run}."


def html(written: Written) -> bytes:
    """Return the page; it needs nothing but itself."""
    text = page.render(
        "report/page.html", script=_script(), heading=written.heading, about=written.about,
        drawn=DRAWN_NOTE if written.drawn else "", warnings=written.warnings, sentences=written.sentences,
        step=written.step, chart=written.chart, sections=written.sections,
    )  # fmt: skip
    return text.encode("utf-8", errors="backslashreplace")


def data(written: Written) -> dict[str, Any]:
    """Return the whole report as one object for scripts."""
    return {
        "heading": written.heading, "about": written.about, "sentences": list(written.sentences),
        "next": asdict(written.step), "warnings": list(written.warnings),
        **{section.anchor: section.data() for section in written.sections},
    }  # fmt: skip


@cache
def _script() -> str:
    return resources.files("audit.report").joinpath("report.mjs").read_text(encoding="utf-8")


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode("utf-8", errors="backslashreplace")
