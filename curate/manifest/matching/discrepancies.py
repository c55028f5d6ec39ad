"""How far apart two chosen classes lie, measured by kernels, in units of what chance would put there."""

import numpy as np
from numpy.typing import NDArray

from curate.manifest.matching.scale import Scaled, distances, likeness, spread_within
from imageledger.types import Floats

Rows = NDArray[np.bool_]


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
