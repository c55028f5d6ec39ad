"""The three figures of a run: a batch, the learning curve, and fastai's confusion matrix."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from train.network.fastai_seam import vision
from train.network.fit import FROZEN, Epoch

plt = vision.plt


def draw_all(
    folder: Path, learn: Any, history: Sequence[Epoch], confusion: Mapping[str, Mapping[str, int]], chosen: int = 0
) -> None:
    """Write batch.png, learning_curve.png (see there for `chosen`) and confusion_matrix.png into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _draw(folder / "batch.png", lambda: batch(learn))
    _draw(folder / "learning_curve.png", lambda: learning_curve(history, chosen))
    _draw(folder / "confusion_matrix.png", lambda: confusion_matrix(learn, confusion))


def batch(learn: Any) -> None:
    """Draw nine pictures of one training batch as the network sees them, each under its label."""
    learn.dls.show_batch(max_n=9, figsize=(7, 7.4))
    plt.suptitle("A training batch, as the network sees it", y=0.96)


def learning_curve(history: Sequence[Epoch], chosen: int = 0) -> None:
    """Draw both losses and the error rate over the epochs; epochs with a frozen body are shaded.

    With early stopping, `chosen` is the epoch that an inner split chose, whose losses these are; it is marked.
    """
    judged = "inner split" if chosen else "validation"
    epochs = [row.epoch for row in history]
    _, (losses, errors) = plt.subplots(2, 1, sharex=True, figsize=(7, 6), height_ratios=(3, 2))
    losses.plot(epochs, [row.train_loss for row in history], "o-", label="training (smoothed)")
    losses.plot(epochs, [row.valid_loss for row in history], "s-", label=judged)
    errors.plot(epochs, [row.error_rate for row in history], "s-", color="tab:red")
    frozen = sum(row.phase == FROZEN for row in history)
    for axes in (losses, errors):
        axes.grid(alpha=0.3)
        axes.set_ylim(0, 1.05 * axes.get_ylim()[1])
        if frozen:
            axes.axvspan(0.5, frozen + 0.5, color="tab:grey", alpha=0.15, lw=0, label="body frozen")
        if chosen:
            axes.axvline(chosen, color="tab:green", ls="--", label=f"epoch {chosen}, chosen by the inner split")
    losses.set_ylabel("loss (nats)")
    losses.legend()
    errors.set_ylabel(f"error rate, {judged}")
    errors.set_xlabel("epoch")
    errors.set_xlim(0.5, len(history) + 0.5)
    errors.xaxis.set_major_locator(plt.MaxNLocator(integer=True))


def confusion_matrix(learn: Any, confusion: Mapping[str, Mapping[str, int]]) -> None:
    """Draw fastai's confusion matrix from counts already made: fastai would run the network once more for each."""
    vocab = list(learn.dls.vocab)
    counts = vision.np.array([[confusion[actual][said] for said in vocab] for actual in vocab])
    shown = vision.ClassificationInterpretation(learn, learn.dls.valid, losses=None)
    shown.confusion_matrix = lambda: counts
    shown.plot_confusion_matrix(title="Validation pictures", figsize=(4.6, 4.6))


def _draw(path: Path, draw: Callable[[], None]) -> None:
    plt.close("all")
    draw()
    plt.savefig(path, dpi=120, bbox_inches="tight", metadata={"Software": None})
    plt.close("all")
