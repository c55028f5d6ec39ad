"""What probes tell of each candidate without having seen it: the few directions in which classes must meet.

Matching on hundreds of numbers one by one cancels their differences in this sample, and hardly any of the difference
that another sample shows. A probe that learned from other candidates gathers that difference in one score, as the
propensity score does (Rosenbaum and Rubin 1983), cross-fitted (Chernozhukov et al. 2018).
"""

from collections.abc import Mapping

import numpy as np

from curate.evidence.permuted import folds_of, prepare
from curate.evidence.probe import crossvalidated
from imageledger.types import Bools, Floats, Ints

REPEATS = 4
"""So many times the folds are drawn; the scores are means over them."""


def crossfitted(values: Mapping[str, Floats], positive: Bools, groups: Ints) -> Floats:
    """Return the logits (candidates x 2) of a linear probe and of one of trees, by folds that a candidate was not in.

    `values` holds tables of numbers, candidates x features, NaN where a number does not apply. Rounded, so that the
    last bit of a sum never decides which picture is chosen.
    """
    matrix, _ = prepare(np.concatenate(list(values.values()), axis=1))
    scores = np.zeros((len(positive), 2))
    if not matrix.shape[1]:
        return scores
    names = [str(group) for group in groups]
    for seed in range(REPEATS):
        folds = folds_of(positive, names, seed)
        if any(len(set(np.delete(positive, held))) < 2 for held in folds):
            return np.zeros((len(positive), 2))  # the groups leave a probe nothing to learn from
        drawn = crossvalidated(matrix, positive, folds, seed)
        scores += np.stack([drawn["linear"], drawn["trees"]], axis=1) / REPEATS
    return np.round(scores, 6)
