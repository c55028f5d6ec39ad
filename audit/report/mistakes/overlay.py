"""A heat map over a picture: colours from dark violet to yellow, safe for every kind of colour vision."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imageledger.types import Floats32

STOPS = (
    (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129), (92, 200, 99),
    (170, 220, 50), (253, 231, 37),
)  # fmt: skip
"""The colours of viridis (van der Walt and Smith 2015), from none to most; they lighten evenly, also in grey."""

SHOWS = 0.62
"""How much of the colour covers the picture, which is grey below it."""


def overlay(image: Image.Image, heat: Floats32) -> Image.Image:
    """Lay a map (height x width of the picture, 0..1) over a picture; colour alone says how strong it is."""
    grey = np.asarray(image.convert("L"), dtype=np.float32)[..., None]
    mixed = SHOWS * coloured(heat) + (1 - SHOWS) * grey
    return Image.fromarray(np.clip(np.rint(mixed), 0, 255).astype(np.uint8))


def coloured(heat: Floats32) -> NDArray[np.float32]:
    """Return the colour of each place, 0..255, height x width x 3."""
    at = np.linspace(0, 1, len(STOPS))
    channels: list[Any] = [np.interp(heat, at, [stop[channel] for stop in STOPS]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)
