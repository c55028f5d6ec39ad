"""How many suspects would there be if every label were right? Drawn from what the model itself says it does not know.

Labels are drawn again and again from the calibrated probabilities of the answers, copies together, and every such set
is judged as the real one is. Wrong labels make these probabilities less sure, so a few wrong ones among many hide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imageledger.extras import need
from imageledger.types import Bools, Floats, Track, untracked
from train.evaluation.temperature import cross_fitted

DRAWS = 100
"""Sets that are drawn: enough for the 95 % of them in the middle."""

Range = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """How many pictures the model would suspect, and confident learning count as wrong, were all labels right.

    `suspects` and `flagged` are what 95 % of the drawn sets show; `seen` are both numbers in the real set, by the model
    alone.
    """

    suspects: Range
    flagged: Range
    seen: Range

    @property
    def more(self) -> bool:
        """Whether the real set shows more than sets whose labels are all right."""
        return self.seen[0] > self.suspects[1] or self.seen[1] > self.flagged[1]


def clean_set(
    shares: Floats, positive: Bools, groups: Sequence[str], seed: int, *, draws: int = DRAWS, track: Track = untracked
) -> Clean | None:
    """Draw sets of right labels for answers P(positive); None where the classes are too small to calibrate them."""
    known = cross_fitted(shares, positive, groups, seed).shares
    if not np.isfinite(known).all():
        return None
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = [rng.random(int(group.max()) + 1)[group] < known for _ in range(draws)]
    both = [labels for labels in drawn if labels.any() and not labels.all()]
    counted = np.array([counts(shares, labels) for labels in track(both, len(both), "drawing sets of right labels")])
    if not len(counted):
        return None
    low, high = np.quantile(counted, (0.025, 0.975), axis=0, method="nearest").astype(int)
    return Clean(
        suspects=(int(low[0]), int(high[0])), flagged=(int(low[1]), int(high[1])), seen=counts(shares, positive)
    )  # fmt: skip


def counts(shares: Floats, positive: Bools) -> Range:
    """Return how many labels the answers contradict, and how many confident learning counts as wrong."""
    return int(((shares >= 0.5) != positive).sum()), int(flags(shares, positive).sum())


def flags(shares: Floats, positive: Bools) -> Bools:
    """Return whether confident learning counts each label as wrong (n), for P(positive)."""
    filtering, both = need("cleanlab.filter", "labels"), np.stack([1 - shares, shares], axis=1)
    flagged = filtering.find_label_issues(positive.astype(int), both, filter_by="prune_by_noise_rate", n_jobs=1)
    return np.asarray(flagged, dtype=bool)
