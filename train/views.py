"""How a picture becomes what a network sees, without torch: Pillow and numpy, the same numbers as in training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a view lies in its picture: left, top, right, bottom in pixels of it, and whether the view is mirrored."""

    box: tuple[float, float, float, float]
    mirrored: bool = False


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


def places(size: tuple[int, int], views: Mapping[str, Any]) -> list[Place]:
    """Return where the views of a picture of (width, height) pixels lie in it, in the order of `of`."""
    if views["kind"] == RESIZE:
        return [Place(_middle_square(size, views["size"]))]
    shown = _shown(size, views)
    across, down = (whole / part for whole, part in zip(size, shown, strict=True))
    boxes = [(left * across, top * down, right * across, bottom * down)
             for left, top, right, bottom in _squares(shown, views)]  # fmt: skip
    return [Place(box, mirrored) for mirrored in (False, True)[: 1 + bool(views["flip"])] for box in boxes]


def resized(image: Image.Image, size: int) -> Image.Image:
    """Cut out the middle square and bring it to `size` pixels a side, with the very arithmetic of fastai's Resize."""
    return image.crop(_middle_square(image.size, size)).resize((size, size), Image.Resampling.BILINEAR)


def _middle_square(whole: tuple[int, int], size: int) -> tuple[int, int, int, int]:
    width, height = whole
    scale = width / size if width / size < height / size else height / size
    side = int(scale * size)
    left, top = int(0.5 * (width - side)), int(0.5 * (height - side))
    return left, top, left + side, top + side


def _resize(image: Image.Image, views: Mapping[str, Any]) -> Floats32:
    return stacked([resized(image, views["size"])])


def _crops(image: Image.Image, views: Mapping[str, Any]) -> Floats32:
    """Cut `across` x `across` squares of `share` of the shorter side, evenly spread, and their mirror images.

    Nothing is resized, unless the shorter side is above `most` pixels: then the whole picture is shrunk to that first.
    Raises RunError for a picture too small for squares of LEAST.
    """
    if (shown := _shown(image.size, views)) != image.size:
        image = image.resize(shown, Image.Resampling.BILINEAR)
    squares = [image.crop(box) for box in _squares(shown, views)]
    return stacked([*squares, *(ImageOps.mirror(square) for square in squares if views["flip"])])


def _shown(size: tuple[int, int], views: Mapping[str, Any]) -> tuple[int, int]:
    """Return the size at which a picture is cut into squares."""
    if (shorter := min(size)) <= views["most"]:
        return size
    width, height = (round(side * views["most"] / shorter) for side in size)
    return width, height


def _squares(size: tuple[int, int], views: Mapping[str, Any]) -> list[tuple[int, int, int, int]]:
    """Return the squares that a picture is cut into; raise RunError where they would be below LEAST."""
    edge = round(views["share"] * min(size))
    if edge < LEAST:
        raise RunError(
            f"a picture of {size[0]} x {size[1]} px is too small to be cut into squares: {edge} px each",
            f"pictures of {round(LEAST / views['share'])} px or more, or --recipe fine-tune",
        )
    lefts, tops = (np.linspace(0, side - edge, views["across"]).round().astype(int).tolist() for side in size)
    return [(left, top, left + edge, top + edge) for top in tops for left in lefts]


KINDS: Mapping[str, Callable[[Image.Image, Mapping[str, Any]], Floats32]] = {RESIZE: _resize, CROPS: _crops}
"""Name of a way to make views -> the function that does it."""
