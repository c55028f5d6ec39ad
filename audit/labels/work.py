"""Read the answers of a cross-validated run and a person's decisions, and open the pictures of the suspects."""

from dataclasses import dataclass, replace
from pathlib import Path

from audit.findings import Report
from audit.kept import digests_of
from audit.labels import file_witness, report
from audit.labels.judge import judge
from audit.pictures import entry_of
from imageledger import decisions
from imageledger.config import Project
from imageledger.errors import RunError
from imageledger.types import Track, untracked
from train.answers import Answers
from train.runs import CROSS_VALIDATION

FEWEST = 10
"""How many pictures per class the audit needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsSettings:
    """`k` suspects are printed; `who` signs the proposed decisions, which go into the folder `output`."""

    k: int = 20
    who: str = ""
    with_file: bool = False
    output: Path | None = None


def labels(
    project: Project,
    run: str | Path | None = None,
    *,
    settings: LabelsSettings = LabelsSettings(),
    track: Track = untracked,
) -> Report:
    """Report which labels of a cross-validated run may be wrong, as decisions that wait for a person.

    Pictures that a person has decided on are left out. Raises RunError for another kind of run, for too few pictures
    and, with the files as witnesses, for a picture that the manifest no longer has; MissingExtra without cleanlab.
    """
    answers = Answers.of(project, run)
    if answers.run.kind != CROSS_VALIDATION:
        raise RunError(
            f"run {answers.run.name} was not cross-validated: its model has learned most of the labels that it would "
            "have to judge",
            "train cross-validate judges every picture by a model that had not seen it; then audit labels NAME",
        )
    answers = answers.held_out()
    if answers.fewest < FEWEST:
        raise RunError(
            f"the smaller class of run {answers.run.name} has {answers.fewest} pictures",
            f"add pictures: this audit needs {FEWEST} per class",
        )
    path = project.folder / decisions.FILE
    decided = decisions.read(path)
    witness = None
    if settings.with_file:
        records = answers.known()
        witness = file_witness.ask(project, records, answers.positive, answers.groups, track)
    result = judge(answers, decided, witness)
    rows = dict(zip(answers.keys, answers.records, strict=True))
    first = result.suspects[: report.SHOWN]
    entries = [
        entry_of(project, answers.run, suspect.rank, suspect.prediction, rows[suspect.prediction.key])
        for suspect in track(first, len(first), "opening pictures")
    ]
    folder = settings.output or answers.folder / "audit"
    places = report.Places(
        proposals=within(project, folder / report.PROPOSED), decisions=within(project, path), who=settings.who
    )
    found = report.report(result, entries, places, settings.k, folder)
    return replace(found, about=digests_of(answers.folder))


def within(project: Project, path: Path) -> str:
    """Write a path as seen from the project folder; a path elsewhere stays as it is."""
    whole = path.resolve()
    return whole.relative_to(project.root).as_posix() if whole.is_relative_to(project.root) else str(whole)
