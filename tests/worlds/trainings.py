"""Trainings as the commands start them, for tests that listen: to every batch, and to what is logged."""

import logging
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

from train.cross_validate import work as cross_validating
from train.hold_out import work as holding_out
from train.run import work as running
from train.runs import Run

DOES = {
    "run": (running, running.run),
    "cross-validate": (cross_validating, cross_validating.cross_validate),
    "hold-out": (holding_out, holding_out.hold_out),
}


def train(project, name, settings, *, kind="run", tell=None, say=None, **options) -> tuple[Path, Run]:
    """Train and return the run's folder and run.json; `tell` hears of batches and epochs, `say` what is logged.

    It does not hear the first line, which names the run.
    """
    module, work = DOES[kind]
    heard = patch.object(module, "batches", lambda _: nullcontext(tell)) if tell else nullcontext()
    with heard, logged(say) if say else nullcontext():
        return project.runs / name, work(project, name=name, settings=settings, **options)


@contextmanager
def logged(say):
    """Hand every sentence that training logs to a function."""
    logger, handler = logging.getLogger("train"), logging.Handler()
    handler.emit = lambda record: say(record.getMessage()) if not record.msg.startswith("run %s") else None
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
