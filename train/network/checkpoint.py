"""Checkpoints: a training that was killed carries on after its last whole epoch, and ends as if nothing had happened.

All that the next epoch depends on is kept: weights, the optimizer's averages, the states of four kinds of random
numbers (Python's, numpy's, torch's, and those of each fastai DataLoader), and what callbacks have counted. Tensors are
written as safetensors, the rest as JSON in the same file; nothing is pickled. fastai's own way (`SkipToEpoch`) knows
nothing of `fine_tune`, restores no random numbers, and lets Recorder count the epochs it skips.
"""

import hashlib
import json
import logging
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from imageledger.store import write_whole
from train.network.fastai_seam import Callback, torch, vision

logger = logging.getLogger(__name__)

FOLDER = "checkpoints"
KEPT = 2
"""How many checkpoints lie there at most: if the newest is torn, the one before it counts."""

Values = dict[str, Any]
Tensors = dict[str, Any]


@runtime_checkable
class Remembering(Protocol):
    """A callback with something of its own to carry on with: values for JSON, and tensors by name."""

    def kept(self) -> tuple[Values, Tensors]:
        """Return all that the callback knows."""

    def take(self, values: Values, tensors: Tensors) -> None:
        """Take back what `kept` has returned."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training after a whole epoch: in which of its fits, from 0, after how many epochs of that fit, and its state.

    `whole` counts the epochs of all fits.
    """

    fit: int
    epochs: int
    whole: int
    values: Values
    tensors: Tensors


def newest(folder: Path) -> Checkpoint | None:
    """Return the last whole checkpoint in a run's folder, or None; files that are torn or strange are passed over."""
    for path in reversed(_files(folder)):
        if checkpoint := _read(path):
            return checkpoint
    return None


def clear(folder: Path) -> None:
    """Take the checkpoints out of a run's folder."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


class Keeper(Callback):  # type: ignore[misc, valid-type]
    """Write a checkpoint after every epoch; use it within `carrying_on`, which begins where the last one was written.

    `others` are the callbacks that remember something themselves; their order must be below this one's.
    """

    order = 70

    def __init__(self, folder: Path, others: Sequence[Callback], begun: Checkpoint | None) -> None:
        super().__init__()
        self.folder, self.begun = folder, begun
        self.others = {type(other).__name__: other for other in others if isinstance(other, Remembering)}
        self.fits, self.whole = -1, begun.whole if begun else 0

    def after_epoch(self) -> None:
        """Write down where the training is, and let go of older checkpoints."""
        self.whole += 1
        values, tensors = _state(self.learn)
        for name, other in self.others.items():
            values[name], own = other.kept()
            tensors |= {f"{name}/{key}": value for key, value in own.items()}
        _write(self.folder, Checkpoint(self.fits, self.epoch + 1, self.whole, values, tensors))

    def epochs(self) -> None:
        """Run the epochs of a fit that are still to be done: fastai's `Learner._do_fit` with another beginning."""
        self.fits += 1
        for epoch in range(self._first(), self.learn.n_epoch):
            self.learn.epoch = epoch
            self.learn._with_events(self.learn._do_epoch, "epoch", vision.CancelEpochException)

    def _first(self) -> int:
        """Return the first epoch of this fit; where the checkpoint was written in it, put everything back before."""
        if self.begun is None or self.fits > self.begun.fit:
            return 0
        if self.fits < self.begun.fit:
            return int(self.learn.n_epoch)
        for name, other in self.others.items():
            own = {key: value for key, value in self.begun.tensors.items() if key.startswith(f"{name}/")}
            other.take(self.begun.values[name], {key.removeprefix(f"{name}/"): value for key, value in own.items()})
        _put_back(self.learn, self.begun.values, self.begun.tensors)
        return self.begun.epochs


@contextmanager
def carrying_on(learn: Any, folder: Path | None, others: Sequence[Callback], total: int) -> Iterator[list[Callback]]:
    """Make the next fits of a learner begin where the last checkpoint in a folder was written; hand out the Keeper.

    The list is empty without a folder. `total` is the number of epochs of all fits, for the log.
    """
    if folder is None:
        yield []
        return
    begun = newest(folder)
    if begun:
        logger.info("carrying on after epoch %d of %d", begun.whole, total)
    keeper = Keeper(folder, others, begun)
    learn._do_fit = keeper.epochs
    try:
        yield [keeper]
    finally:
        del learn._do_fit


