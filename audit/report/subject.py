"""What a report is about: the dataset at every stage that was made, and the run, with its predictions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from imageledger import manifest as manifests
from imageledger.config import Project
from imageledger.record import OK, Record
from imageledger.types import Key
from train.runs import Prediction, Run, find_run, read_predictions


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A dataset and a run of it, or the dataset alone (`run` and `folder` are None).

    `stages` are the rows of every manifest of the project, by the name of its stage (fetch, normalize, …), in order;
    `predictions` are those of the run, one per picture, in the order of its manifest.
    """

    project: Project
    stages: Mapping[str, tuple[Record, ...]]
    run: Run | None = None
    folder: Path | None = None
    predictions: tuple[Prediction, ...] = ()

    @property
    def labels(self) -> tuple[str, str]:
        """The two classes, the negative one first."""
        negative, positive = self.run.labels if self.run else self.project.declared.labels
        return negative, positive

    @property
    def furthest(self) -> str:
        """The name of the furthest stage that was made; "" where there is none."""
        return list(self.stages)[-1] if self.stages else ""

    @property
    def rows(self) -> tuple[Record, ...]:
        """All rows of the furthest stage."""
        return self.stages.get(self.furthest, ())

    @cached_property
    def chosen(self) -> tuple[Record, ...]:
        """The pictures of the final set; before `curate manifest`, those still in use."""
        split = [record for record in self.rows if record.status == OK and record.split]
        return tuple(split or [record for record in self.rows if record.status == OK])

    @cached_property
    def by_key(self) -> Mapping[Key, Record]:
        """The rows of the furthest stage by key."""
        return {record.key: record for record in self.rows}


def subject_of(project: Project, run: str | Path | None = None) -> Subject:
    """Read a dataset and a run of it: the one named, else the one finished last, else none.

    Raises RunError for a name that no finished run has, and ManifestError or RunError for files that are damaged.
    """
    stages = {stage: tuple(manifests.read(path)) for stage, path in _made(project)}
    if run is None and not any(project.runs.glob("*/run.json")):
        return Subject(project=project, stages=stages)
    folder = run if isinstance(run, Path) else find_run(project, run)
    return Subject(
        project=project, stages=stages, run=Run.load(folder), folder=folder, predictions=tuple(read_predictions(folder))
    )


def _made(project: Project) -> Iterable[tuple[str, Path]]:
    for stage in project.declared.order:
        path = project.manifest(stage)
        if path.is_file():
            yield stage, path
