"""How a picture becomes what a network sees, without torch: Pillow and numpy, the same numbers as in training."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from imageledger.errors import RunError
from imageledger.types import Floats32

RESIZE, CROPS = "resize", "crops"
"""The whole picture, its middle square shrunk (or enlarged) to one size: fastai's Resize(size) in validation; or
several squares of it at its own resolution."""

LEAST = 32
"""Smallest square, in pixels, that leaves every block of a usual network something to see."""


def of(image: Image.Image, views: Mapping[str, Any]) -> Floats32:
    """Return the views of an upright RGB picture: k x 3 x side x side, 0..1, not yet normalised.

    `views` is what model.json says: "kind" names the way, the rest are its settings. The probabilities of the k views
    of a picture are averaged.
    """
    return KINDS[views["kind"]](image, views)


def of_run(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the views that the settings of a run name; runs of older versions name a size alone."""
    return settings.get("views") or {"kind": RESIZE, "size": int(settings["size"])}


def count(views: Mapping[str, Any]) -> int:
    """Return how many views a picture has."""
    return views["across"] ** 2 * (1 + bool(views["flip"])) if views["kind"] == CROPS else 1


def side(views: Mapping[str, Any]) -> int | None:
    """Return the side of every view in pixels; None where it depends on the picture."""
    return int(views["size"]) if views["kind"] == RESIZE else None


def stacked(images: Sequence[Image.Image]) -> Floats32:
    """Turn RGB pictures of one size into what networks take: n x 3 x height x width, 0..1."""
    pixels = np.stack([np.asarray(image, dtype=np.uint8) for image in images])
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)


def resized(image: Image.Image, size: int) -> Image.Image:
    """Cut out the middle square and bring it to `size` pixels a side, with the very arithmetic of fastai's Resize."""
    width, height = image.size
    scale = width / size if width / size < height / size else height / size
    side = int(scale * size)
    left, top = int(0.5 * (width - side)), int(0.5 * (height - side))
    return image.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BILINEAR)


def _resize(image: Image.Image, views: Mapping[str, Any]) -> Floats32:
    return stacked([resized(image, views["size"])])


def _crops(image: Image.Image, views: Mapping[str, Any]) -> Floats32:
    """Cut `across` x `across` squares of `share` of the shorter side, evenly spread, and their mirror images.

    Nothing is resized, unless the shorter side is above `most` pixels: then the whole picture is shrunk to that first.
    Raises RunError for a picture too small for squares of LEAST.
    """
    if (shorter := min(image.size)) > views["most"]:
        size = [round(side * views["most"] / shorter) for side in image.size]
        image = image.resize((size[0], size[1]), Image.Resampling.BILINEAR)
    edge = round(views["share"] * min(image.size))
    if edge < LEAST:
        raise RunError(
            f"squares of {edge} px of a picture of {image.width} x {image.height} px show a network nothing",
            f"pictures of {round(LEAST / views['share'])} px or more, or --recipe seed",
        )
    lefts, tops = (np.linspace(0, side - edge, views["across"]).round().astype(int).tolist() for side in image.size)
    squares = [image.crop((left, top, left + edge, top + edge)) for top in tops for left in lefts]
    return stacked([*squares, *(ImageOps.mirror(square) for square in squares if views["flip"])])


KINDS: Mapping[str, Callable[[Image.Image, Mapping[str, Any]], Floats32]] = {RESIZE: _resize, CROPS: _crops}
"""Name of a way to make views -> the function that does it."""
