"""On what a training runs, and in which precision: the CPU, one GPU, or several through Accelerate.

Several GPUs were not run by those who wrote this; what is tested is the CPU, and all that is refused.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from imageledger.errors import ModelError
from train.config import CPU, MIXED, TrainSettings


def rank() -> int:
    """Return which of several processes of one training this is; 0, the one that writes, when it is alone."""
    return int(os.environ.get("RANK", "0"))


def chosen(settings: TrainSettings) -> Any:
    """Return the torch.device that the settings name; "auto" is a GPU where there is one, as fastai chooses.

    Raises ModelError where there are fewer GPUs than named, or they were not started as several have to be, and where
    mixed precision has no GPU to be mixed on.
    """
    from train.network.fastai_seam import torch, vision

    if settings.gpus:
        _refuse_missing(settings.gpus, torch.cuda.device_count() if torch.cuda.is_available() else 0)
    if settings.gpus > 1:
        _refuse_unlaunched(settings.gpus)
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        return torch.device("cuda", torch.cuda.current_device())
    if settings.gpus == 1:
        return torch.device("cuda", torch.cuda.current_device())
    device = torch.device("cpu") if settings.devices == CPU else vision.default_device()
    if settings.precision == MIXED and device.type != "cuda":
        raise ModelError(
            f"mixed precision needs a GPU of NVIDIA's kind, and this training would run on {device.type}: there "
            "fastai switches autocast off and computes in full precision, whatever it was asked for",
            "--precision full, which is the default",
        )
    return device


@contextmanager
def placed(learn: Any, settings: TrainSettings) -> Iterator[None]:
    """Make the fits of a learner mixed or parallel, as the settings say; afterwards it is as it was.

    Predictions are thus made in full precision, as `train predict` makes them. Not run on several GPUs.
    """
    if settings.precision == MIXED:
        learn.to_fp16()
    try:
        if settings.gpus > 1:
            from imageledger.extras import need

            need("fastai.distributed", "train")
            with learn.distrib_ctx():
                yield
        else:
            yield
    finally:
        if settings.precision == MIXED:
            learn.to_fp32()


def _refuse_missing(wanted: int, there: int) -> None:
    if there < wanted:
        have = f"{there} can be seen" if there else "none can be seen"
        raise ModelError(
            f"--devices {wanted} needs {wanted} GPU{'s' * (wanted > 1)}, and {have}",
            f"--devices {there}" if there else "--devices cpu, or auto",
        )


def _refuse_unlaunched(wanted: int) -> None:
    """Without a launcher fastai would train on one GPU and say nothing."""
    if find_spec("accelerate") is None:
        raise ModelError("several GPUs need the package accelerate", "pip install accelerate")
    if (started := int(os.environ.get("WORLD_SIZE", "0"))) != wanted:
        were = f"{started} were" if started > 1 else "1 was"
        raise ModelError(
            f"--devices {wanted} needs {wanted} processes, and {were} started",
            f"accelerate launch --num_processes {wanted} -m train run --devices {wanted} (and your other options)",
        )
