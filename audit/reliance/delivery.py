"""How a picture came to a collection, and how to make it come otherwise: from its original, and on to the model.

A delivery is what has nothing to do with the person: JPEG quality, size, brightness, the brightness of the background,
colour. The transforms see numbers, never a label.
"""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.history import made_by_normalize, normalized, on_original, whitened
from curate.matting import compositing
from curate.pictures import pixels
from imageledger.record import Record
from imageledger.store import Store
from imageledger.types import Floats

INSIDE, EDGE = 0.7, 1.0
"""Without a matte the background is what lies near the frame: nothing of it inside, all of it at this distance from
the middle, in half widths and heights."""

LOSSLESS, NO_JPEG = 0, 101
"""The JPEG quality of a picture that is no JPEG, as it is written and as it is compared."""

MOST_COLOUR = 3.0
"""Colours are made stronger or weaker by at most this factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How pictures come; None leaves a thing as it is.

    JPEG `quality` (0: lossless), shorter `side` in pixels, mean grey level of the whole picture (`light`) and of its
    `background`, 0..255, and mean difference of the strongest and the weakest channel (`colour`, 0..255).
    """

    quality: int | None = None
    side: int | None = None
    light: float | None = None
    background: float | None = None
    colour: float | None = None

    def only(self, dial: str) -> "Delivery":
        """Return a delivery that sets one thing and leaves the others."""
        return Delivery(**{dial: getattr(self, dial)})


DIALS = tuple(field.name for field in fields(Delivery))
"""The things that a delivery sets."""

TOLERANCE = {"quality": 3, "side": 0.05, "light": 4, "background": 4, "colour": 3}
"""Two classes whose deliveries differ by no more in a thing cannot be told apart by it; of the side, a share."""


def differing(one: Delivery, other: Delivery) -> tuple[str, ...]:
    """Name the things in which two deliveries differ."""
    both = [name for name in DIALS if getattr(one, name) is not None and getattr(other, name) is not None]
    scale = max(one.side or 1, other.side or 1)
    return tuple(
        name for name in both if _distance(name, one, other) > TOLERANCE[name] * (scale if name == "side" else 1)
    )


Numbers = tuple[float, float, float, float, float]
"""How one picture came, in the order of DIALS; the quality of what is no JPEG is NO_JPEG."""


def measured(record: Record, *, store: Store) -> Numbers:
    """Measure how one picture came."""
    picture = pixels.decode(store.read(record.origin))
    mask = background(record, picture.image.size, store)
    values = np.asarray(picture.image, dtype=np.float32)
    quality = quality_of(picture.tables) or NO_JPEG
    return quality, min(picture.image.size), grey(values), brightness(values, mask), chroma(values)


def delivery_of(numbers: Sequence[Numbers]) -> tuple[Delivery, Mapping[str, float]]:
    """Say how the pictures of one class came: the median of each number, and its standard deviation by name."""
    quality, side, light, behind, colour = np.median(numbers, axis=0)
    middle = Delivery(
        quality=LOSSLESS if quality >= NO_JPEG else int(quality), side=int(side), light=float(light),
        background=float(behind), colour=float(colour),
    )  # fmt: skip
    return middle, dict(zip(DIALS, np.std(numbers, axis=0).tolist(), strict=True))


def apart(one: Delivery, other: Delivery, spreads: Mapping[str, float]) -> float:
    """Return how far two deliveries lie apart in what both set, at most over the things, in `spreads`."""
    known = [name for name in DIALS if getattr(one, name) is not None]
    return max((_distance(name, one, other) / max(spreads[name], 1e-6) for name in known), default=0.0)


def _distance(name: str, one: Delivery, other: Delivery) -> float:
    first, second = getattr(one, name), getattr(other, name)
    if name == "quality":
        first, second = first or NO_JPEG, second or NO_JPEG
    return float(abs(first - second))


def remade(record: Record, original: Image.Image, store: Store, delivery: Delivery) -> Image.Image:
    """Deliver the original of a record anew, and bring it to the model by the crop, size, encoding and matte of before.

    A picture without such steps was shown to the model as it came, and is so now. Raises StoreError for objects that
    are missing.
    """
    crop = normalized(record).crop
    size = _normal_side(record, store)
    least = size / (crop[2] - crop[0]) if crop and size else 0.0
    behind = None if delivery.background is None else background(record, original.size, store)
    came, scale = redelivered(original, delivery, behind, least)
    if crop is None or not size:
        return came
    left, top = round(scale * crop[0]), round(scale * crop[1])
    side = min(max(size, round(scale * (crop[2] - crop[0]))), *came.size)
    left, top = min(left, came.width - side), min(top, came.height - side)
    return _whitened(
        record, _encoded(record, pixels.downscale(came, (left, top, left + side, top + side), size)), store
    )


