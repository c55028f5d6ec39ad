"""Ask a finished run about pictures: its network, its weights, and the transforms of its validation."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imageledger.errors import ModelError, RunError
from imageledger.extras import need
from train import views
from train.config import FINE_TUNE
from train.network import backbones
from train.network.fastai_seam import torch, vision
from train.recipes import recipe_named
from train.runs import HOLD_OUT, Run, content_of

BATCH = 16
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The network of a run, ready to be asked: the views of a picture, and mean and spread (of 0..1) of the inputs."""

    network: Any
    views: Mapping[str, Any]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: Any


def load(folder: Path) -> Model:
    """Load the network of a finished run from its safetensors; raise RunError or ModelError when that cannot be."""
    run, path = Run.load(folder), folder / WEIGHTS
    if not path.is_file():
        if run.kind == HOLD_OUT:
            part = run.settings.get("by", "part")
            raise RunError(
                f"run {run.name} leaves out one {part} at a time, and has no model for new pictures",
                "train cross-validate and train run make one",
            )
        raise RunError(f"{path} is missing", "train the run again")
    return built(run, content_of(folder, WEIGHTS), str(path))


def built(run: Run, weights: bytes, where: str) -> Model:
    """Build the network that a run describes around its weights (safetensors), which `where` names for people.

    Raises RunError when the run names no network, ModelError when the weights do not fit it or are no numbers.
    """
    try:
        arch, chosen = str(run.settings["arch"]), views.of_run(run.settings)
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"run {run.name} does not name its network and views: {error}") from error
    backbone = backbones.find(arch)
    network = recipe_named(str(run.settings.get("recipe", FINE_TUNE))).network(backbone, len(run.labels))
    safetensors = need("safetensors.torch", "train")
    try:
        state = safetensors.load(weights)
        network.load_state_dict(state)
    except Exception as error:  # of safetensors or of torch, for any tensor that is missing, strange or torn
        raise ModelError(f"{where} does not fit {arch}: {error}", "train the run again") from error
    if sick := sorted(key for key, value in state.items() if not torch.isfinite(value).all()):
        raise ModelError(f"{where} holds values that are not numbers, the first in {sick[0]}", "train the run again")
    device = vision.default_device()
    return Model(network=network.eval().to(device), views=chosen, mean=backbone.mean, std=backbone.std, device=device)


def predict(model: Model, images: Iterable[Image.Image]) -> Iterator[float]:
    """Yield P(positive), 0..1, of upright RGB pictures, in order, as validation saw them: the mean over their views."""
    source = iter(images)
    while batch := list(islice(source, max(1, BATCH // views.count(model.views)))):
        looks = [views.of(image, model.views) for image in batch]
        together = [np.concatenate(looks)] if len({look.shape for look in looks}) == 1 else looks
        shares = np.concatenate([_shares(model, inputs) for inputs in together])
        for part in np.split(shares, np.cumsum([len(look) for look in looks])[:-1]):
            yield float(part.mean(dtype=np.float64))


def _shares(model: Model, pixels: views.Floats32) -> NDArray[np.float32]:
    """Return P(positive) of n x 3 x height x width inputs, 0..1."""
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (model.mean, model.std))
    inputs = (torch.from_numpy(pixels) - mean) / std
    with torch.no_grad():
        probabilities = model.network(inputs.to(model.device)).softmax(dim=1)
    shares: NDArray[np.float32] = probabilities[:, -1].cpu().numpy()
    return shares
