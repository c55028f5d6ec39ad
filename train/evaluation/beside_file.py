"""Is a model right more often than a probe of the file alone, on the same pictures? Pure. Knows no torch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from imageledger.types import Key
from train.evaluation import statistics
from train.pictures import VALID
from train.runs import Prediction
from train.table import Rounds


def beside_file(
    predictions: Sequence[Prediction], positive: str, groups: Mapping[Key, str], file_right: Mapping[Key, bool], *,
    rounds: Rounds | None = None, seed: int = 42,
) -> dict[str, Any]:  # fmt: skip
    """Compare a model with a probe of the file, picture by picture; empty where they judged no picture in common.

    `predictions` are those of a run; its valid ones count. `rounds` is what the folds of each repeat answered to
    them, in their order. `file_right` tells of each picture whether the probe, which had not seen it, was right.

    Returns {"n", "groups", "model_alone", "file_alone": pictures that one got right and the other wrong, "difference",
    "low", "high": of the accuracies, model minus file, with its 95 % interval, "p": McNemar's exact test over groups}.
    """
    judged = [row for row, prediction in enumerate(predictions) if prediction.split == VALID]
    both = [row for row in judged if predictions[row].key in file_right]
    if not both:
        return {}
    rows = [predictions[row] for row in both]
    shares = np.array([[row.probability for row in rows]])
    folds = np.zeros(shares.shape, dtype=np.intp)
    if rounds:
        place = {row: number for number, row in enumerate(judged)}
        picked = [place[row] for row in both]
        shares, folds = rounds.shares[:, picked], rounds.folds[:, picked]
    label = np.array([row.label == positive for row in rows])
    alone = np.array([file_right[row.key] for row in rows], dtype=np.float64)
    apart = ((shares > 0.5) == label).astype(np.float64) - alone
    names = [groups.get(row.key, "#".join(row.key)) for row in rows]
    number = np.asarray(np.unique(np.asarray(names), return_inverse=True)[1])
    parts = len(np.unique(folds[0]))
    stretch = statistics.correction(1, parts - 1) if parts > 1 else 1.0
    estimate, _ = statistics.difference(apart, number, stretch, seed=seed)
    together = apart.sum(axis=0)
    return {
        "n": len(rows), "groups": int(number.max()) + 1, "model_alone": int((together > 0).sum()),
        "file_alone": int((together < 0).sum()), "difference": estimate.value, "low": estimate.low,
        "high": estimate.high, "p": statistics.sign_flip(together.astype(np.intp), number),
    }  # fmt: skip
