"""How often the verdicts of `audit shortcuts` are right, on tables of numbers whose truth is known.

    python benchmarks/verdicts.py [--sets 40] [--growing 200]

The first table has a row for each kind of table: what is in it, which verdicts are right, how often they were given
(Wilson's interval), and what the rules before would have said of the same probes: CLEAN for an interval below 0.60
alone. Then: whether so many pictures as are called needed decide, whether a leak as large as is called detectable is
found, how often sets in which nothing is ever raise an alarm while they grow and are looked at ten times, whether
intervals near 1 hold the truth, and what stopping permutations early or late does to their error.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
from threadpoolctl import threadpool_limits

from curate.evidence import permuted, stopping
from curate.evidence.looks import Look
from curate.evidence.permuted import CHUNK, Quick, folds_of
from curate.evidence.probe import PERMUTATIONS, interval, probe
from curate.evidence.stopping import CLEAR, EARLIEST, PLAIN, SETTLED, most_for
from curate.evidence.verdict import AT_LEAST, AT_MOST, CLEAN, INCONCLUSIVE, SHORTCUT, SURE, Probe
from imageledger.console import table
from imageledger.engines.local import cores, ordered_map
from imageledger.intervals import holm, share_in_words, wilson
from imageledger.types import Bools, Floats

Made = tuple[Floats, Bools, list[str]]


def _alone(rows: int) -> list[str]:
    return [str(row) for row in range(rows)]


def noise(seed: int, each: int = 100, columns: int = 12) -> Made:
    """Numbers that say nothing."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2 * each, columns)), np.arange(2 * each) % 2 == 1, _alone(2 * each)


def sparse(seed: int) -> Made:
    """One of 384 numbers with an AUC of 0.60, 500 pictures per class."""
    values, positive, groups = noise(seed, each=500, columns=384)
    values[positive, 7] += 0.358
    return values, positive, groups


def crossed(seed: int) -> Made:
    """Two numbers that separate only together."""
    values, positive, groups = noise(seed, columns=2)
    values[:, 1] *= np.sign(values[:, 0] * values[:, 1]) * np.where(positive, 1, -1)
    return values, positive, groups


def planted(seed: int) -> Made:
    """One of twelve numbers shifted by three deviations in a tenth of one class."""
    values, positive, groups = noise(seed)
    values[np.flatnonzero(positive)[:10], 3] += 3
    return values, positive, groups


def twins(seed: int, declared: bool = True) -> Made:
    """A picture and its twin, which is shifted a little in one number."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(60, 3))
    second = first + rng.normal(0, 0.1, size=(60, 3)) + [0.25, 0, 0]
    groups = [str(row % 60) for row in range(120)] if declared else _alone(120)
    return np.concatenate([first, second]), np.arange(120) >= 60, groups


def undeclared(seed: int) -> Made:
    """The same twins, of which nobody said that they are pairs."""
    return twins(seed, declared=False)


def clusters(seed: int, declared: bool = True) -> Made:
    """Numbers that say nothing, of 50 pictures that stand in the set four times, near enough, each in one class."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(50), 4)
    values = rng.normal(size=(50, 12))[owner] + 0.1 * rng.normal(size=(200, 12))
    return values, (owner % 2 == 1), [str(name) for name in owner] if declared else _alone(200)


def undeclared_clusters(seed: int) -> Made:
    """The same clusters, of which nobody said that they belong together."""
    return clusters(seed, declared=False)


