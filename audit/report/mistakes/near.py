"""Which training pictures are nearest to a picture, by what the network sees in them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imageledger.types import Bools, Floats32

COUNTED = 10
"""So many nearest training pictures are counted by class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The nearest training pictures of one picture: by class (negative, positive) the row and its similarity (-1..1).

    `counted` is how many of the nearest COUNTED, both classes together, are of the positive class, and of how many.
    """

    rows: tuple[int | None, int | None]
    alike: tuple[float, float]
    counted: tuple[int, int]


def nearest(asked: Floats32, known: Floats32, positive: Bools, apart: Sequence[frozenset[int]] = ()) -> list[Near]:
    """Find the training pictures (`known`, m x k, of which `positive` tells the class) nearest to each asked (n x k).

    Features are standardised by the training pictures; similarity is the cosine, which size of contrast does not move.
    `apart` names for each asked picture the training rows that do not count, such as copies of itself.
    """
    middle, spread = known.mean(axis=0), known.std(axis=0)
    spread[spread < 1e-6] = np.inf  # a number that never varies tells nothing
    first, second = (_unit((values - middle) / spread) for values in (asked, known))
    alike = first @ second.T
    for row, left_out in enumerate(apart):
        alike[row, list(left_out)] = -np.inf
    return [_near(row, positive) for row in alike]


def _near(alike: Floats32, positive: Bools) -> Near:
    order = np.argsort(-alike, kind="stable")
    order = order[np.isfinite(alike[order])]
    first: list[int | None] = [next((int(row) for row in order if positive[row] == side), None) for side in (0, 1)]
    closest = order[:COUNTED]
    shares = [float(alike[row]) if row is not None else float("nan") for row in first]
    return Near(
        rows=(first[0], first[1]), alike=(shares[0], shares[1]), counted=(int(positive[closest].sum()), len(closest))
    )


def _unit(values: Floats32) -> Floats32:
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9), dtype=np.float32)
