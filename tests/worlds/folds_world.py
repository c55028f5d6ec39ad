"""Small cross-validations of drawn portraits, some of them in groups."""

from dataclasses import replace

import train_world
import trainings

from imageledger import manifest
from train.config import TrainSettings

SMALL = TrainSettings(arch="squeezenet1_1", weights="none", epochs=1, size=32, batch_size=8)
OPTIONS = ("--arch", "squeezenet1_1", "--weights", "none", "--epochs", "1", "--size", "32", "--batch-size", "8")


def rows_of(project):
    return list(manifest.read(project.manifest("manifest")))


def build(root, pairs=3):
    """A drawn project whose first pictures of each class come in groups of two, on one side of the split."""
    project = train_world.build(root, train=10, valid=5)
    rows = [
        replace(row, group=f"{row.label} {int(row.member[-7:-4]) // 2}") if int(row.member[-7:-4]) < 2 * pairs else row
        for row in rows_of(project)
    ]
    manifest.write(project.manifest("manifest"), rows)
    return project


def make(project, name, settings=SMALL, say=None, folds=2, repeats=1, **options):
    return trainings.train(project, name, settings, kind="cross-validate", say=say, folds=folds, repeats=repeats,
                           **options)  # fmt: skip
