"""What lies on the desk: the rows of a manifest, and the run that judged them, where there is one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from imageledger import manifest
from imageledger.config import MANIFEST_OF, Project
from imageledger.errors import ManifestError, RunError
from imageledger.record import Record
from imageledger.types import Key
from train.runs import Prediction, Run, find_run, read_predictions


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The rows to look at, and what a run said of them; `title` names the manifest they come from."""

    project: Project
    title: str
    rows: tuple[Record, ...]
    run: Run | None = None
    folder: Path | None = None
    predictions: tuple[Prediction, ...] = ()

    @cached_property
    def by_key(self) -> Mapping[Key, Record]:
        """The rows by key."""
        return {record.key: record for record in self.rows}


def subject_of(project: Project, what: str | Path | None) -> Subject:
    """Read a run, a stage or a manifest; without a name the furthest stage and, where there is one, the last run.

    Raises RunError or ManifestError for a name that is none of them.
    """
    stages = {**MANIFEST_OF, **{name: name for name in MANIFEST_OF.values()}}
    made = [name for name in MANIFEST_OF if project.manifest(name).is_file()]
    if not made:
        raise ManifestError("there are no pictures yet", "curate fetch reads some in")
    if what is not None and str(what) in stages:
        return _of_manifest(project, project.folder / f"{stages[str(what)]}.jsonl")
    if what is not None and Path(what).is_file():
        return _of_manifest(project, Path(what))
    rows = _of_manifest(project, project.manifest(made[-1]))
    if what is None and not any(project.runs.glob("*/run.json")):
        return rows
    try:
        folder = find_run(project, str(what) if what is not None else None)
    except RunError as error:
        stands = ", ".join(MANIFEST_OF[name] for name in made)
        raise RunError(f"{what!r} is no run, no manifest and no stage", f"{error.hint}; stages: {stands}") from error
    return Subject(
        project=project, title=rows.title, rows=rows.rows, run=Run.load(folder), folder=folder,
        predictions=tuple(read_predictions(folder)),
    )  # fmt: skip


def _of_manifest(project: Project, path: Path) -> Subject:
    return Subject(project=project, title=path.name.partition(".")[0], rows=tuple(manifest.read(path)))
