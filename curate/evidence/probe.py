"""Numbers and labels in, verdicts out: can a family of nuisance features alone tell the classes apart?

Protocol: repeated stratified folds that keep groups whole; logistic regression on all numbers, a small ensemble of
extremely randomised trees (Geurts et al. 2006) and the best single number, of which the best counts; an interval by
bootstrap over groups; a permutation p-value (`curate.evidence.permuted`), corrected over the families after Holm
(1979); the smallest leak that would have been found (`curate.evidence.planted`). The verdicts are those of
`curate.evidence.verdict`.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from heapq import nsmallest
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from curate.evidence.permuted import Folds, Quick, auc, folds_of
from curate.evidence.planted import detectable
from curate.evidence.verdict import ALL, SURE, Probe, Strongest, judged
from imageledger.engines.local import ordered_map
from imageledger.intervals import holm, newcombe
from imageledger.record import Record
from imageledger.types import Bools, Floats, Ints, Track, untracked

NEAR_ONE = 0.95
"""From this AUC on (and below its mirror image) an interval is at least as wide as Newcombe's."""

FEWEST = 10
"""Pictures a class below which no fold of a cross-validation means anything."""

PERMUTATIONS = 2000
"""Enough for a p-value below SURE after the correction for a dozen families, which 1,000 are not."""

ENOUGH = 3000
"""Pictures of a class beyond which no verdict changes: chance alone then reaches an AUC of about 0.51."""

Model = Literal["linear", "trees", "single"]

RESAMPLES = 1000
DRAWN_AT_ONCE = 100_000
"""So many pictures of resampled sets are counted at once: they fit a processor's cache."""
REPEATS, MANY, PLAIN = 3, 1000, 0.99
"""Folds are drawn so often anew; once is enough for more pictures than MANY, and where the classes lie PLAIN apart."""

TREES, LEAF = 40, 3


PHASE = "probing what the numbers tell"
"""What progress calls the probing of families."""


def enough(records: Sequence[Record], most: int = ENOUGH) -> list[Record]:
    """Return at most so many records of each label, in order: those whose original has the smallest digest.

    The choice is as good as chance, the same in every run and at every stage, and no picture is opened for it.
    """
    chosen: set[tuple[str, str]] = set()
    for label in {record.label for record in records}:
        of_label = (record for record in records if record.label == label)
        chosen |= {record.key for record in nsmallest(most, of_label, key=lambda record: (record.origin, record.key))}
    return [record for record in records if record.key in chosen]


def probe(
    columns: Mapping[str, Sequence[str]],
    values: Mapping[str, Floats],
    positive: Bools,
    groups: Sequence[str],
    *,
    seed: int = 42,
    permutations: int = PERMUTATIONS,
    workers: int = 1,
    joint: bool = True,
    apart: Collection[str] = (),
    sure: float = SURE,
    track: Track = untracked,
) -> list[Probe]:
    """Probe every family that applies (not NaN throughout), and then, named ALL, every family side by side.

    `values` holds an n x k table a family, `positive` n labels, `groups` n names; families named in `apart` are judged
    by themselves alone. A shortcut needs a corrected p-value below `sure`. Raises ValueError when a class has fewer
    than two pictures.
    """
    if min(int(positive.sum()), int((~positive).sum())) < 2:
        raise ValueError("a probe needs at least two pictures of each class")
    families = [name for name in values if np.isfinite(values[name]).any()]
    jobs = [(name, tuple(columns[name]), values[name]) for name in families]
    together = [name for name in families if name not in apart]
    if joint and together:
        jobs.insert(0, (ALL, *side_by_side(columns, values, together)))
    work = partial(
        _probe_one, positive=positive, groups=tuple(groups), seed=seed, permutations=permutations,
        limits={name: sure if name == ALL else sure / len(families) for name in (*families, ALL)},
    )  # fmt: skip
    probed = ordered_map(work, ((job, None) for job in jobs), workers=workers)
    results = {result.family: result for result in track(probed, len(jobs), PHASE)}
    corrected = holm([results[name].p for name in families])
    probes = [
        judged(replace(results[name], p=p), positive, sure=sure, families=len(families))
        for name, p in zip(families, corrected, strict=True)
    ]
    return [*probes, judged(results[ALL], positive, sure=sure)] if joint and together else probes


