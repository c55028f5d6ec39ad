"""What `train compare` does: it reads runs and compares every other one with the first. Knows no torch."""

import logging
from collections.abc import Sequence

from imageledger.config import Project
from imageledger.errors import RunError
from train.answers import Answers
from train.compare import judge
from train.compare.judge import Comparison
from train.runs import find_run

logger = logging.getLogger(__name__)


def compare(project: Project, runs: Sequence[str], *, seed: int | None = None) -> list[Comparison]:
    """Compare every other run with the first; `seed` draws the bootstrap (default: the project's).

    Raises RunError for a run that is not there, cannot be read, is named twice, or shares no pictures with the first.
    """
    folders = [find_run(project, name) for name in runs]
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise RunError("a run is named twice, and does not differ from itself", "name every run once")
    answers = [Answers.of(project, folder) for folder in folders]
    for warning in dict.fromkeys(warning for each in answers for warning in each.warnings):
        logger.warning("%s", warning)
    return judge.compare(answers, seed=project.declared.seed if seed is None else seed)
