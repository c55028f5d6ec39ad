"""Swap chosen pictures for others until probes find no more between the classes than chance puts there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.manifest.matching.chance import off_chance
from curate.manifest.matching.scale import Scaled, distances, likeness, spread_within
from imageledger.types import Floats

Rows = NDArray[np.bool_]

STRIDE = 0.05
"""After swapping this share of a class the spread within the classes is measured again, and the probes are asked."""

PATIENCE = 4
"""After so many strides without a gain the best so far is taken: the measures move with the spread."""

PROBED = 5.0
"""Weight of a standard deviation of the cross-validated AUC beside the measures when sets on the way are compared."""

LEAST_GAIN = 1e-6
SMALL = 0.05
"""Below this share of chance a measure costs no more."""

EVENNESS = 1.0
"""Weight of sources that give more or fewer pictures than their share, beside the discrepancies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What swaps move on: the scaled features, labels, groups and sources of all candidates, and source quotas."""

    scaled: Scaled
    positive: Rows
    groups: NDArray[np.int64]
    sources: NDArray[np.int64]
    quotas: Floats

    def uneven(self, chosen: Rows) -> Floats:
        """Return how many pictures more than its quota each source gives."""
        return np.bincount(self.sources[chosen], minlength=len(self.quotas)) - self.quotas


def improve(ground: Ground, chosen: Rows) -> Rows:
    """Make the best swaps within the classes until no measure can be brought nearer to chance; return what is chosen.

    To chance from either side: an assignment overshoots, and classes that agree better than chance would have them
    agree are not more alike, they only push a cross-validated AUC below one half. The input stays as it is.
    """
    least, best = np.inf, chosen
    idle = 0
    while idle < PATIENCE:
        kernels = discrepancies(ground.scaled, chosen, ground.positive)
        now = _cost(ground, chosen, kernels, _band(kernels))
        now += PROBED * off_chance(ground.scaled, chosen, ground.positive, ground.groups)
        idle = 0 if now < least - LEAST_GAIN else idle + 1
        if now < least - LEAST_GAIN:
            least, best = now, chosen
        after = _swapped(ground, chosen, kernels, _band(kernels), _stride(chosen))
        if np.array_equal(chosen, after):
            break
        chosen = after
    return best


def even_out(ground: Ground, chosen: Rows) -> Rows:
    """Swap for sources that give more evenly, where that costs no measure more than chance has it."""
    kernels = discrepancies(ground.scaled, chosen, ground.positive)
    band = _band(kernels, levels(kernels, chosen, ground.positive))
    return _swapped(ground, chosen, kernels, band, len(chosen))


def _stride(chosen: Rows) -> int:
    return max(1, round(STRIDE * int(chosen.sum()) / 2))


def discrepancies(scaled: Scaled, chosen: Rows, positive: Rows) -> Floats:
    """Return the kernels, measures x pictures x pictures, of what the chosen classes should agree in.

    For each family, and for all together, two measures: the separation of the class means along Fisher's ridge
    discriminant, which is what a linear probe finds, and the energy distance, which sees other differences of shape
    too (Szekely and Rizzo, 2013). Both measure by the covariance within the chosen classes, because what varies
    little there is told apart easily. In units of what labels dealt out at random among one class would show.
    """
    sides = chosen & positive, chosen & ~positive
    kernels = []
    for columns in (*(scaled.of(name) for name in dict.fromkeys(scaled.families)), scaled.matrix):
        inner = likeness(columns, spread_within(columns, sides))
        for kernel in (inner, -distances(inner)):
            if (chance := float(np.mean([_by_chance(kernel[np.ix_(side, side)]) for side in sides]))) > 0:
                kernels.append(kernel / chance)
    return np.array(kernels).reshape(-1, len(chosen), len(chosen))


def levels(kernels: Floats, chosen: Rows, positive: Rows) -> Floats:
    """Return each measure's value for what is chosen: 1 is chance."""
    weights = _signs(chosen, positive) * chosen
    return np.einsum("i,mij,j->m", weights, kernels, weights, optimize=True)


def _by_chance(kernel: Floats) -> float:
    """Return a measure's mean between two random samples as large as this class, and drawn from it."""
    size, own = len(kernel), float(np.trace(kernel))
    return 2 * (own / size - (float(kernel.sum()) - own) / (size * (size - 1))) / size


def _signs(chosen: Rows, positive: Rows) -> Floats:
    return np.where(positive, 1.0, -1.0) / (chosen.sum() / 2)


def _band(kernels: Floats, now: Floats | None = None) -> Floats:
    """Return from where to where each measure may move freely, measures x 2: between its value now and chance."""
    here = np.ones(len(kernels)) if now is None else np.maximum(now, SMALL)
    return np.stack([np.minimum(here, 1), np.maximum(here, 1)], axis=1)


def _strain(value: Floats, band: Floats) -> Floats:
    """Return what a measure costs: nothing in its band, and as much for half of chance as for twice chance."""
    return np.maximum(value, band[..., 1]) - band[..., 1] + np.maximum(1 / np.maximum(value, SMALL), 1 / band[..., 0])


def _cost(ground: Ground, chosen: Rows, kernels: Floats, bands: Floats) -> float:
    """Sum up the strain of the measures and the unevenness of the sources."""
    strain = _strain(levels(kernels, chosen, ground.positive), bands).sum()
    return float(strain + _scale(ground, chosen) * (ground.uneven(chosen) ** 2).sum())


def _scale(ground: Ground, chosen: Rows) -> float:
    return float(EVENNESS * len(ground.quotas) / (chosen.sum() / 2) ** 2)


def _swapped(ground: Ground, chosen: Rows, kernels: Floats, bands: Floats, most: int) -> Rows:
    """Make the best swap, again and again, until none lowers the cost or `most` are made."""
    chosen = chosen.copy()
    for _ in range(most):
        now = _cost(ground, chosen, kernels, bands)
        sides = (ground.positive, ~ground.positive)
        after, out, into = min(_best_swap(ground, side, chosen, kernels, bands) for side in sides)
        if not after < now - LEAST_GAIN:
            break
        chosen[[out, into]] = False, True
    return chosen


def _best_swap(ground: Ground, side: Rows, chosen: Rows, kernels: Floats, bands: Floats) -> tuple[float, int, int]:
    """Return the cost after the best swap within one class, which picture goes and which comes."""
    leave, enter = np.flatnonzero(side & chosen), np.flatnonzero(side & ~chosen)
    if not enter.size:
        return np.inf, 0, 0
    signs = _signs(chosen, ground.positive)
    sign = signs[leave[0]]
    weights = signs * chosen
    cost = np.zeros((len(leave), len(enter)))
    for kernel, band in zip(kernels, bands, strict=True):
        field, own = kernel @ weights, np.diag(kernel)
        change = 2 * sign * (field[enter][None, :] - field[leave][:, None])
        change += sign**2 * (own[enter][None, :] + own[leave][:, None] - 2 * kernel[np.ix_(leave, enter)])
        cost += _strain(weights @ field + change, band)
    uneven = ground.uneven(chosen)
    there, here = ground.sources[leave][:, None], ground.sources[enter][None, :]
    moved = np.where(there == here, 0, 2 * (uneven[here] - uneven[there] + 1))
    cost += _scale(ground, chosen) * (moved + (uneven**2).sum())
    row, column = divmod(int(np.argmin(np.round(cost, 9))), len(enter))
    return float(cost[row, column]), int(leave[row]), int(enter[column])
