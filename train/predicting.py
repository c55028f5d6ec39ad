"""Ask a finished run about pictures: its network, its weights, and the transforms of its validation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imageledger.errors import ModelError, RunError
from imageledger.extras import need
from train import backbones
from train.backbones import TIMM, Backbone, quiet_legacy
from train.fastai_seam import torch, vision
from train.run import Run

BATCH = 16
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The network of a run, ready to be asked: side in pixels, and mean and spread (of 0..1) as it was trained."""

    network: Any
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: Any


def load(folder: Path) -> Model:
    """Load the network of a finished run from its safetensors; raise RunError or ModelError when that cannot be."""
    run, path = Run.load(folder), folder / WEIGHTS
    if not path.is_file():
        raise RunError(f"{path} is missing", "train the run again")
    try:
        arch, size = str(run.settings["arch"]), int(run.settings["size"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{folder / 'run.json'} does not say with which network and size: {error}") from error
    backbone = backbones.find(arch)
    network = _network(backbone, len(run.labels))
    safetensors = need("safetensors.torch", "train")
    try:
        network.load_state_dict(safetensors.load_file(str(path)))
    except Exception as error:  # of safetensors or of torch, for any tensor that is missing, strange or torn
        raise ModelError(f"{path} does not fit {arch}: {error}", "train the run again") from error
    device = vision.default_device()
    return Model(network=network.eval().to(device), size=size, mean=backbone.mean, std=backbone.std, device=device)


def predict(model: Model, images: Iterable[Image.Image]) -> Iterator[float]:
    """Yield P(positive), 0..1, of upright RGB pictures, in order, as validation saw them: no augmentation."""
    resize = vision.Resize(model.size)
    source = iter(images)
    while batch := list(islice(source, BATCH)):
        small = [np.asarray(resize(vision.PILImage(image), split_idx=1)) for image in batch]
        yield from _shares(model, np.stack(small))


def _shares(model: Model, pixels: Any) -> list[float]:
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (model.mean, model.std))
    inputs = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255) - mean) / std
    with torch.no_grad():
        found = model.network(inputs.to(model.device)).softmax(dim=1)
    return [float(row[-1]) for row in found.cpu()]


def _network(backbone: Backbone, classes: int) -> Any:
    """Build what vision_learner builds, without any data."""
    with quiet_legacy():
        if backbone.name.startswith(TIMM):
            return vision.create_timm_model(backbone.arch, classes, vision.default_split, pretrained=False)[0]
        return vision.create_vision_model(backbone.arch, classes, pretrained=False)
