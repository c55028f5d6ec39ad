"""What probes tell of chosen pictures that share none with them: the figure to quote after a choice by numbers.

Pictures that were chosen so that numbers agree are not judged by these numbers inside the same set: the contrast is
cancelled in this sample alone, which pushes a cross-validation to 0.5 and below. The candidates are divided into parts
before anything is chosen, each part chooses alone, and the probes that judge one part learn from the other: from what
that one chose, as a model that is trained on the set would, and from all of its candidates, as an adversary would who
knows the population. The best kind of probe counts, and the better of both lessons.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from curate.evidence.permuted import CHUNK, Quick, permuted, prepare
from curate.evidence.planted import detectable
from curate.evidence.probe import REPEATS, TREES, interval, logit, models, within
from curate.evidence.stopping import MOST_EVER, p_value
from curate.evidence.verdict import ALL, SURE, Probe, Told, Transfer, judged
from imageledger.engines.local import ordered_map
from imageledger.intervals import holm
from imageledger.types import Bools, Floats, Ints, Track, untracked

CHOSEN, CANDIDATES = "chosen", "candidates"
LESSONS = (CHOSEN, CANDIDATES)
"""From which pictures of the other parts a probe learns."""

PRECISION = 5
"""So many times as many permutations as elsewhere: they are cheap here, and two p-values are added."""

FEWEST = 5
"""Pictures of a class and part that are chosen, below which nothing is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Who could be chosen (n rows), who is (`chosen`), of which label, group and part (0, 1, …)."""

    chosen: Bools
    positive: Bools
    groups: Sequence[str]
    part: Ints

    @property
    def judged(self) -> bool:
        """Whether every part has chosen enough pictures of both classes to judge and to learn from."""
        counts = [
            int((self.chosen & (self.part == part) & (self.positive == side)).sum())
            for part in np.unique(self.part) for side in (False, True)
        ]  # fmt: skip
        return len(counts) > 2 and min(counts) >= FEWEST


PHASE = "judging each half of the choice by the other"
"""What progress calls the judging by probes that share no picture with the choice."""


def transfer(
    tables: Mapping[str, Floats], given: Pool, *, seed: int = 42, permutations: int = 2000, workers: int = 1,
    sure: float = SURE, leaks: bool = True, track: Track = untracked,
) -> list[Transfer]:  # fmt: skip
    """Judge the chosen pictures by each table of numbers (n x k, NaN where a number does not apply).

    Expects `given.judged`. p-values are not corrected for the number of tables. With `leaks` the smallest leak that
    would have been found is sought, too.
    """
    limit = sure / max(1, len(tables))
    drawn = max(PRECISION * permutations, min(MOST_EVER, math.ceil(PRECISION / limit)))
    work = partial(_transferred, given=given, seed=seed, permutations=drawn, limit=limit, leaks=leaks)
    judged = ordered_map(work, ((item, None) for item in tables.items()), workers=workers)
    return list(track(judged, len(tables), PHASE))


def elsewhere(
    probes: Sequence[Probe], transfers: Mapping[str, Transfer], positive: Bools, *, sure: float = SURE
) -> list[Probe]:
    """Let transfer figures take the place of those inside the set; p-values are corrected over the families.

    A probe for which there is no transfer figure cannot be CLEAN.
    """
    families = [probe.family for probe in probes if probe.family in transfers and probe.family != ALL]
    p_of = dict(zip(families, holm([transfers[name].p for name in families]), strict=True))
    moved = []
    for probe in probes:
        there, inside = transfers.get(probe.family), Told(auc=probe.auc, low=probe.low, high=probe.high)
        if there is None:  # a family that does not vary was chosen by nothing
            moved.append(
                judged(replace(probe, inside=inside, unjudged=probe.strongest is not None), positive, sure=sure)
            )
            continue
        told = there.worst
        moved.append(judged(
            replace(probe, auc=told.auc, low=told.low, high=told.high, p=p_of.get(probe.family, there.p),
                    chance=there.chance, scores=there.scores, inside=inside, transfer=there,
                    detectable=there.detectable),
            positive, sure=sure, families=1 if probe.family == ALL else len(families),
        ))  # fmt: skip
    return moved


def learned(matrix: Floats, given: Pool, lesson: str, seed: int) -> Floats:
    """Return the scores (kinds x n, NaN for all but the chosen) of probes that learned from the other parts."""
    scores = np.full((len(models(1, seed)), len(matrix)), np.nan)
    for part in np.unique(given.part):
        away = given.part != part
        known = away & given.chosen if lesson == CHOSEN else away
        judged = ~away & given.chosen
        if not judged.any():
            continue
        for kind, model in enumerate(models(matrix.shape[1], seed, REPEATS * TREES).values()):
            model.fit(matrix[known], given.positive[known])
            scores[kind, judged] = logit(model.predict_proba(matrix[judged])[:, 1])
    return scores


def _transferred(
    item: tuple[str, Floats], *, given: Pool, seed: int, permutations: int, limit: float, leaks: bool
) -> Transfer:  # fmt: skip
    from threadpoolctl import threadpool_limits

    family, values = item
    rows = np.flatnonzero(given.chosen)
    positive, part = given.positive[rows], given.part[rows]
    groups = [given.groups[row] for row in rows.tolist()]
    with threadpool_limits(1):
        matrix, _ = prepare(values)
        if not matrix.shape[1]:
            nothing = Told(auc=0.5, low=0.5, high=0.5)
            return Transfer(family=family, chosen=nothing, candidates=nothing, p=1.0, chance=0.5,
                            scores=np.zeros(len(rows)))  # fmt: skip
        scores = {lesson: learned(matrix, given, lesson, seed)[:, rows] for lesson in LESSONS}
        leak = _leak(Quick(values[rows]), positive, groups, part, seed, limit) if leaks else None
    told, best = {}, {}
    for lesson, kinds in scores.items():
        best[lesson] = max(kinds, key=lambda kind: within(kind, positive, part))
        told[lesson] = _told(best[lesson], positive, groups, part, seed)
    p, chance = _by_chance(np.concatenate(list(scores.values())), positive, groups, part, seed, permutations)
    worst = max(LESSONS, key=lambda lesson: told[lesson].auc)
    return Transfer(family=family, chosen=told[CHOSEN], candidates=told[CANDIDATES], p=p, chance=chance,
                    scores=best[worst], detectable=leak)  # fmt: skip


def _leak(quick: Quick, positive: Bools, groups: Sequence[str], part: Ints, seed: int, limit: float) -> float | None:
    """Return the smallest leak in all parts that probes which learned from the others' choice would have found."""
    parts = [np.flatnonzero(part == each) for each in np.unique(part)]
    tested = quick.tested(positive, groups, parts, seed=seed, limit=limit)
    return detectable(quick, positive, groups, parts, tested, seed=seed, limit=limit, scale=len(parts))


