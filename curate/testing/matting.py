"""The battery for a matting backend."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from PIL import Image

from curate.matting import backend as backend_named
from curate.matting.matte import Alpha, Asked, Backend, Cutter, Matte
from curate.pictures.pixels import Box
from curate.testing.pictures import PORTRAIT, drawn, face_in
from imageledger.engines.local import ordered_map
from imageledger.errors import LedgerError
from imageledger.testing.claims import claim, leaving_no_trace

Shown = tuple[str, Image.Image, Box | None]


def check_matting(backend: Backend | str, *, model: str = "", path: Path | None = None) -> None:
    """Check everything that `Backend` promises; raises AssertionError with the sentence that does not hold."""
    checked = backend_named(backend) if isinstance(backend, str) else backend
    claim(isinstance(checked, Backend), f"{checked!r} is no Backend")
    who = f"the matting backend {checked.name!r}"
    _check_facts(checked, who)
    cutter = checked.prepare(Asked(model=model, path=path))
    claim(isinstance(cutter, Cutter), f"{who} prepares {cutter!r}, which is no Cutter")
    claim(cutter.model is None or cutter.model.licence, f"{who} cuts with a model whose licence it does not name")
    _cut(cutter, who, _shown()[0])  # what is opened once, such as the file of a model, is opened here
    with leaving_no_trace(who):
        mattes = {shown[0]: _cut(cutter, who, shown) for shown in _shown()}
    again = {shown[0]: _cut(cutter, who, shown) for shown in reversed(_shown())}
    _check_same(mattes, again, f"{who} cuts otherwise in another order, or a second time")
    jobs = [(shown, None) for shown in _shown()]
    with_workers = ordered_map(partial(_named_cut, cutter, who), jobs, workers=2)
    _check_same(mattes, dict(with_workers), f"{who} cuts otherwise in worker processes")
    _check_errors(checked, who)


def _check_facts(backend: Backend, who: str) -> None:
    claim(backend.name and backend.name == backend.name.lower() and " " not in backend.name,
          f"{who} needs a name of small letters without spaces")  # fmt: skip
    for package in backend.packages:
        try:
            version(package)
        except PackageNotFoundError as error:
            raise AssertionError(f"{who} depends on {package}, which is not installed") from error


def _shown() -> Sequence[Shown]:
    portrait = drawn()[PORTRAIT]
    whole = [(name, image.copy(), None) for name, image in drawn().items() if min(image.size) > 2]
    return [*whole, ("a portrait with a face", portrait.copy(), face_in(portrait))]


def _cut(cutter: Cutter, who: str, shown: Shown) -> Matte:
    """Cut out one picture, and claim that it survives, stays as it was, and gets a mask of its own size."""
    name, image, face = shown
    before = image.tobytes()
    try:
        matte = cutter.cut(image, face)
    except Exception as error:  # a backend of a stranger raises anything
        raise AssertionError(f"{who} cannot cut {name}: {type(error).__name__}: {error}") from error
    claim(image.tobytes() == before, f"{who} changes the picture it cuts")
    alpha = matte.alpha
    claim(isinstance(alpha, np.ndarray) and alpha.dtype == np.uint8, f"{who} gives no mask of bytes for {name}")
    claim(alpha.shape == (image.height, image.width),
          f"{who} gives a mask of {alpha.shape} for {name}, which has {(image.height, image.width)}")  # fmt: skip
    claim(matte.raw is None or matte.raw[0] <= matte.raw[1], f"{who} gives a raw range upside down for {name}")
    return matte


def _named_cut(cutter: Cutter, who: str, shown: Shown) -> tuple[str, Matte]:
    return shown[0], _cut(cutter, who, shown)


def _check_same(mattes: Mapping[str, Matte], others: Mapping[str, Matte], sentence: str) -> None:
    for name, matte in mattes.items():
        claim(_alike(matte.alpha, others[name].alpha) and matte.raw == others[name].raw, f"{sentence}: {name}")


def _alike(one: Alpha, other: Alpha) -> bool:
    return np.array_equal(one, other)


def _check_errors(backend: Backend, who: str) -> None:
    """Claim that a model file that is not there is an error with a hint, for a backend that takes one."""
    asked = replace(Asked(), path=Path("no-such-model-0f7a.onnx"))
    try:
        backend.prepare(asked)
    except LedgerError as error:
        claim(error.hint, f"{who} refuses a missing model without saying what to do")
    except Exception as error:
        raise AssertionError(f"{who} raises {type(error).__name__} for a model file that is not there") from error
