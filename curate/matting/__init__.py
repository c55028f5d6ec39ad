"""Separate a person from the background: a model through rembg, or GrabCut, which needs no model.

The matte alone is taken from rembg: its own cut-out multiplies by alpha twice, which darkens soft edges.
"""

from typing import Protocol

import numpy as np
from PIL import Image

from curate.matting.grabcut import grabcut
from curate.matting.matte import Matte
from curate.matting.models import Model
from curate.matting.rembg import session
from curate.pictures.pixels import Box


class Matter(Protocol):
    """Anything that cuts out: an RGB picture and, where known, the box of its face."""

    def __call__(self, image: Image.Image, face: Box | None) -> Matte:
        """Return the matte of one picture."""


def matter(model: Model | None) -> Matter:
    """Return what cuts out with a model, or GrabCut when there is none."""
    if model is None:
        return grabcut

    def with_model(image: Image.Image, face: Box | None) -> Matte:
        opened = session(model)
        alpha = np.asarray(opened.predict(image)[0].convert("L"))
        seen = opened.inner_session
        return Matte(alpha=alpha if seen.high > seen.low else np.zeros_like(alpha), low=seen.low, high=seen.high)

    return with_model
