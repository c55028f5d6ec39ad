"""Recipes by name: pictures and settings in, a trained network out that says what it sees in each of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imageledger.extras import load
from train.config import SEED, STRONG, TrainSettings
from train.network.fit import Epoch
from train.runs import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training leaves: one prediction a picture, in order; the tensors of its network; epochs, and figures.

    `early_stopping` says which epoch was chosen, as `Run.early_stopping` describes. `draw` writes the figures of the
    training into a folder, given the confusion of the validation pictures.
    """

    predictions: Sequence[Prediction]
    state: Mapping[str, Any]
    history: Sequence[Epoch]
    device: str
    threads: int
    draw: Callable[[Path, Mapping[str, Mapping[str, int]]], None]
    early_stopping: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A way to train.

    `train(pictures, labels, settings, backbone, body, *, tell, folder=None, cache=None, place=None, say=...)` learns
    from the pictures of the split "train" and says what the network sees in every one; there may be none of another
    split, and where `settings.early_stopping` is set only an inner split of the training pictures may choose anything.
    `body` is the state of the cut body to start from, or None; `folder` is where the pictures were listed from, when
    that was a folder; in `cache` it may keep what does not depend on the split; `place` is the run's folder, where it
    may keep checkpoints (`train.network.checkpoint`) and write logs, and `say` takes a sentence now and then. Raises
    ModelError and RunError.
    `stated(settings)` says for run.json what the settings come to: schedule, transforms, and the views of a picture as
    `train.views` takes them.
    """

    train: Callable[..., Trained]
    stated: Callable[[TrainSettings], dict[str, Any]]


RECIPES = {SEED: "train.recipes.fine_tune:RECIPE", STRONG: "train.recipes.frozen:RECIPE"}


def recipe_named(name: str) -> Recipe:
    """Return a recipe by name; `TrainSettings` has refused other names."""
    found = load(RECIPES[name])
    assert isinstance(found, Recipe)
    return found
