"""How much of a model's answers is the noise of its training: repeats of a cross-validation in, a reliability out.

A noisy model follows everything less closely, the file too, and looks innocent beside a steady one. Spearman (1904),
The proof and measurement of association between two things, takes the noise out: a correlation is divided by the root
of the reliability of what was correlated.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from audit.reliance.judge import spearman
from imageledger.types import Bools, Floats
from train.runs import Run, repeats_of

Key = tuple[str, str]

LEAST = 0.05
"""Answers that agree less than this from one training to the next are taken to agree by this much."""


def repeats(folder: Path, run: Run, keys: Sequence[Key]) -> Floats | None:
    """Return P(positive) of pictures by repeat of a cross-validation (repeats x n); None where there is one answer.

    Raises RunError when the predictions of a fold are gone.
    """
    said = repeats_of(folder, run)
    found = np.array([[one.probability for one in said[key]] for key in keys]).T
    return found if len(found) > 1 else None


def reliability(answers: Floats, positive: Bools) -> float:
    """Return the reliability, 0..1, of the mean of answers (repeats x n) as a ranking within the classes.

    The mean rank correlation of two repeats, classes weighted by their pictures, carried from one repeat to the mean
    of all by the formula of Spearman and Brown (1910).
    """
    agreement = float(
        np.mean([
            sum(side.mean() * spearman(one[side], other[side]) for side in (positive, ~positive))
            for one, other in combinations(answers, 2)
        ])
    )  # fmt: skip
    single, many = max(agreement, LEAST), len(answers)
    return many * single / (1 + (many - 1) * single)
