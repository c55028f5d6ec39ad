"""Recipes by name: pictures and settings in, a trained network out that says what it sees in each of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imageledger.extras import load
from train.fit import Epoch
from train.run import Prediction

RECIPES = {"seed": "train.seed:train"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training leaves: one prediction a picture, in order; the tensors of its network; epochs, and figures.

    `draw` writes the figures of the training into a folder, given the confusion of the validation pictures.
    """

    predictions: Sequence[Prediction]
    state: Mapping[str, Any]
    history: Sequence[Epoch]
    device: str
    threads: int
    draw: Callable[[Path, Mapping[str, Mapping[str, int]]], None]


Recipe = Callable[..., Trained]
"""recipe(pictures, labels, settings, backbone, body, *, tell, folder=None): train on the pictures of the split "train"
and say what the network sees in every one. `body` is the state of the cut body to start from, or None; `folder` is
where the pictures were listed from, when that was a folder. Raises ModelError and RunError."""


def recipe(name: str) -> Recipe:
    """Return a recipe by name; `TrainSettings` has refused other names."""
    found: Recipe = load(RECIPES[name])  # type: ignore[assignment]
    return found
