"""Read the runs that are to be compared, and compare every other one with the first. Knows no torch."""

from collections.abc import Sequence

from imageledger.config import Project
from imageledger.errors import RunError
from train.answers import Answers
from train.runs import find_run


def read(project: Project, names: Sequence[str]) -> list[Answers]:
    """Return the answers of runs in the order of their names.

    Raises RunError for a run that is not there, cannot be read, or is named twice.
    """
    folders = [find_run(project, name) for name in names]
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise RunError("a run is named twice, and does not differ from itself", "name every run once")
    return [Answers.of(project, folder) for folder in folders]