def _told(scores: Floats, positive: Bools, groups: Sequence[str], part: Ints, seed: int) -> Told:
    """Return the AUC with its interval, as wide as if all parts erred together, which they do where little is told.

    A linear probe of one part scores another by the product of both contrasts, and so the other way round: one error.
    """
    area = within(scores, positive, part)
    low, high = interval(scores, positive, groups, seed, part)
    wider = float(np.sqrt(len(np.unique(part))))
    return Told(auc=area, low=max(0.0, area - wider * (area - low)), high=min(1.0, area + wider * (high - area)))


def _by_chance(
    scores: Floats, positive: Bools, groups: Sequence[str], part: Ints, seed: int, permutations: int
) -> tuple[float, float]:
    """Return the permutation p-value of the best AUC of all probes, and the 95th percentile of that AUC by chance.

    Labels are permuted within a part, whose probes know nothing of them. The parts are not independent of each other:
    what one shows to the other, the other shows to it. Their p-values are therefore combined as twice their mean, which
    holds under any dependence (Vovk and Wang 2020), and chance as if both parts had it at once.
    """
    from scipy.stats import rankdata

    ps, chances, weights = [], [], []
    for each in np.unique(part):
        own = np.flatnonzero(part == each)
        ranks, truth = rankdata(scores[:, own], axis=1), positive[own]
        ones = int(truth.sum())
        pairs = ones * (len(own) - ones)
        names = [groups[row] for row in own.tolist()]
        null = np.concatenate([
            ((ranks @ labels - ones * (ones + 1) / 2) / pairs).max(axis=0)
            for labels in permuted(truth, names, [np.arange(len(own))], seed, -(-permutations // CHUNK) * CHUNK)
        ])  # fmt: skip
        seen = float(((ranks @ truth - ones * (ones + 1) / 2) / pairs).max())
        away = (seen - float(null.mean())) / (float(null.std()) + 1e-12)
        ps.append(p_value(int((null >= seen - 1e-9).sum()), len(null), away))
        chances.append(float(np.quantile(null, 0.95)))
        weights.append(pairs)
    return min(1.0, 2 * float(np.average(ps, weights=weights))), float(np.average(chances, weights=weights))
