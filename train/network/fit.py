"""One training, from settings and pictures to a trained learner and its answer for every picture."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imageledger.engines.local import cores
from imageledger.errors import ModelError, RunError
from train.config import TrainSettings
from train.network import checkpoint, devices
from train.network.backbones import Backbone, quiet_legacy
from train.network.fastai_seam import Callback, torch, vision
from train.network.loaders import dataloaders
from train.pictures import Picture
from train.runs import Prediction

FROZEN, UNFROZEN = "frozen", "unfrozen"
SCRATCH_RATE = 3e-3
"""Highest learning rate of a body that starts from random numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One epoch: its number from 1, losses in nats (that of training smoothed, as fastai shows it), share of errors.

    The last two are None where there are no pictures to validate on.
    """

    epoch: int
    phase: str
    train_loss: float
    valid_loss: float | None
    error_rate: float | None


Tell = Callable[[int, int, Epoch | None], None]
"""How a training reports: batches done, batches in all, and the epoch when one has ended."""


class Witness(Callback):  # type: ignore[misc, valid-type]
    """Report every batch, and keep the numbers of every epoch; fastai's own bar writes control characters."""

    order = 60  # after fastai's Recorder, which makes the numbers

    def __init__(self, tell: Tell, epochs: int, frozen_epochs: int) -> None:
        super().__init__()
        self.tell, self.epochs, self.frozen_epochs = tell, epochs, frozen_epochs
        self.history: list[Epoch] = []
        self.batches = 0

    def after_batch(self) -> None:
        """Count one batch, of training or of validation."""
        self.batches += 1
        self.tell(self.batches, self._total(), None)

    def after_epoch(self) -> None:
        """Keep what fastai's Recorder has just written down."""
        values = [None if value is None else float(f"{value:.6g}") for value in self.learn.recorder.values[-1]]
        train_loss, valid_loss, error_rate = values if len(self.learn.dls.valid) else (values[0], None, None)
        if train_loss is None or not math.isfinite(train_loss + (valid_loss or 0.0)):
            raise RunError("the loss is no longer a number: training has diverged", "try other weights or --size")
        row = Epoch(
            epoch=len(self.history) + 1,
            phase=FROZEN if len(self.history) < self.frozen_epochs else UNFROZEN,
            train_loss=train_loss,
            valid_loss=valid_loss,
            error_rate=error_rate,
        )
        self.history.append(row)
        self.tell(self.batches, self._total(), row)

    def kept(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what has been seen so far, for a checkpoint."""
        return {"batches": self.batches, "history": [asdict(row) for row in self.history]}, {}

    def take(self, values: dict[str, Any], tensors: dict[str, Any]) -> None:
        """Carry on from a checkpoint."""
        self.batches, self.history[:] = values["batches"], [Epoch(**row) for row in values["history"]]

    def _total(self) -> int:
        return (self.frozen_epochs + self.epochs) * sum(map(len, self.learn.dls.loaders))


@contextmanager
def fixed(settings: TrainSettings) -> Iterator[int]:
    """Fix all that chance and the machine decide, and hand out the number of threads; put it back afterwards.

    On a CPU everything can be fixed. On a GPU one gradient of fastai's head (adaptive max pooling) adds up in no
    certain order, which torch would warn about at every step.
    """
    memory = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads(), memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    memory.fill_uninitialized_memory = False  # nothing reads it before it is written; filling it took a fifth of a step
    torch.set_num_threads(cores())
    vision.set_seed(settings.seed, reproducible=True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation")
            yield cores()
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.set_num_threads(before[1])
        memory.fill_uninitialized_memory = before[2]


def learner(
    pictures: Sequence[Picture],
    labels: Sequence[str],
    settings: TrainSettings,
    backbone: Backbone,
    body: dict[str, Any] | None,
    folder: Path | None = None,
) -> Any:
    """Return a vision_learner over the pictures, its body filled with the given state; run it inside `fixed`.

    Raises ModelError when fastai cannot build the network at this size.
    """
    dls = dataloaders(pictures, labels, settings, backbone, folder)
    try:
        with quiet_legacy():
            learn = vision.vision_learner(dls, backbone.arch, pretrained=False, metrics=vision.error_rate)
    except (RuntimeError, StopIteration, TypeError, AttributeError, ValueError) as error:
        raise ModelError(f"fastai cannot train {backbone.name}: {error}", "--arch resnet18 is the usual one") from error
    if body is not None:
        with torch.no_grad():
            slots = learn.model[0].state_dict()
            for key, value in body.items():
                slots[key].copy_(value)
    return learn


def fit(learn: Any, settings: TrainSettings, tell: Tell, *others: Any, place: Path | None = None) -> list[Epoch]:
    """Train, and return one row per epoch; `others` are callbacks of fastai's that go along.

    With weights: fastai's `fine_tune`, one epoch with the body frozen, then `epochs` with all of it. From scratch
    there is nothing to keep frozen, so the whole network learns for `epochs` under one cycle (`fit_one_cycle`).
    In the folder `place` there is a checkpoint after every epoch, which the same call carries on from.
    """
    frozen_epochs = 0 if settings.from_scratch else 1
    witness = Witness(tell, settings.epochs, frozen_epochs)
    seen = [witness, *others]
    with (
        learn.no_bar(),
        learn.no_logging(),
        devices.mixed(learn, settings),
        checkpoint.carrying_on(learn, place, seen, settings.epochs + frozen_epochs) as keeper,
    ):
        if settings.from_scratch:
            learn.fit_one_cycle(settings.epochs, SCRATCH_RATE, cbs=[*seen, *keeper])
        else:
            learn.fine_tune(settings.epochs, freeze_epochs=frozen_epochs, cbs=[*seen, *keeper])
    return witness.history


def schedule(settings: TrainSettings) -> str:
    """Return the schedule as run.json states it."""
    return (
        f"fit_one_cycle({settings.epochs}, {SCRATCH_RATE})"
        if settings.from_scratch
        else f"fine_tune({settings.epochs})"
    )


def predict(learn: Any, pictures: Sequence[Picture], labels: Sequence[str]) -> list[Prediction]:
    """Return what the learner answers for every picture, in the order given: one pass per split, no augmentation.

    The learner need not know the pictures that are not its own.
    """
    answers: dict[Path | Picture, tuple[Any, Any]] = {}
    vocab, positive = list(learn.dls.vocab), labels[-1]
    train, valid = (list(part.items) for part in (learn.dls.train_ds, learn.dls.valid_ds))
    known = {*train, *valid}
    new = [picture for picture in pictures if picture not in known and picture.path not in known]
    with learn.no_bar(), learn.no_logging():
        for items in filter(None, (train, valid, new)):
            loader = learn.dls.valid if items is valid else learn.dls.test_dl(items, with_labels=True)
            shares, _, losses = learn.get_preds(dl=loader, with_loss=True)
            answers.update(zip(items, zip(shares.numpy(), losses.numpy(), strict=True), strict=True))
    rows = []
    for picture in pictures:
        shares, loss = answers[picture] if picture in answers else answers[picture.path]
        rows.append(
            Prediction(
                source=picture.source,
                member=picture.member,
                file=picture.file,
                label=picture.label,
                split=picture.split,
                probability=float(str(shares[vocab.index(positive)])),
                loss=float(str(loss)) + 0.0,  # no loss of minus zero
                predicted=vocab[int(shares.argmax())],
            )
        )
    return rows
