"""What a matting backend is, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.matting.models import Model
from curate.pictures.pixels import Box

Alpha = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Matte:
    """An alpha mask (0 background, 255 person; height x width).

    `raw` is the output range of a model (least, most) that the mask was stretched from, None where there is none.
    `begun_with` is its overlap (intersection over union, 0..1) with the guess that a backend began with, if it has one.
    """

    alpha: Alpha
    raw: tuple[float, float] | None = None
    begun_with: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutter:
    """A backend that is ready: `cut` takes an RGB picture and the box of its face, where that is known.

    It is sent to worker processes, so it can be pickled. `model` is what it cuts with, where that is a model: its
    name, licence and sha256 are recorded with every picture.
    """

    cut: Callable[[Image.Image, Box | None], Matte]
    model: Model | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which model a person asks for: by name, or as a file of their own, and the sha256 it must have ("": any).

    Without `download`, a model that is not on this machine is not fetched: nobody asked for it.
    """

    model: str = ""
    path: Path | None = None
    sha256: str = ""
    download: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One way of cutting people out.

    `prepare` is called once, before any picture: it checks what is needed, downloads what is missing, and raises
    LedgerError where that fails. `packages` are those on whose versions the mattes depend, beside numpy and OpenCV.
    """

    name: str
    prepare: Callable[[Asked], Cutter]
    packages: tuple[str, ...] = ()
