"""Counterfactuals: deliver every picture as the pictures of either class came, and ask the model again.

What moves is the difference between both deliveries of the same picture: one is the swap, the other, that of its own
class, the placebo. A model that reads the delivery moves both classes towards the class that the delivery belongs to.
Where only one class moves, or both move alike whatever the class, the delivery destroys or disturbs what the model
reads: a lack of robustness, which is not a bias (Ricker, Fischer and Quiring 2026, BIAS-ID). Each thing is swapped by
itself, and all at once.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
from PIL import Image

from audit.reliance.delivery import Delivery, apart, delivery_of, differing, measured, remade
from curate.evidence.probe import logit
from curate.pictures import pixels
from imageledger.counted import Counted, mean_by_group
from imageledger.engines.local import ordered_map
from imageledger.record import Record, groups_of
from imageledger.store import Store
from imageledger.types import Bools, Floats, Key, Track, untracked

Ask = Callable[[Sequence[Key], Iterable[Image.Image]], Iterable[float]]
"""P(positive), 0..1, of upright RGB pictures, in order, given the key of the record that each was made from."""

EVERY, MEASURED = 40, 100
"""So many pictures of a class are swapped at most, and so many measured to know how it came."""

MARGIN, LEAST_MARGIN = 0.3, 0.1
"""A shift of the logit counts when it is larger than this share of the spread of the answers within a class; where the
two deliveries lie closer together than the pictures of a class do, than this share of how a model would move that reads
nothing else, but never less than the least."""

EVERYTHING = "everything"
"""The name of the swap of all things at once."""

SWAPPED = {
    "quality": "JPEG quality", "side": "size", "light": "brightness", "background": "background", "colour": "colour",
    EVERYTHING: EVERYTHING,
}  # fmt: skip
"""What is swapped, as people read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far something moves, in spreads of the answers within a class, with its 95 % interval.

    `p` is the one-sided probability of such a shift or more where the true one is MARGIN.
    """

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """What became of the pictures once each was delivered as those of either class came.

    `what` is the thing that was swapped, `came` how the pictures of the negative and of the positive class came.
    `shifts` are those of both classes towards the positive one, from the delivery of the negative class to that of the
    positive. `flipped` counts, by class, the pictures that are called something else than before once delivered as the
    other class was, `placebo` those that are so under the delivery of their own. Shifts up to `margin` count as none.
    """

    what: str
    margin: float
    came: tuple[Delivery, Delivery]
    shifts: tuple[Shift, Shift]
    bias: Shift
    drift: Shift
    flipped: tuple[Counted, Counted]
    placebo: tuple[Counted, Counted]

    @property
    def p(self) -> float:
        """The probability, at most, that not both classes move towards the class of the delivery by the margin."""
        return max(shift.p for shift in self.shifts)

    @property
    def still(self) -> bool:
        """Whether neither class moves by the margin, either way."""
        return all(-self.margin < shift.low and shift.high < self.margin for shift in self.shifts)


def swap(
    records: Sequence[Record], before: Sequence[float], labels: tuple[str, str], outside: Sequence[Record],
    store: Store, ask: Ask, *, workers: int = 1, track: Track = untracked,
) -> tuple[Swap, ...]:  # fmt: skip
    """Swap the deliveries of both classes, each thing in which they differ and all at once; empty where they do not.

    `before` is what the model said of each record, 0..1. How the classes came is measured on `outside`: all candidates,
    whom no number has chosen yet. Raises StoreError for missing originals and CannotDecode for damaged ones: see
    `can_be_made`.
    """
    by_label = {label: [n for n, record in enumerate(records) if record.label == label] for label in labels}
    places = [place for label in labels for place in _some(records, by_label[label], EVERY)]
    if not all(by_label.values()):
        return ()
    came, spreads = _came(outside, labels, store, workers)
    dials = differing(*came)
    if not dials:
        return ()
    alone = {dial: (came[0].only(dial), came[1].only(dial)) for dial in dials}
    deliveries = {EVERYTHING: came, **alone} if len(dials) > 1 else alone
    chosen = [records[place] for place in places]
    flat = list(chain.from_iterable(deliveries.values()))
    keys = [record.key for record in chosen for _ in flat]
    work = partial(_remade, deliveries=flat, store=store)
    by_picture = ordered_map(work, ((record, None) for record in chosen), workers=workers)
    images = track(chain.from_iterable(by_picture), len(keys), "asking about pictures as the other class came")
    answers = np.array(list(ask(keys, images))).reshape(len(chosen), len(deliveries), 2)
    first = np.array([before[place] for place in places])
    positive = np.array([record.label == labels[1] for record in chosen])
    groups = groups_of(chosen)
    swaps = []
    for (what, pair), (as_negative, as_positive) in zip(deliveries.items(), answers.transpose(1, 2, 0), strict=True):
        margin = max(LEAST_MARGIN, MARGIN * min(1.0, apart(*pair, spreads)))
        swaps.append(compared(what, pair, first, as_negative, as_positive, positive, groups, margin))
    return tuple(swaps)


def compared(
    what: str, came: tuple[Delivery, Delivery], before: Floats, as_negative: Floats, as_positive: Floats,
    positive: Bools, groups: Sequence[str], margin: float = MARGIN,
) -> Swap:  # fmt: skip
    """Measure the shifts and count the flips of one swap; all answers are P(positive), 0..1. A group counts once."""
    names = np.asarray(groups)
    spread = max(float(np.mean([logit(before[side]).std() for side in (~positive, positive)])), 1e-3)
    moved = (logit(as_positive) - logit(as_negative)) / spread
    means = [mean_by_group(moved[side], names[side]) for side in (~positive, positive)]
    one, other = (_estimate(values) for values in means)
    own = np.where(positive, as_positive, as_negative) >= 0.5
    swapped = np.where(positive, as_negative, as_positive) >= 0.5
    was = before >= 0.5

    def counts(now: Bools) -> tuple[Counted, Counted]:
        negatives, positives = (Counted((now != was)[side], names[side].tolist()) for side in (~positive, positive))
        return negatives, positives

    return Swap(
        what=what, margin=margin, came=came, shifts=(_shift(*one, margin), _shift(*other, margin)),
        bias=_shift((one[0] + other[0]) / 2, math.hypot(one[1], other[1]) / 2, min(one[2], other[2]), margin),
        drift=_shift((one[0] - other[0]) / 2, math.hypot(one[1], other[1]) / 2, min(one[2], other[2]), margin),
        flipped=counts(swapped), placebo=counts(own),
    )  # fmt: skip


def can_be_made(record: Record, store: Store) -> bool:
    """Tell whether a picture can be delivered anew: its original, its matte and the steps between are known."""
    return bool(record.origin) and all(store.has(name) for name in (record.origin, record.matte) if name)


def _some(records: Sequence[Record], places: Sequence[int], most: int) -> list[int]:
    """Return at most so many places, as good as by chance."""
    return sorted(places, key=lambda place: records[place].origin)[:most]


def _came(
    outside: Sequence[Record], labels: tuple[str, str], store: Store, workers: int
) -> tuple[tuple[Delivery, Delivery], Mapping[str, float]]:
    """Measure how the pictures of both classes came, and how far those of a class lie apart, by the thing."""
    by_label = ([record for record in outside if record.label == label] for label in labels)
    chosen = [[own[place] for place in _some(own, range(len(own)), MEASURED)] for own in by_label]
    jobs = ((record, None) for own in chosen for record in own)
    numbers = list(ordered_map(partial(measured, store=store), jobs, workers=workers))
    (negative, one), (positive, other) = map(delivery_of, (numbers[: len(chosen[0])], numbers[len(chosen[0]) :]))
    return (negative, positive), {name: (one[name] + other[name]) / 2 for name in one}


def _remade(record: Record, *, deliveries: Sequence[Delivery], store: Store) -> list[Image.Image]:
    """Deliver a picture in every way, decoded once."""
    original = pixels.decode(store.read(record.origin)).image
    return [remade(record, original, store, delivery) for delivery in deliveries]


def _estimate(values: Floats) -> tuple[float, float, int]:
    """Return a mean, its standard error and its degrees of freedom."""
    count = len(values)
    error = float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    return float(values.mean()), error, max(1, count - 1)


def _shift(value: float, error: float, freedom: int, margin: float) -> Shift:
    """Return a shift with its interval and its p, after Student's t."""
    from scipy.stats import t

    if error == 0:
        return Shift(value=value, low=value, high=value, p=float(value <= margin))
    reach = float(t.ppf(0.975, freedom)) * error
    p = float(t.sf((value - margin) / error, freedom)) if math.isfinite(error) else 1.0
    return Shift(value=value, low=value - reach, high=value + reach, p=p)
