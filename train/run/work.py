"""What `train run` does: one training, on one split."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imageledger.config import Project
from imageledger.types import Track, untracked
from train.config import TrainSettings
from train.models import card
from train.runs import SPLIT, Run, read_predictions
from train.training import task as training
from train.training.partial import draft
from train.training.progress import batches
from train.training.settings import ready

if TYPE_CHECKING:
    from train.network.fit import Epoch, Tell

logger = logging.getLogger(__name__)


def run(
    project: Project,
    manifest: Path | None = None,
    *,
    folder: Path | None = None,
    name: str | None = None,
    settings: TrainSettings,
    track: Track = untracked,
) -> Run:
    """Train on a manifest (default: the project's final one) or a folder, write the run's folder, and return run.json.

    The folder has its name only when it is whole; the same call carries on after the last epoch that a training which
    was killed had finished. Raises ModelError for a backbone, weights or devices that cannot be used, RunError when
    training fails.
    """
    from train.network import checkpoint

    settings, labels = ready(project, settings), project.declared.labels
    name = training.run_name(project, settings, name)
    task = training.task(project, manifest, folder)
    logger.info("run %s: %s on %d pictures", name, settings.arch, len(task.pictures))
    job = training.job_of(SPLIT, labels, task, settings)
    with draft(project.runs, name, "train run", job) as place:
        with batches(track) as tell:
            made = training.fill(place, name, labels, task, settings, _with_epochs(tell, settings))
        made = replace(made, file_alone=training.file_alone(project, task, list(read_predictions(place)), track=track))
        made.save(place)
        card.write(project, made, place)
        checkpoint.clear(place)
    return made


def _with_epochs(tell: "Tell", settings: TrainSettings) -> "Tell":
    """Report batches, and log what each epoch came to."""
    judged = "inner" if settings.early_stopping else "validation"

    def both(done: int, total: int, epoch: "Epoch | None") -> None:
        tell(done, total, epoch)
        if epoch is not None:
            logger.info(
                "epoch %d (%s): training loss %.3f, %s loss %.3f, error rate %.3f",
                epoch.epoch, epoch.phase, epoch.train_loss, judged, epoch.valid_loss, epoch.error_rate,
            )  # fmt: skip

    return both