def even_twins(seed: int) -> Made:
    """A picture and its twin of the other class, which differ by chance alone; nobody said that they are pairs."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(60, 3))
    return np.concatenate([first, first + rng.normal(0, 0.1, size=(60, 3))]), np.arange(120) >= 60, _alone(120)


def wide_noise(seed: int) -> Made:
    """Numbers that say nothing, of 1,500 pictures per class."""
    return noise(seed, each=1500, columns=6)


UNDECIDED = (SHORTCUT, INCONCLUSIVE)
"""What is right where something is there that few pictures may not show: anything but CLEAN."""

KINDS: dict[str, tuple[Callable[[int], Made], tuple[str, ...]]] = {
    "nothing, 100 per class": (noise, (INCONCLUSIVE,)),
    "nothing, 1,500 per class": (wide_noise, (CLEAN,)),
    "1 of 384 numbers at AUC 0.60, 500 per class": (sparse, UNDECIDED),
    "two numbers that separate only together": (crossed, (SHORTCUT,)),
    "one number shifted in a tenth of a class": (planted, UNDECIDED),
    "twins, declared as pairs": (twins, UNDECIDED),
    "twins, undeclared": (undeclared, UNDECIDED),
    "twins that differ by chance, undeclared": (even_twins, (INCONCLUSIVE, CLEAN)),
    "clusters of one class, nothing else, declared": (clusters, (INCONCLUSIVE, CLEAN)),
    "clusters of one class, nothing else, undeclared": (undeclared_clusters, (INCONCLUSIVE, CLEAN)),
}
"""Tables of numbers, and the verdicts that are right for them."""


def before(result: Probe) -> str:
    """Return the verdict of the rules before: one-sided, and on the interval alone."""
    if result.p < SURE and result.low > AT_LEAST:
        return SHORTCUT
    return CLEAN if max(result.high, 0.5 + (result.high - result.low) / 2) < AT_MOST else INCONCLUSIVE


def judged(job: tuple[str, int]) -> tuple[str, str]:
    """Probe one table; return the verdict, and that of the rules before."""
    kind, seed = job
    values, positive, groups = KINDS[kind][0](seed)
    names = [str(column) for column in range(values.shape[1])]
    (result,) = probe({"x": names}, {"x": values}, positive, groups, seed=seed, joint=False)
    return result.verdict, before(result)


def coverage(sets: int, truth: float = 0.998, each: int = 100) -> tuple[int, int]:
    """Count how many intervals of a score with this AUC hold it: now, and of the bootstrap alone."""
    from scipy.special import ndtri

    shift, now, bootstrap = float(ndtri(truth)) * 2**0.5, 0, 0
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        positive = np.arange(2 * each) % 2 == 1
        scores = rng.normal(size=2 * each) + shift * positive
        low, high = interval(scores, positive, _alone(2 * each), seed)
        now += low <= truth <= high
        areas = []
        for _ in range(300):
            drawn = [rng.integers(each, size=each) for _ in range(2)]
            ones, zeros = scores[positive][drawn[0]], np.sort(scores[~positive][drawn[1]])
            areas.append(np.searchsorted(zeros, ones).mean() / each)
        least, most = np.quantile(areas, (0.025, 0.975))
        bootstrap += bool(least <= truth <= most)
    return now, bootstrap


def error_of_permutations(families: int = 12, number: int = 1, sets: int = 400_000) -> float:
    """Return how often a true null gets a p-value that makes a shortcut of one of `families` at a look, over the limit.

    The rules are those of `curate.evidence.permuted`, which stop early and go on late.
    """
    rng, limit, most = np.random.default_rng(0), Look(number=number).sure / families, 0.01
    p = rng.uniform(0, most, sets)  # larger ones never get there
    reached, count = rng.binomial(EARLIEST, p), np.full(sets, EARLIEST)
    last = most_for(PERMUTATIONS, limit)
    while True:
        clear = (reached == 0) & (1 / (1 + count) < limit / CLEAR)
        settled = (count >= PERMUTATIONS) & (clear | (reached >= SETTLED) | (count >= last))
        going = ~((reached >= PLAIN) | settled)
        if not going.any():
            return float(((1 + reached) / (1 + count) < limit).mean() * most / limit)
        reached[going] += rng.binomial(CHUNK, p[going])
        count[going] += CHUNK


def shifted(seed: int, shift: float, each: int) -> Made:
    """Four numbers of which one differs between the classes by so many deviations."""
    values, positive, groups = noise(seed, each=each, columns=4)
    values[positive, 0] += shift
    return values, positive, groups


def enough(job: tuple[float, int], most: int = 1500) -> tuple[bool, bool] | None:
    """Tell whether the fewest and the most pictures that 100 a class ask for decide; None where none are asked for."""
    shift, seed = job
    one = _verdict_of(*shifted(seed, shift, 100))
    if one.verdict != INCONCLUSIVE or not one.needed[1] or one.needed[1] > most:
        return None
    fewest, last = (_verdict_of(*shifted(10_000 + seed, shift, each)).verdict != INCONCLUSIVE for each in one.needed)
    return fewest, last


def leak_found(seed: int) -> bool | None:
    """Tell whether a leak as large as is called detectable is found in fresh numbers; None where none is detectable."""
    values, positive, groups = noise(seed)
    one = _verdict_of(values, positive, groups)
    if one.detectable is None:
        return None
    fresh, rng = noise(50_000 + seed)[0], np.random.default_rng(seed)
    own = rng.permutation(np.flatnonzero(positive))[: round(one.detectable * positive.sum())]
    fresh[own, int(rng.integers(fresh.shape[1]))] = 4 + rng.random(len(own))
    return _verdict_of(fresh, positive, groups).verdict == SHORTCUT


LOOKS, FAMILIES = 10, 3
QUICK = {"PLAIN": 10, "EARLIEST": 0}
"""Permutations end at ten that reach the true value: 2,000 would then give p = 0.0055 or more, and 0.0033 is needed."""


@patch.multiple(stopping, **QUICK)
@patch.object(permuted, "CHUNK", 50)
def grown(seed: int) -> tuple[bool, bool]:
    """Look ten times at a growing set in which nothing is: ever a shortcut, with looks counted and without?"""
    values, positive, groups = noise(seed, each=10 * LOOKS, columns=6 * FAMILIES)
    tables = np.split(values, FAMILIES, axis=1)
    counted = plain = False
    for number in range(1, LOOKS + 1):
        rows, sure = slice(0, 20 * number), Look(number=number).sure
        for own, p in zip(tables, _corrected([each[rows] for each in tables], positive[rows], sure), strict=True):
            if p < SURE and _verdict_of(own[rows], positive[rows], groups[rows]).low > AT_LEAST:
                counted, plain = counted or p < sure, True
    return counted, plain


def _corrected(tables: list[Floats], positive: Bools, sure: float) -> list[float]:
    """Return the p-value of each table, corrected over all."""
    groups = _alone(len(positive))
    folds = folds_of(positive, groups, len(positive))
    with threadpool_limits(1):  # two processes of two threads each would wait for each other
        return holm([Quick(own).tested(positive, groups, folds, limit=sure / len(tables)).p for own in tables])


def _verdict_of(values: Floats, positive: Bools, groups: list[str]) -> Probe:
    names = [str(column) for column in range(values.shape[1])]
    (result,) = probe({"x": names}, {"x": values}, positive, groups, joint=False)
    return result


def of_sets(hits: int, sets: int) -> str:
    """Write how many of some drawn sets, each independent of the others, with the 95 % interval of their share."""
    return share_in_words(hits, sets, wilson(hits, sets))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=40, help="tables of each kind")
    parser.add_argument("--growing", type=int, default=200, help="sets that grow and are looked at ten times")
    asked = parser.parse_args()
    sets = asked.sets
    jobs = [(kind, seed) for kind in KINDS for seed in range(sets)]
    results = list(ordered_map(judged, ((job, None) for job in jobs), workers=cores()))
    rows = []
    for number, (kind, (_, meant)) in enumerate(KINDS.items()):
        own = results[number * sets : (number + 1) * sets]
        now, old = Counter(verdict for verdict, _ in own), Counter(verdict for _, verdict in own)
        rows.append(
            {
                "what is in the numbers": kind,
                "right": " or ".join(meant),
                "right now": of_sets(sum(now[verdict] for verdict in meant), sets),
                "right before": of_sets(sum(old[verdict] for verdict in meant), sets),
                "SHORTCUT now": str(now[SHORTCUT]),
                "CLEAN now": str(now[CLEAN]),
                "CLEAN before": str(old[CLEAN]),
            }
        )
    table(rows, title=f"Verdicts on {sets} tables of each kind")
    power(sets)
    ever = []
    for one in ordered_map(grown, ((seed, None) for seed in range(asked.growing)), workers=cores()):
        ever.append(one)
        if len(ever) % 100 == 0:
            print(f"growing sets: {len(ever)} of {asked.growing}", file=sys.stderr)
    counts = [of_sets(sum(one[which] for one in ever), asked.growing) for which in (0, 1)]
    print(f"Growing sets in which nothing is, looked at {LOOKS} times, ever SHORTCUT: {counts[0]}; had looks not been "
          f"counted: {counts[1]}")  # fmt: skip
    now, bootstrap = coverage(10 * sets)
    print(f"A 95 % interval holds an AUC of 0.998: {of_sets(now, 10 * sets)}; the bootstrap alone: "
          f"{of_sets(bootstrap, 10 * sets)}")  # fmt: skip

    errors = ", ".join(f"{error_of_permutations(number=number):.2f} at look {number}" for number in (1, 2, 5))
    print(f"Error of the permutation test at the limit of 12 families, over the nominal: {errors}")


def power(sets: int) -> None:
    """Print whether the pictures that are called needed decide, and the leaks that are called detectable are found."""
    rows = []
    for shift in (0.0, 0.35, 0.75):
        jobs = (((shift, seed), None) for seed in range(sets))
        told = [one for one in ordered_map(enough, jobs, workers=cores()) if one is not None]
        rows.append({
            "a number that differs by": f"{shift} deviations", "asked": str(len(told)),
            **{name: of_sets(sum(one[which] for one in told), len(told))
               for which, name in enumerate(("decided with the fewest", "decided with the most"))},
        })  # fmt: skip
    table(rows, title="Do the pictures that 100 per class call needed decide? (where at most 1,500 are)")
    leaks = [one for one in ordered_map(leak_found, ((seed, None) for seed in range(sets)), workers=cores())
             if one is not None]  # fmt: skip
    print(f"Leaks as large as is called detectable, in fresh numbers, found: {of_sets(sum(leaks), len(leaks))}")


if __name__ == "__main__":
    main()
