"""Swap chosen pictures for others until probes that have not seen them find the classes alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imageledger.types import Floats

Rows = NDArray[np.bool_]

OVERSHOOT = 0.5
"""By so much of the difference between all candidates the chosen classes should differ the other way round.

Scores are noisy: what a choice takes away of them is taken only in part from the difference behind them, as a
regression on a noisy number is too flat (Spearman 1904). `benchmarks/honest_selection.py` prints what others do.
"""

EVENNESS = 0.05
"""Weight of sources that give more or fewer pictures than their share, in squared standard deviations of a score."""

LEAST_GAIN = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What swaps move on: scores (candidates x kinds of probes), labels, sources, and what each source should give."""

    scores: Floats
    positive: Rows
    sources: NDArray[np.int64]
    quotas: Floats

    def uneven(self, chosen: Rows) -> Floats:
        """Return how many pictures more than its quota each source gives."""
        return np.bincount(self.sources[chosen], minlength=len(self.quotas)) - self.quotas


def bring_together(ground: Ground, chosen: Rows, overshoot: float = OVERSHOOT) -> Rows:
    """Make the best swap within the classes, again and again, until the mean scores of the classes meet.

    They should differ by `overshoot` of what they differ by among all candidates, the other way round. Sources give as
    evenly as that allows. The input stays as it is.
    """
    chosen, level = chosen.copy(), _standard(ground.scores, ground.positive)
    goal = -overshoot * _apart(level, np.ones(len(chosen), dtype=bool), ground.positive)
    for _ in range(int(chosen.sum())):
        off, uneven = _apart(level, chosen, ground.positive) - goal, ground.uneven(chosen)
        now = float((off**2).sum() + _weight(ground, chosen) * (uneven**2).sum())
        sides = ((ground.positive, 1.0), (~ground.positive, -1.0))
        after, out, into = min(_best_swap(ground, level, side, sign, chosen, off, uneven) for side, sign in sides)
        if not after < now - LEAST_GAIN:
            break
        chosen[[out, into]] = False, True
    return chosen


def _standard(scores: Floats, positive: Rows) -> Floats:
    """Bring scores to a spread of 1 within the classes."""
    spread = np.sqrt((scores[positive].var(axis=0) + scores[~positive].var(axis=0)) / 2)
    return np.asarray(scores / np.where(spread > 1e-9, spread, 1))


def _apart(level: Floats, chosen: Rows, positive: Rows) -> Floats:
    return np.asarray(level[chosen & positive].mean(axis=0) - level[chosen & ~positive].mean(axis=0))


def _weight(ground: Ground, chosen: Rows) -> float:
    return float(EVENNESS * len(ground.quotas) / (chosen.sum() / 2) ** 2)


def _best_swap(
    ground: Ground, level: Floats, side: Rows, sign: float, chosen: Rows, off: Floats, uneven: Floats
) -> tuple[float, int, int]:
    """Return the cost after the best swap within one class, which picture goes and which comes."""
    leave, enter = np.flatnonzero(side & chosen), np.flatnonzero(side & ~chosen)
    if not enter.size:
        return np.inf, 0, 0
    cost = np.zeros((len(leave), len(enter)))
    for kind in range(level.shape[1]):
        cost += (off[kind] + sign * (level[enter, kind][None, :] - level[leave, kind][:, None]) / len(leave)) ** 2
    there, here = ground.sources[leave][:, None], ground.sources[enter][None, :]
    moved = np.where(there == here, 0, 2 * (uneven[here] - uneven[there] + 1))
    cost += _weight(ground, chosen) * (moved + (uneven**2).sum())
    row, column = divmod(int(np.argmin(np.round(cost, 9))), len(enter))
    return float(cost[row, column]), int(leave[row]), int(enter[column])
