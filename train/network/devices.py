"""On what a training runs, and in which precision: the CPU or one GPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imageledger.errors import ModelError
from train.config import CPU, GPU, MIXED, TrainSettings
from train.network.fastai_seam import torch, vision


def chosen(settings: TrainSettings) -> Any:
    """Return the torch.device that the settings name; "auto" is a GPU where there is one, as fastai chooses.

    Raises ModelError where a GPU is named and there is none, and where mixed precision has no GPU to run on.
    """
    if settings.devices == GPU:
        if not torch.cuda.is_available():
            raise ModelError("--devices 1 needs a GPU, and none can be seen", "--devices cpu, or auto")
        return torch.device("cuda", torch.cuda.current_device())
    device = torch.device("cpu") if settings.devices == CPU else vision.default_device()
    if settings.precision == MIXED and device.type != "cuda":
        raise ModelError(
            f"mixed precision needs an NVIDIA GPU, and this training would run on {device.type}: there fastai switches "
            "autocast off and computes in full precision",
            "--precision full, which is the default",
        )
    return device


@contextmanager
def mixed(learn: Any, settings: TrainSettings) -> Iterator[None]:
    """Make the fits of a learner mixed, if the settings say so; afterwards it is as it was.

    Predictions are thus made in full precision, as `train predict` makes them.
    """
    if settings.precision != MIXED:
        yield
        return
    learn.to_fp16()
    try:
        yield
    finally:
        learn.to_fp32()
