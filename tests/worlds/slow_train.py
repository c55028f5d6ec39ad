"""A training for tests that kill: run as a script, it gets stuck at a batch, and says so by a file."""

import sys
import time
from pathlib import Path

import trainings

from imageledger.config import open_project
from train.config import TrainSettings
from train.training import task as training

SMALL = TrainSettings(
    arch="squeezenet1_1", weights="weights.safetensors", epochs=2, size=32, batch_size=4, devices="cpu"
)
EPOCHS = 3


def hurry(put) -> None:
    """Take one thread, and leave out what is not trained: tests may run side by side."""
    from train.network import fit

    put(training, "file_alone", lambda *_, **__: {})
    for module in (training, fit):
        put(module, "cores", lambda: 1)


def begin(root: Path, stuck_at: int) -> None:
    """Train the run "killed" until a batch of the whole training; then wait to be killed."""

    def tell(done, total, epoch):
        if done == stuck_at:
            (root / "stuck").touch()
            time.sleep(600)

    project = open_project(root)
    trainings.train(project, "killed", SMALL, tell=tell)


if __name__ == "__main__":
    hurry(setattr)
    begin(Path(sys.argv[1]), int(sys.argv[2]))
