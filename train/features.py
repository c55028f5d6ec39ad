"""Frozen features of pictures, computed once per object, weights and views, and kept under data/features/."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageledger.store import write_whole
from train import views, worn
from train.backbones import Backbone
from train.fastai_seam import torch
from train.loaders import decoded
from train.pictures import Picture
from train.pooled import Pooled

Features = NDArray[np.float32]


def of(
    pictures: Sequence[Picture],
    network: Pooled,
    backbone: Backbone,
    chosen: Mapping[str, Any],
    *,
    wear: bool = False,
    cache: Path | None = None,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> Features:
    """Return the features of every view of every picture: n x views x k, float32.

    `chosen` are the views as `train.views.of` takes them, with `wear` those of a worn copy; the network runs where its
    weights are. What lies in `cache` is not computed again, nor is the picture decoded; raises StoreError for a
    picture that cannot be.
    """
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (backbone.mean, backbone.std))
    device = next(network.parameters()).device
    kept = None if cache is None else cache / _name(network, {**chosen, "worn": worn.VERSION} if wear else chosen)
    found = []
    for number, picture in enumerate(pictures):
        tell(number, len(pictures))
        path = kept / picture.file[:2] / f"{picture.file}.npy" if kept is not None and picture.file else None
        values = None if path is None else _read(path)
        if values is None:
            image = decoded(picture.path)
            inputs = (torch.from_numpy(views.of(worn.worn(image) if wear else image, chosen)) - mean) / std
            with torch.no_grad():
                values = network.features(inputs.to(device)).cpu().numpy().astype(np.float32)
            if path is not None:
                write_whole(path, _written(values))
        found.append(values)
    tell(len(pictures), len(pictures))
    return np.stack(found)


def _name(network: Pooled, chosen: Mapping[str, Any]) -> str:
    """Name what features depend on besides the picture: every weight of the body, the views, and the wear."""
    digest = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode())
    for key, value in network.body.state_dict().items():
        digest.update(key.encode())
        digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def _read(path: Path) -> Features | None:
    """Read kept features; None for none, and for a file that is torn or strange: it is made again."""
    try:
        values: Features = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return values if values.ndim == 2 and np.isfinite(values).all() else None


def _written(values: Features) -> bytes:
    content = io.BytesIO()
    np.save(content, values, allow_pickle=False)
    return content.getvalue()
