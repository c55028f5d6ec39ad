"""What `train run` does: one training, on one split."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from imageledger.config import Project
from train.config import TrainSettings
from train.runs import SPLIT, Run
from train.training.partial import draft
from train.training.task import Task, file_alone, fill, job_of, located


def train(
    project: Project,
    todo: Task,
    settings: TrainSettings,
    name: str,
    tell: Callable[..., None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Path, Run]:
    """Train on a task, write the run's folder, and return it with the contents of run.json.

    The folder has its name only when it is whole; the same call carries on after the last epoch that a training which
    was killed had finished. Of several processes of one training only the first writes. `tell` is called as fit.Tell
    describes, `say` with a sentence now and then. Raises ModelError for a backbone, weights or devices that cannot be
    used, RunError when training fails.
    """
    from train.models import card as model_card
    from train.network import checkpoint, devices

    settings, labels = located(project, settings), project.declared.labels
    job = job_of(SPLIT, labels, todo, settings)
    if devices.rank():
        with TemporaryDirectory() as aside:
            return project.runs / name, fill(Path(aside), name, labels, todo, settings, figures=False)
    with draft(project.runs, name, "train run", job) as folder:
        run = replace(fill(folder, name, labels, todo, settings, tell, say),
                      file_alone=file_alone(project, todo, say))  # fmt: skip
        run.save(folder)
        model_card.write(project, run, folder)
        checkpoint.clear(folder)
    return project.runs / name, run
