"""rembg: a model cuts out, in a session of our own whose raw output range is looked at.

Only the matte is taken: rembg's own cut-out multiplies by alpha twice, which darkens soft edges.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from curate.matting.matte import Asked, Backend, Cutter, Matte
from curate.matting.models import NO_MODEL_NEEDED, Model, find_model
from curate.matting.uncompiled import uncompiled
from curate.pictures.pixels import Box
from imageledger.errors import ModelError


class _Watched:
    """An inference session that remembers the range of its last raw output, which rembg stretches to 0..1.

    Flat or not finite output counts as 0..0.
    """

    def __init__(self, session: Any, path: Path) -> None:
        self._session, self._path = session, path
        self.low, self.high = 0.0, 0.0

    def run(self, *args: Any, **kwargs: Any) -> Any:
        try:
            outputs = self._session.run(*args, **kwargs)
            raw = outputs[0][:, :1]
        except Exception as error:  # onnxruntime has a class of its own for every trouble
            raise _unusable(self._path, error) from error
        self.low, self.high = float(np.min(raw)), float(np.max(raw))
        if not 0 < self.high - self.low < np.inf:  # the stretch would make NaN of it
            self.low = self.high = 0.0
            outputs[0] = np.linspace(0, 1, outputs[0].size, dtype=np.float32).reshape(outputs[0].shape)
        return outputs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


@cache
def session(model: Model) -> Any:
    """Open a model once in this process, on one thread: the workers keep the cores busy."""
    import onnxruntime

    with uncompiled():
        from rembg import new_session

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    with _home_of(model):
        try:
            opened = new_session(model.name, sess_opts=options, model_path=str(model.path.resolve()))
        except Exception as error:
            raise _unusable(model.path, error) from error
    opened.inner_session = _Watched(opened.inner_session, model.path)
    return opened


def _unusable(path: Path, error: Exception) -> ModelError:
    why = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return ModelError(
        f"{path} does not work as a cut-out model: {why}",
        f"name an ONNX file with U2-Net's interface (1x3x320x320 in, 1x1x320x320 out); {NO_MODEL_NEEDED}",
    )


@contextmanager
def _home_of(model: Model) -> Iterator[None]:
    """Let rembg take a custom model from any folder: it refuses files outside its own home."""
    if "custom" not in model.name:
        yield
        return
    before = os.environ.get("U2NET_HOME")
    os.environ["U2NET_HOME"] = str(model.path.resolve().parent)
    try:
        yield
    finally:
        if before is None:
            del os.environ["U2NET_HOME"]
        else:
            os.environ["U2NET_HOME"] = before


def cut(model: Model, image: Image.Image, face: Box | None) -> Matte:
    """Cut out with a model; a flat output gives an empty matte."""
    opened = session(model)
    alpha = np.asarray(opened.predict(image)[0].convert("L"))
    low, high = opened.inner_session.low, opened.inner_session.high
    return Matte(alpha=alpha if high > low else np.zeros_like(alpha), raw=(low, high))


def cutter(model: Model) -> Cutter:
    """Return what cuts out with a model whose file is there."""
    return Cutter(cut=partial(cut, model), model=model)


def prepare(asked: Asked) -> Cutter:
    """Find the model that is asked for, downloading it once; raise ModelError where it cannot be had."""
    return cutter(find_model(asked.model, asked.path, asked.sha256, download=asked.download))


BACKEND = Backend(name="rembg", prepare=prepare, packages=("rembg", "onnxruntime"))