def _state(learn: Any) -> tuple[Values, Tensors]:
    """Return what the next epoch of a learner depends on."""
    values, tensors = _chance(learn)
    recorder, smooth = learn.recorder, learn.recorder.smooth_loss
    tensors |= {f"model/{key}": value for key, value in learn.model.state_dict().items()}
    tensors |= {"losses": torch.stack([_plain(each) for each in recorder.losses]), "smooth": _plain(smooth.val)}
    optimizer: list[Values] = []
    for number, (_, _, own, _) in enumerate(learn.opt.all_params()):
        optimizer.append({key: value for key, value in own.items() if not torch.is_tensor(value)})
        tensors |= {f"opt/{number}/{key}": value for key, value in own.items() if torch.is_tensor(value)}
    values |= {
        "optimizer": optimizer,
        "hypers": [dict(each) for each in learn.opt.hypers],
        "iterations": learn.train_iter,
        "recorder": {"lrs": recorder.lrs, "iters": recorder.iters, "values": [list(each) for each in recorder.values]},
        "smooth": smooth.count,
        "scaler": learn.scaler.state_dict() if getattr(learn, "scaler", None) else None,
    }
    return values, tensors


def _put_back(learn: Any, values: Values, tensors: Tensors) -> None:
    learn.model.load_state_dict(_under("model/", tensors))
    for number, (parameter, _, own, _) in enumerate(learn.opt.all_params()):
        averages = _under(f"opt/{number}/", tensors)
        own.update(values["optimizer"][number])
        own.update({key: value.to(parameter.device) for key, value in averages.items()})
        if averages:  # fastai steps wherever there is a gradient, even one of zeros
            parameter.grad = torch.zeros_like(parameter)
    for hyper, kept in zip(learn.opt.hypers, values["hypers"], strict=True):
        hyper.update(kept)
    if values["scaler"]:
        learn.scaler.load_state_dict(values["scaler"])
    learn.train_iter = values["iterations"]
    recorder, kept = learn.recorder, values["recorder"]
    recorder.lrs, recorder.iters = list(kept["lrs"]), list(kept["iters"])
    recorder.values, recorder.losses = [vision.L(each) for each in kept["values"]], list(tensors["losses"])
    recorder.smooth_loss.count, recorder.smooth_loss.val = values["smooth"], tensors["smooth"]
    _put_chance_back(learn, values, tensors)


def _chance(learn: Any) -> tuple[Values, Tensors]:
    """Return the states of all random numbers: each DataLoader has its own, which Python's seeded when it was made."""
    state: Any = np.random.get_state()
    name, numbers, *rest = state
    assert name == "MT19937"
    tensors = {"chance/torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors |= {f"chance/cuda/{n}": state for n, state in enumerate(torch.cuda.get_rng_state_all())}
    return {
        "python": random.getstate(),
        "numpy": [numbers.tolist(), *rest],
        "loaders": [loader.rng.getstate() for loader in learn.dls.loaders],
    }, tensors


def _put_chance_back(learn: Any, values: Values, tensors: Tensors) -> None:
    random.setstate(_python(values["python"]))
    numbers, *rest = values["numpy"]
    np.random.set_state(("MT19937", np.array(numbers, dtype=np.uint32), *rest))
    for loader, state in zip(learn.dls.loaders, values["loaders"], strict=True):
        loader.rng.setstate(_python(state))
    torch.set_rng_state(tensors["chance/torch"])
    if cuda := _under("chance/cuda/", tensors):
        torch.cuda.set_rng_state_all([cuda[str(number)] for number in range(len(cuda))])


def _python(state: Sequence[Any]) -> tuple[Any, ...]:
    version, numbers, normal = state
    return version, tuple(numbers), normal


def _plain(value: Any) -> Any:
    return torch.as_tensor(value).detach().cpu().as_subclass(torch.Tensor)


def _under(prefix: str, tensors: Mapping[str, Any]) -> Tensors:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _files(folder: Path) -> list[Path]:
    """Return what looks like a checkpoint, the oldest first."""
    return sorted((folder / FOLDER).glob("epoch-*.safetensors"))


def _write(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint under a name that holds its digest, and remove all but the last ones."""
    from safetensors.torch import save

    stated = {
        "fit": checkpoint.fit,
        "epochs": checkpoint.epochs,
        "whole": checkpoint.whole,
        "values": checkpoint.values,
    }
    plain = {key: value.detach().contiguous().cpu() for key, value in checkpoint.tensors.items()}
    content = save(plain, {"state": json.dumps(stated, default=float)})
    digest = hashlib.sha256(content).hexdigest()
    write_whole(folder / FOLDER / f"epoch-{checkpoint.whole:04}-{digest}.safetensors", content)
    for old in _files(folder)[:-KEPT]:
        old.unlink()


def _read(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None for a file whose bytes are not those that were written."""
    from safetensors import safe_open

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not path.stem.endswith(f"-{digest}"):
        return None
    with safe_open(path, "pt") as opened:
        stated = json.loads(opened.metadata()["state"])
        return Checkpoint(**stated, tensors={key: opened.get_tensor(key) for key in opened.keys()})  # noqa: SIM118
