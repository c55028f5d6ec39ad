"""Separate a person from the background: a model through rembg, or GrabCut, which needs no model.

The matte alone is taken from rembg: its own cut-out multiplies by alpha twice, which darkens soft edges.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.models import NO_MODEL_NEEDED, Model
from curate.pixels import Box
from imageledger.errors import ModelError

Alpha = NDArray[np.uint8]

GRABCUT_SIDE = 192
GRABCUT_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Matte:
    """An alpha mask (0 background, 255 person; height x width) and the raw output range it was stretched from."""

    alpha: Alpha
    low: float = 0.0
    high: float = 1.0


class Matter(Protocol):
    """Anything that cuts out: an RGB picture and, where known, the box of its face."""

    def __call__(self, image: Image.Image, face: Box | None) -> Matte:
        """Return the matte of one picture."""


def matter(model: Model | None) -> Matter:
    """Return what cuts out with a model, or GrabCut when there is none."""
    if model is None:
        return grabcut

    def with_model(image: Image.Image, face: Box | None) -> Matte:
        session = _session(model)
        alpha = np.asarray(session.predict(image)[0].convert("L"))
        seen = session.inner_session
        return Matte(alpha=alpha if seen.high > seen.low else np.zeros_like(alpha), low=seen.low, high=seen.high)

    return with_model


def grabcut(image: Image.Image, face: Box | None) -> Matte:
    """Cut out with GrabCut, the face box (or the middle of the picture) saying where the person stands.

    Rother, Kolmogorov and Blake (2004). "GrabCut": interactive foreground extraction using iterated graph cuts.
    """
    import cv2

    scale = GRABCUT_SIDE / max(image.size)
    small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BOX)
    guess = _person_prior(small.size, tuple(scale * edge for edge in face) if face else None)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.setNumThreads(1)
    cv2.grabCut(np.asarray(small), guess, (0, 0, 1, 1), *models, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = np.where((guess == cv2.GC_FGD) | (guess == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
    soft = cv2.resize(cv2.medianBlur(person, 5), image.size, interpolation=cv2.INTER_CUBIC)
    return Matte(alpha=np.asarray(cv2.GaussianBlur(soft, (0, 0), 0.75 / scale), dtype=np.uint8))


def _person_prior(size: tuple[int, int], face: tuple[float, ...] | None) -> NDArray[np.uint8]:
    """Paint what is surely or probably background (0, 2) and person (1, 3) around a face box."""
    import cv2

    width, height = size
    left, top, right, bottom = face or (0.34 * width, 0.28 * height, 0.66 * width, 0.6 * height)
    x, y, w, h = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    guess = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    _ellipse(guess, (x, y - 0.1 * h), (0.75 * w, 0.95 * h), cv2.GC_PR_FGD)
    shoulders = [(x - 0.45 * w, bottom), (x + 0.45 * w, bottom), (x + 1.5 * w, height), (x - 1.5 * w, height)]
    cv2.fillPoly(guess, [np.rint(shoulders).astype(np.int32)], cv2.GC_PR_FGD)
    edge = max(2, round(0.02 * width))
    for side in (guess[:, :edge], guess[:, -edge:]):
        side[: round(min(height, bottom))] = cv2.GC_BGD
    guess[: max(1, round(min(edge, top))), :] = cv2.GC_BGD
    _ellipse(guess, (x, y - 0.15 * h), (0.36 * w, 0.6 * h), cv2.GC_FGD)  # with the hair above the forehead
    neck = [(x - 0.2 * w, y), (x + 0.2 * w, y), (x + 0.3 * w, height), (x - 0.3 * w, height)]
    cv2.fillPoly(guess, [np.rint(neck).astype(np.int32)], cv2.GC_FGD)
    return guess


def _ellipse(mask: NDArray[np.uint8], centre: tuple[float, float], axes: tuple[float, float], value: int) -> None:
    import cv2

    at, reach = tuple(round(c) for c in centre), tuple(max(1, round(a)) for a in axes)
    cv2.ellipse(mask, at, reach, 0, 0, 360, value, -1)


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
def _session(model: Model) -> Any:
    """Open a model once in this process, on one thread: the workers keep the cores busy."""
    import onnxruntime
    from rembg import new_session

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    with _home_of(model):
        try:
            session = new_session(model.name, sess_opts=options, model_path=str(model.path.resolve()))
        except Exception as error:
            raise _unusable(model.path, error) from error
    session.inner_session = _Watched(session.inner_session, model.path)
    return session


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