def jointly(
    columns: Mapping[str, Sequence[str]],
    values: Mapping[str, Floats],
    positive: Bools,
    groups: Sequence[str],
    *,
    seed: int,
    permutations: int = PERMUTATIONS,
    apart: Collection[str] = (),
    sure: float = SURE,
    track: Track = untracked,
) -> Probe:
    """Probe all families side by side, without those named in `apart`, and none by itself; as `probe` takes them."""
    names, everything = side_by_side(columns, values, [name for name in values if name not in apart])
    (joint,) = probe(
        {ALL: names}, {ALL: everything}, positive, groups, seed=seed, permutations=permutations, joint=False,
        sure=sure, track=track,
    )  # fmt: skip
    return joint


def side_by_side(
    columns: Mapping[str, Sequence[str]], values: Mapping[str, Floats], families: Sequence[str]
) -> tuple[tuple[str, ...], Floats]:
    """Return the columns of several families as one table, named "family.feature"."""
    names = tuple(f"{name}.{column}" for name in families for column in columns[name])
    return names, np.concatenate([values[name] for name in families], axis=1)


def crossvalidated(matrix: Floats, positive: Bools, folds: Folds, seed: int) -> dict[Model, Floats]:
    """Return out-of-fold scores of every model for the rows that the folds hold out (NaN for the others).

    `matrix` holds prepared columns (`curate.evidence.permuted.prepare`), n x k.
    """
    scores = {name: np.full(len(positive), np.nan) for name in models(1, seed)}
    for held in folds:
        rest = np.setdiff1d(np.arange(len(positive)), held)
        for name, model in models(matrix.shape[1], seed).items():
            model.fit(matrix[rest], positive[rest])
            scores[name][held] = logit(model.predict_proba(matrix[held])[:, 1])
    return scores


