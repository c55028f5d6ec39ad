"""How often the verdicts of `audit shortcuts` are right, on tables of numbers whose truth is known.

    python benchmarks/verdicts.py [--sets 40]

Each row is a kind of table: what is in it, which verdicts are right, how often they were given (Wilson's interval),
and what the rules before would have said of the same probes: CLEAN for an interval below 0.60 alone.
"""

import argparse
from collections import Counter
from collections.abc import Callable

import numpy as np

from curate.evidence.permuted import AT_MOST_TIMES, CHUNK, SETTLED
from curate.evidence.probe import PERMUTATIONS, interval, probe
from curate.evidence.verdict import AT_LEAST, AT_MOST, CLEAN, INCONCLUSIVE, SHORTCUT, SURE, Probe
from imageledger.console import table
from imageledger.engines.local import cores, ordered_map
from imageledger.intervals import share_in_words, wilson
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


def error_of_permutations(families: int = 12, sets: int = 400_000) -> float:
    """Return how often a true null gets a p-value that makes a shortcut of one of `families`, over how often it may."""
    rng, limit, most = np.random.default_rng(0), SURE / families, 0.01
    p = rng.uniform(0, most, sets)  # larger ones never get there
    reached, count = rng.binomial(PERMUTATIONS, p), np.full(sets, PERMUTATIONS)
    open_still = (reached > 0) & (reached < SETTLED)
    while open_still.any():
        reached[open_still] += rng.binomial(CHUNK, p[open_still])
        count[open_still] += CHUNK
        open_still &= (reached < SETTLED) & (count < AT_MOST_TIMES * PERMUTATIONS)
    return float(((1 + reached) / (1 + count) < limit).mean() * most / limit)


def of_sets(hits: int, sets: int) -> str:
    """Write how many of some drawn sets, each independent of the others, with the 95 % interval of their share."""
    return share_in_words(hits, sets, wilson(hits, sets))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=40, help="tables of each kind")
    sets = parser.parse_args().sets
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
    now, bootstrap = coverage(10 * sets)
    print(f"A 95 % interval holds an AUC of 0.998: {of_sets(now, 10 * sets)}; the bootstrap alone: "
          f"{of_sets(bootstrap, 10 * sets)}")  # fmt: skip

    print(f"Error of the permutation test at the limit of 12 families, over the nominal: {error_of_permutations():.2f}")


if __name__ == "__main__":
    main()
