"""Read the answers of a run, calibrate them, and store the temperature beside them."""

from dataclasses import replace
from pathlib import Path

from audit.calibration import judge, report
from audit.findings import Report
from audit.kept import digests_of
from imageledger.config import Project
from imageledger.types import Track, untracked
from train.answers import Answers


def calibration(project: Project, run: str | Path | None = None, *, track: Track = untracked) -> Report:
    """Report how often a run's probabilities come true, and store the temperature that corrects them.

    `train predict` and `train export` read calibration.json from the folder of the run. Raises RunError for too few
    pictures of a class and for predictions that cannot be read.
    """
    answers = Answers.of(project, run).held_out()
    result = judge.judge(answers)
    found = report.report(result, answers.folder / "audit", result.calibration.save(answers.folder))
    return replace(found, about=digests_of(answers.folder))
