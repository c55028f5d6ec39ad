"""Frozen features: what a trained network sees in pictures, without any training here."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageledger.errors import ModelError
from train.network import backbones, weights
from train.network.backbones import Backbone, body_of
from train.network.fastai_seam import torch

BATCH = 16
KNOWN = ("squeezenet1_1", "resnet18", "resnet34", "resnet50", "densenet121", "efficientnet_b0", "convnext_tiny")
"""The backbones that a weights file is tried on, in this order."""

Describe = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def extractor(path: str) -> Describe:
    """Return a function from pictures (n x height x width x 3, uint8, RGB) to features (n x k, float32).

    The features are the means over the last feature maps. The backbone is the first of KNOWN that the weights
    (safetensors) fit; raises ModelError when they fit none.
    """
    backbone, state = _fitting(path)
    body = body_of(backbone)
    body.load_state_dict(state, strict=False)  # `weights.of_body` has checked that only counters can be missing
    body.eval()
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (backbone.mean, backbone.std))

    def describe(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        features = []
        for begun in range(0, len(pictures), BATCH):
            batch = torch.tensor(pictures[begun : begun + BATCH]).permute(0, 3, 1, 2).float().div(255)
            with torch.no_grad():
                features.append(body((batch - mean) / std).mean(dim=(2, 3)).numpy())
        return np.concatenate(features)

    return describe


def _fitting(path: str) -> tuple[Backbone, dict[str, Any]]:
    refused: ModelError | None = None
    for name in KNOWN:
        backbone = backbones.find(name)
        try:
            state = weights.of_body(path, backbone)
        except ModelError as error:
            refused = refused or error
        else:
            if state is not None:
                return backbone, state
    hint = f"weights of one of {', '.join(KNOWN)}"
    raise ModelError(f"{path} fits no known backbone; {refused.what if refused else ''}", hint)
