"""Read the answers of a cross-validated run and a person's decisions, and open the pictures of the suspects."""

from dataclasses import dataclass, replace
from pathlib import Path

from audit.findings import Report
from audit.kept import digests_of
from audit.labels import file_witness, report
from audit.labels.clean import clean_set
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
    """`k` suspects are printed; `with_file` asks the files as fetched as well."""

    k: int = 20
    with_file: bool = False


def labels(
    project: Project,
    run: str | Path | None = None,
    *,
    settings: LabelsSettings = LabelsSettings(),
    track: Track = untracked,
) -> Report:
    """Report which labels of a cross-validated run may be wrong, and how many would seem so if none were.

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
    decided = decisions.read(project.folder / decisions.FILE)
    witness = None
    if settings.with_file:
        records = answers.known()
        witness = file_witness.ask(project, records, answers.positive, answers.groups, track)
    clean = clean_set(answers.shares, answers.positive, answers.groups, project.declared.seed, track=track)
    result = replace(judge(answers, decided, witness), clean=clean)
    rows = dict(zip(answers.keys, answers.records, strict=True))
    first = result.suspects[: report.SHOWN]
    entries = [
        entry_of(project, answers.run, suspect.rank, suspect.prediction, rows[suspect.prediction.key])
        for suspect in track(first, len(first), "opening pictures")
    ]
    found = report.report(result, entries, settings.k, answers.folder / "audit")
    variant = ("with-file",) if settings.with_file else ()
    return replace(found, about=digests_of(answers.folder), variant=variant)
