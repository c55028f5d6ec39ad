"""What a trained network sees in pictures, as numbers: what its last layer is given, the mean over the views."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imageledger.errors import ModelError
from imageledger.types import Floats32
from train import views
from train.network import backbones, features, predicting
from train.network.fastai_seam import torch
from train.network.loaders import decoded
from train.network.pooled import Pooled
from train.pictures import Picture
from train.runs import Run

BATCH = 16


def described(folder: Path, pictures: Sequence[Picture], cache: Path | None = None) -> Floats32:
    """Return the features (n x k) by which the network of a run tells pictures apart.

    Those of the recipe `frozen` are read from `cache` where they lie there. Raises RunError or ModelError where the
    model cannot be loaded, StoreError for a picture that cannot be decoded.
    """
    model = predicting.load(folder)
    if isinstance(model.network, Pooled):
        backbone = backbones.find(str(Run.load(folder).settings["arch"]))
        kept, _ = features.of(pictures, model.network, backbone, model.views, cache=cache)
        return np.asarray(kept.mean(axis=1), dtype=np.float32)
    batches = (pictures[begun : begun + BATCH] for begun in range(0, len(pictures), BATCH))
    return np.concatenate([_asked(model, batch) for batch in batches])


def _asked(model: predicting.Model, pictures: Sequence[Picture]) -> Floats32:
    """Listen at the last linear layer while pictures pass through the network."""
    layers = [part for part in model.network.modules() if isinstance(part, torch.nn.Linear)]
    if not layers:
        raise ModelError("this network has no linear layer to listen at", "a recipe with a linear last layer")
    looks = [views.of(decoded(picture.path), model.views) for picture in pictures]
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (model.mean, model.std))
    heard: list[Any] = []
    hook = layers[-1].register_forward_pre_hook(lambda _, given: heard.append(given[0]))
    try:
        with torch.no_grad():
            for look in looks:
                model.network(((torch.from_numpy(look) - mean) / std).to(model.device))
    finally:
        hook.remove()
    return np.stack([one.mean(dim=0).cpu().numpy() for one in heard]).astype(np.float32)