def redelivered(
    image: Image.Image, delivery: Delivery, mask: NDArray[np.float32] | None = None, least: float = 0.0
) -> tuple[Image.Image, float]:
    """Bring a picture to a delivery; return it with the scale it came to, at least `least`.

    `mask` is the share of background of each pixel, 0..1, height x width, which a delivery of the background needs.
    """
    came = _lit(image, delivery, mask)
    scale = 1.0 if delivery.side is None else max(delivery.side / min(image.size), least)
    if scale != 1:
        sides = [math.ceil(scale * side - 1e-9) for side in image.size]
        came = came.resize((sides[0], sides[1]), Image.Resampling.LANCZOS)
    if not delivery.quality:
        return came, scale
    target = io.BytesIO()
    came.save(target, "JPEG", quality=delivery.quality)
    return Image.open(io.BytesIO(target.getvalue())).convert("RGB"), scale


def _lit(image: Image.Image, delivery: Delivery, mask: NDArray[np.float32] | None) -> Image.Image:
    """Bring colour, brightness and background of a picture to those of a delivery."""
    if delivery.colour is None and delivery.light is None and delivery.background is None:
        return image
    values = np.asarray(image, dtype=np.float32)
    if delivery.colour is not None:
        red, green, blue = np.moveaxis(values, 2, 0)
        level = ((red + green + blue) / 3)[..., None]
        factor = min(MOST_COLOUR, max(1 / MOST_COLOUR, delivery.colour / max(chroma(values), 1.0)))
        values = level + factor * (values - level)
    if delivery.light is not None:
        values = values + (delivery.light - grey(values))
    if delivery.background is not None and mask is not None:
        values = values + (delivery.background - brightness(values, mask)) * mask[..., None]
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def background(record: Record, size: tuple[int, int], store: Store) -> NDArray[np.float32]:
    """Return the share of background of each pixel, 0..1: what the matte leaves, or else what lies near the frame."""
    crop = normalized(record).crop
    if record.matte and crop:
        person = on_original(Image.open(io.BytesIO(store.read(record.matte))), crop, size)
        return np.asarray(1 - np.asarray(person, dtype=np.float32) / 255, dtype=np.float32)
    across, down = (np.abs(np.linspace(-1, 1, side, dtype=np.float32)) for side in size)
    away = np.maximum(down[:, None], across[None, :])
    return np.asarray(np.clip((away - INSIDE) / (EDGE - INSIDE), 0, 1), dtype=np.float32)


def grey(values: Floats | NDArray[np.float32]) -> float:
    """Return the mean grey level, 0..255, of RGB values (height x width x 3)."""
    return float((values @ np.array([0.299, 0.587, 0.114], dtype=np.float32)).mean())


def chroma(values: NDArray[np.float32]) -> float:
    """Return the mean difference of the strongest and the weakest channel, 0..255."""
    red, green, blue = np.moveaxis(values, 2, 0)  # along the last axis numpy takes several times as long
    strongest, weakest = (of(of(red, green), blue) for of in (np.maximum, np.minimum))
    return float((strongest - weakest).mean())


def brightness(values: NDArray[np.float32], mask: NDArray[np.float32]) -> float:
    """Return the mean grey level, 0..255, of the background; of the whole picture where there is none."""
    if mask.sum() <= 0:
        return grey(values)
    levels = values @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return float((levels * mask).sum() / mask.sum())


def quality_of(tables: int) -> int:
    """Return the JPEG quality whose luma table has the nearest sum; 0 where there was no table."""
    return min(_table_sums(), key=lambda quality: abs(_table_sums()[quality] - tables)) if tables else 0


@cache
def _table_sums() -> dict[int, int]:
    sums = {}
    for quality in range(100, 0, -1):
        target = io.BytesIO()
        Image.new("L", (8, 8)).save(target, "JPEG", quality=quality)
        sums[quality] = pixels.decode(target.getvalue()).tables
    return sums


def _normal_side(record: Record, store: Store) -> int:
    """Return the side of the normalised picture: that of the object which the step after it worked on."""
    name = made_by_normalize(record)
    if normalized(record).crop is None or not store.has(name):
        return 0
    with Image.open(io.BytesIO(store.read(name))) as image:
        return min(image.size)


def _encoded(record: Record, image: Image.Image) -> Image.Image:
    """Encode as normalize did, and decode again."""
    settings = record.stated("normalize")
    if settings.get("format") == "png" or not isinstance(settings.get("quality"), int):
        return image
    return pixels.decode(pixels.encode(image, "jpeg", settings["quality"])).image


def _whitened(record: Record, image: Image.Image, store: Store) -> Image.Image:
    """Do what whiten did: put the person on white with the same matte, or keep the same inner face."""
    if inner := whitened(record).crop:
        return pixels.downscale(image, inner, record.width)
    if not record.matte:
        return image
    alpha = np.asarray(Image.open(io.BytesIO(store.read(record.matte))).convert("L"))
    if alpha.shape != image.size[::-1]:
        return image
    return compositing.white_composite(image, alpha, compositing.standard_edge(alpha))
