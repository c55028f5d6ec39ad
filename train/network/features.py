"""Frozen features of pictures, computed once per object, weights and views, and kept under data/features/."""

import hashlib
import io
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imageledger import seal
from imageledger.store import where_allowed, write_whole
from train import degrade, views
from train.network.backbones import Backbone
from train.network.fastai_seam import torch
from train.network.loaders import decoded
from train.network.pooled import Pooled
from train.pictures import Picture

Features = NDArray[np.float32]


def of(
    pictures: Sequence[Picture],
    network: Pooled,
    backbone: Backbone,
    chosen: Mapping[str, Any],
    *,
    degraded: Collection[int] = (),
    cache: Path | None = None,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> tuple[Features, Features]:
    """Return the features of every view of every picture, and of degraded copies of some: both n x views x k, float32.

    `chosen` are the views as `train.views.of` takes them, `degraded` the rows of the pictures that are degraded
    (`train.degrade`), in the order of `pictures`; the network runs where its weights are. What lies in `cache` is not
    computed again, nor is the picture decoded, and none is decoded twice; raises StoreError for a picture that cannot
    be.
    """

    def ask(image: Image.Image) -> Features:
        return _asked(network, backbone, chosen, image)

    def ask_degraded(image: Image.Image) -> Features:
        return ask(degrade.degraded(image))

    kept, kept_degraded = (
        None if cache is None else cache / _name(network, {**chosen, **more})
        for more in ({}, {"worn": degrade.VERSION})  # the word is part of the names of kept features
    )
    plain, copies, degraded_rows = [], [], set(degraded)
    for number, picture in enumerate(pictures):
        tell(number, len(pictures))
        opened = lru_cache(partial(decoded, picture.path))
        plain.append(_kept(kept, picture, opened, ask))
        if number in degraded_rows:
            copies.append(_kept(kept_degraded, picture, opened, ask_degraded))
    tell(len(pictures), len(pictures))
    values = np.stack(plain)
    return values, np.stack(copies) if copies else np.empty((0, *values.shape[1:]), dtype=np.float32)


def _kept(
    folder: Path | None, picture: Picture, opened: Callable[[], Image.Image], ask: Callable[[Image.Image], Features]
) -> Features:
    """Read the features of a picture, or ask for and keep them; without a folder or an object nothing is kept."""
    path = folder / picture.file[:2] / f"{picture.file}.npy" if folder is not None and picture.file else None
    values = None if path is None else _read(path)
    if values is None:
        values = ask(opened())
        if path is not None and folder is not None:
            with where_allowed(folder):
                write_whole(path, _written(values))
    return values


def _asked(network: Pooled, backbone: Backbone, chosen: Mapping[str, Any], image: Image.Image) -> Features:
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (backbone.mean, backbone.std))
    inputs = (torch.from_numpy(views.of(image, chosen)) - mean) / std
    with torch.no_grad():
        features = network.features(inputs.to(next(network.parameters()).device))
    return np.asarray(features.cpu().numpy(), dtype=np.float32)


def _name(network: Pooled, chosen: Mapping[str, Any]) -> str:
    """Name what features depend on besides the picture: every weight of the body, the views, and the degradation."""
    digest = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode())
    for key, value in network.body.state_dict().items():
        digest.update(key.encode())
        digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def _read(path: Path) -> Features | None:
    """Read kept features; None for none, and for one that is torn, damaged or strange: it is made again."""
    try:
        content = io.BytesIO(seal.opened_bytes(path.read_bytes())[0])
        values: Features = np.load(content, allow_pickle=False)
        if content.read(1):  # a seal that is damaged itself
            return None
    except (OSError, ValueError, EOFError, SyntaxError):
        return None
    return values if values.ndim == 2 and np.isfinite(values).all() else None


def _written(values: Features) -> bytes:
    content = io.BytesIO()
    np.save(content, values, allow_pickle=False)
    return seal.sealed_bytes(content.getvalue())
