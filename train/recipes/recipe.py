"""What a recipe is: pictures and settings in, a trained network and its answers out. Imports no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from train.config import TrainSettings
    from train.network.backbones import Backbone
    from train.network.fit import Epoch
    from train.runs import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training leaves: one prediction per picture, in order; the tensors of its network; epochs, and figures.

    `early_stopping` says which epoch was chosen, as `Run.early_stopping` describes. `draw` writes the figures of the
    training into a folder, given the metrics of the validation pictures (`train.evaluation.metrics.score`).
    """

    predictions: "Sequence[Prediction]"
    state: Mapping[str, Any]
    history: "Sequence[Epoch]"
    device: str
    threads: int
    draw: Callable[[Path, Mapping[str, Any]], None]
    early_stopping: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A way to train. The first line of its module's docstring is its line in `--help`.

    `train(pictures, labels, settings, backbone, body, *, tell, folder=None, cache=None, place=None)` learns from the
    pictures of the split "train" and answers for every one; there may be none of another split, and where
    `settings.early_stopping` is set only an inner split of the training pictures may choose anything. `body` is the
    state of the cut body to start from, or None; `folder` is where the pictures were listed from, when that was a
    folder; in `cache` it may keep what does not depend on the split; `place` is the run's folder, where it may keep
    checkpoints (`train.network.checkpoint`). Raises ModelError and RunError.
    `network(backbone, classes)` builds, without any data, the network that the tensors of a training fit into:
    normalised pictures in, one logit per class out.
    `stated(settings)` says for run.json what the settings come to: schedule, transforms, and the views of a picture as
    `train.views` takes them.
    `unused` are the settings that mean nothing to it: run.json leaves them out, and as options they are refused.
    """

    train: Callable[..., Trained]
    network: "Callable[[Backbone, int], Any]"
    stated: "Callable[[TrainSettings], dict[str, Any]]"
    unused: frozenset[str] = frozenset()
