"""Counterfactuals: deliver the pictures of one class as those of the other were, and ask the model again.

A delivery is how a class came: its JPEG quality, its size, the brightness of its backgrounds. Every picture of a
class is pushed from its original through the delivery of the other one and then goes the same way to the model as
before; as a placebo, through the delivery of its own class. The transforms see numbers, never a label.
"""

import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.history import made_by_normalize, normalized, on_original, whitened
from curate.matting import compositing
from curate.pictures import pixels
from imageledger.counted import Counted, mean_by_group
from imageledger.record import Record, groups_of
from imageledger.store import Store
from imageledger.types import Floats

Ask = Callable[[Sequence[tuple[str, str]], Iterable[Image.Image]], Iterable[float]]
"""P(positive), 0..1, of upright RGB pictures, in order, given the key of the record that each was made from."""

INSIDE, EDGE = 0.7, 1.0
"""Without a matte the background is what lies near the frame: nothing of it inside, all of it at this distance from
the middle, in half widths and heights."""

EVERY = 100
"""So many pictures of a class are swapped at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How pictures came: JPEG quality (0: lossless), shorter side in pixels, mean grey level of the background."""

    quality: int
    side: int
    background: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """What became of the pictures of one class once they were delivered as the other class was.

    `flipped` counts those that are called something else than before, `placebo` those that are so after the delivery
    of their own class. `shift` is by how much the logit moves further towards the other class than under the placebo
    (median), and `p` the one-sided Wilcoxon signed-rank probability that it does not.
    """

    label: str
    other: str
    delivery: Delivery
    flipped: Counted
    placebo: Counted
    shift: float
    p: float


def swap(
    records: Sequence[Record], before: Sequence[float], labels: tuple[str, str], store: Store, ask: Ask
) -> tuple[Swap, ...]:
    """Swap the deliveries of both classes; `before` is what the model said of each record, 0..1.

    Raises StoreError for missing originals and CannotDecode for damaged ones: see `can_be_made`.
    """
    by_label = {label: [n for n, record in enumerate(records) if record.label == label] for label in labels}
    by_label = {label: sorted(places, key=lambda n: records[n].origin)[:EVERY] for label, places in by_label.items()}
    if not all(by_label.values()):
        return ()
    came = {label: delivery_of([records[n] for n in places], store) for label, places in by_label.items()}
    swaps = []
    for label, other in (labels, labels[::-1]):
        chosen = [records[n] for n in by_label[label]]
        keys = [record.key for record in chosen]
        first = np.array([before[n] for n in by_label[label]])
        placebo, swapped = (
            np.array(list(ask(keys, (remade(record, store, came[which]) for record in chosen))))
            for which in (label, other)
        )
        towards = 1.0 if other == labels[1] else -1.0
        swaps.append(compared(label, other, came[other], first, placebo, swapped, towards, groups_of(chosen)))
    return tuple(swaps)


def compared(
    label: str, other: str, delivery: Delivery, before: Floats, placebo: Floats, swapped: Floats, towards: float,
    groups: Sequence[str],
) -> Swap:  # fmt: skip
    """Count flips and test the shift; `towards` is 1 where the other class is the positive one, else -1.

    A group counts once, by the mean of its shifts.
    """
    from scipy.stats import wilcoxon

    moved = mean_by_group(towards * (_logit(swapped) - _logit(placebo)), groups)
    p = float(wilcoxon(moved, alternative="greater").pvalue) if np.any(moved) else 1.0
    return Swap(
        label=label, other=other, delivery=delivery,
        flipped=Counted((swapped >= 0.5) != (before >= 0.5), groups),
        placebo=Counted((placebo >= 0.5) != (before >= 0.5), groups),
        shift=float(np.median(moved)), p=p,
    )  # fmt: skip


def can_be_made(record: Record, store: Store) -> bool:
    """Tell whether a picture can be delivered anew: its original, its matte and the steps between are known."""
    return bool(record.origin) and all(store.has(name) for name in (record.origin, record.matte) if name)


def delivery_of(records: Sequence[Record], store: Store) -> Delivery:
    """Measure how the pictures of one class came: the median of each number."""
    tables, sides, levels = [], [], []
    for record in records:
        picture = pixels.decode(store.read(record.origin))
        tables.append(picture.tables)
        sides.append(min(picture.image.size))
        levels.append(brightness(picture.image, background(record, picture.image.size, store)))
    return Delivery(
        quality=quality_of(int(np.median(tables))), side=int(np.median(sides)), background=float(np.median(levels))
    )


def remade(record: Record, store: Store, delivery: Delivery) -> Image.Image:
    """Deliver the original of a record anew, and bring it to the model by the crop, size, encoding and matte of before.

    A picture without such steps was shown to the model as it came, and is so now.
    """
    original = pixels.decode(store.read(record.origin)).image
    crop = normalized(record).crop
    size = _normal_side(record, store)
    least = size / (crop[2] - crop[0]) if crop and size else 0.0
    came, scale = redelivered(original, delivery, background(record, original.size, store), least)
    if crop is None or not size:
        return came
    left, top = round(scale * crop[0]), round(scale * crop[1])
    side = min(max(size, round(scale * (crop[2] - crop[0]))), *came.size)
    left, top = min(left, came.width - side), min(top, came.height - side)
    return _whitened(
        record, _encoded(record, pixels.downscale(came, (left, top, left + side, top + side), size)), store
    )


def redelivered(
    image: Image.Image, delivery: Delivery, mask: NDArray[np.float32], least: float = 0.0
) -> tuple[Image.Image, float]:
    """Bring a picture to a background, a size and a quality; return it with the scale it came to, at least `least`.

    `mask` is the share of background of each pixel, 0..1, height x width.
    """
    values = np.asarray(image, dtype=np.float32)
    values = values + (delivery.background - brightness(image, mask)) * mask[..., None]
    lit = Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    scale = max(delivery.side / min(image.size), least)
    sized = lit.resize(tuple(math.ceil(scale * side - 1e-9) for side in image.size), Image.Resampling.LANCZOS)  # type: ignore[arg-type]
    if not delivery.quality:
        return sized, scale
    target = io.BytesIO()
    sized.save(target, "JPEG", quality=delivery.quality)
    return Image.open(io.BytesIO(target.getvalue())).convert("RGB"), scale


def background(record: Record, size: tuple[int, int], store: Store) -> NDArray[np.float32]:
    """Return the share of background of each pixel, 0..1: what the matte leaves, or else what lies near the frame."""
    crop = normalized(record).crop
    if record.matte and crop:
        person = on_original(Image.open(io.BytesIO(store.read(record.matte))), crop, size)
        return np.asarray(1 - np.asarray(person, dtype=np.float32) / 255, dtype=np.float32)
    across, down = (np.abs(np.linspace(-1, 1, side, dtype=np.float32)) for side in size)
    away = np.maximum(down[:, None], across[None, :])
    return np.asarray(np.clip((away - INSIDE) / (EDGE - INSIDE), 0, 1), dtype=np.float32)


def brightness(image: Image.Image, mask: NDArray[np.float32]) -> float:
    """Return the mean grey level, 0..255, of the background; of the whole picture where there is none."""
    grey = np.asarray(image.convert("L"), dtype=np.float32)
    return float((grey * mask).sum() / mask.sum()) if mask.sum() > 0 else float(grey.mean())


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
    settings = next(step.settings for step in reversed(record.steps) if step.did.startswith("normalize@"))
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


def _logit(share: Floats) -> Floats:
    inside = np.clip(share, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))