def interval(
    scores: Floats, positive: Bools, groups: Sequence[str], seed: int, part: Ints | None = None
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of an AUC: whole groups are drawn again, with replacement.

    Scores of different parts (0, 1, …) are never compared: the AUC is the mean over the parts, weighted by their pairs.
    Near 0 and 1, where it has no width, it is at least Newcombe's with as many pictures as groups (`NEAR_ONE`).
    """
    part = np.zeros(len(scores), dtype=np.intp) if part is None else part
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    _, rank = np.unique(scores, return_inverse=True)
    place = part * len(scores) + rank
    order = np.argsort(place, kind="stable")
    levels, starts = np.unique(place[order], return_index=True)
    begins = np.searchsorted(levels // len(scores), np.unique(part))
    first = np.repeat(begins, np.diff([*begins, len(levels)]))
    rng, count = np.random.default_rng(seed), int(group.max()) + 1
    areas: list[float] = []
    step = max(1, DRAWN_AT_ONCE // len(scores))
    for done in range(0, RESAMPLES, step):
        sets = min(step, RESAMPLES - done)
        groups_drawn = rng.integers(count, size=(sets, count)) + count * np.arange(sets)[:, None]
        drawn = np.bincount(groups_drawn.ravel(), minlength=sets * count).reshape(sets, count)[:, group[order]]
        ones, zeros = (np.add.reduceat(drawn * side, starts, axis=1) for side in (positive[order], ~positive[order]))
        pairs = (np.add.reduceat(ones, begins, axis=1) * np.add.reduceat(zeros, begins, axis=1)).sum(axis=1)
        before = np.cumsum(zeros, axis=1) - zeros
        won = (ones * (before - before[:, first] + zeros / 2)).sum(axis=1)
        areas.extend(won[pairs > 0] / pairs[pairs > 0])
    low, high = (float(end) for end in np.quantile(areas, (0.025, 0.975)))
    area = within(scores, positive, part)
    if max(area, 1 - area) < NEAR_ONE:
        return low, high
    least, most = _newcombe(area, positive, groups)
    return min(low, least), max(high, most)


def within(scores: Floats, positive: Bools, part: Ints) -> float:
    """Return the AUC of scores within the parts, averaged by their pairs: probes of two parts share no scale."""
    area = pairs = 0.0
    for each in np.unique(part):
        own = part == each
        weight = float(positive[own].sum() * (~positive[own]).sum())
        area += weight * _auc(scores[own], positive[own])
        pairs += weight
    return area / pairs if pairs else 0.5


def _newcombe(area: float, positive: Bools, groups: Sequence[str]) -> tuple[float, float]:
    """Return Newcombe's interval, with as many pictures of each class as it has groups."""
    names = np.asarray(groups)
    ones, zeros = (len(np.unique(names[side])) for side in (positive, ~positive))
    return newcombe(area, ones, zeros)


def _probe_one(
    job: tuple[str, Sequence[str], Floats],
    *,
    positive: Bools,
    groups: Sequence[str],
    seed: int,
    permutations: int,
    limits: Mapping[str, float],
) -> Probe:
    from threadpoolctl import threadpool_limits

    name, columns, values = job
    limit = limits[name]
    with threadpool_limits(1):
        quick = Quick(values)
        if not quick.matrix.shape[1]:
            return _nothing_varies(name, values)
        folds = folds_of(positive, groups, seed)
        tested = quick.tested(positive, groups, folds, seed=seed, permutations=permutations, limit=limit)
        leak = detectable(quick, positive, groups, folds, tested, seed=seed, limit=limit)
        model, scores = _best(quick.matrix, positive, groups, seed)
        low, high = interval(scores, positive, groups, seed)
    return Probe(
        family=name, features=len(columns), auc=_auc(scores, positive), low=low, high=high, model=model, p=tested.p,
        chance=tested.chance, verdict="", strongest=_strongest(columns, values, quick, positive, groups),
        measured=_measured(values), scores=scores, detectable=leak,
    )  # fmt: skip


def _best(matrix: Floats, positive: Bools, groups: Sequence[str], seed: int) -> tuple[Model, Floats]:
    """Average the out-of-fold scores over the repeats and return the model that separates best."""
    repeats, drawn = REPEATS if len(positive) <= MANY else 1, []
    for number in range(repeats):
        folds = folds_of(positive, groups, seed + number)
        drawn.append(crossvalidated(matrix, positive, folds, seed + number))
        means = {name: np.mean([scores[name] for scores in drawn], axis=0) for name in drawn[0]}
        best = max(means, key=lambda name: _auc(means[name], positive))
        if _auc(means[best], positive) >= PLAIN:
            break
    return best, means[best]


def models(columns: int, seed: int, trees: int | None = None) -> dict[Model, Any]:
    """Return every kind of probe, not fitted yet, for so many prepared columns."""
    from sklearn.linear_model import LogisticRegression

    from curate.evidence.forest import Forest
    from curate.evidence.single import Single

    return {
        "linear": LogisticRegression(C=4 / max(columns, 1), max_iter=300),  # the penalty of `permuted._ridge`
        "trees": Forest(trees or TREES, LEAF, seed),
        "single": Single(),
    }


def _strongest(
    columns: Sequence[str], values: Floats, quick: Quick, positive: Bools, groups: Sequence[str]
) -> Strongest:
    labels = np.repeat(positive[:, None], quick.matrix.shape[1], axis=1)
    apart = np.abs(auc(quick.matrix, labels) - 0.5)
    number = int(quick.origins[int(np.argmax(apart))])
    column = values[:, number]
    medians = [float(np.nanmedian(column[side])) if np.isfinite(column[side]).any() else math.nan
               for side in (~positive, positive)]  # fmt: skip
    area = 0.5 + float(apart.max())
    low, high = _newcombe(area, positive, groups)
    return Strongest(feature=columns[number], auc=area, low=low, high=high, medians=(medians[0], medians[1]))


def _nothing_varies(name: str, values: Floats) -> Probe:
    rows, features = values.shape
    return Probe(
        family=name, features=features, auc=0.5, low=0.5, high=0.5, model="linear", p=1.0, chance=0.5, verdict="",
        strongest=None, measured=_measured(values), scores=np.zeros(rows),
    )  # fmt: skip


def _measured(values: Floats) -> float:
    """Return the share of pictures that have any of the numbers."""
    return float(np.isfinite(values).any(axis=1).mean())


def _auc(scores: Floats, positive: Bools) -> float:
    return float(auc(scores[:, None], positive[:, None])[0])


def logit(share: NDArray[np.float64]) -> Floats:
    """Return the log odds of shares of 0..1, kept a little away from both ends."""
    inside = np.clip(share, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))
