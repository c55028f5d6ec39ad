"""Claim: the probes find planted nuisances and do not flag chance; cleanlab's check misses most, and flags 90/10.

    python benchmarks/shortcuts_vs_cleanlab.py [--per-class 100] [--null-sets 40] [--workers 2]

The peer is the check for spurious correlations of cleanlab 2.9.0 (Datalab), which scores the seven image properties
of CleanVision one by one; here its own function is called, with its own threshold. Both sides look at the same
files. First the twenty planted sets of `audit shortcuts --self-test`; then sets of pure chance, balanced and 90/10,
and one number that separates the classes at 69 % accuracy: cleanlab's baseline is the name of the most frequent
class instead of its share, so that it takes 90/10 for a shortcut. Without cleanlab only our half is printed.
"""

import argparse
import contextlib
import io
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from audit.self_test.halves import deliver
from audit.self_test.judge import AMONG_THE_STRONGEST, PlantProbes
from audit.self_test.nulls import labelled
from audit.self_test.plants import PLANTS, Plant
from audit.self_test.portraits import Sitter, sitters
from audit.self_test.work import measured, planted, probe_plant
from curate.evidence.probe import probe
from curate.evidence.verdict import SHORTCUT
from curate.nuisance.spelling import spelled
from imageledger.engines.local import cores, ordered_map

SEED = 42
INSTALL = "cleanlab is not installed here, so its columns stay empty: pip install 'cleanlab[image]==2.9.0'"
PROPERTIES = ("dark", "light", "low_information", "odd_aspect_ratio", "odd_size", "grayscale", "blurry")


def theirs(scores: Any, positive: np.ndarray) -> tuple[float, str]:
    """Return cleanlab's lowest score (0..1, low means a shortcut) and the properties that it flags."""
    from cleanlab.datalab.internal.adapter.constants import SPURIOUS_CORRELATION_ISSUE
    from cleanlab.datalab.internal.adapter.imagelab import handle_spurious_correlations

    threshold = SPURIOUS_CORRELATION_ISSUE["spurious_correlations"]["threshold"]
    issues = handle_spurious_correlations(imagelab_issues=scores, labels=positive.astype(int), threshold=threshold)
    table = issues["correlations_df"]
    flagged = table[table["score"] < threshold]["property"].str.removesuffix("_score")
    return float(table["score"].min()), ", ".join(flagged)


def properties(plant: Plant, people: Sequence[Sitter], positive: np.ndarray) -> Any:
    """Write the files of a planted set and let CleanVision score them."""
    from cleanvision import Imagelab

    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for sitter, touched in zip(people, positive, strict=True):
            file = deliver(plant.touched if touched else plant.plain, sitter, SEED)
            paths.append(Path(folder, f"{sitter.number:04}-{Path(file.name).name.rpartition('#')[2]}"))
            paths[-1].write_bytes(file.content)
        lab = Imagelab(filepaths=[str(path) for path in paths], verbose=False)
        with contextlib.redirect_stderr(io.StringIO()):  # its progress bars
            lab.find_issues({name: {} for name in PROPERTIES}, n_jobs=1, verbose=False)
    return lab.issues.loc[[str(path) for path in paths]]


def column(values: np.ndarray) -> Any:
    """Return numbers as the table of one property that cleanlab expects."""
    import pandas as pd

    return pd.DataFrame({"number_score": values})


def has_cleanlab() -> bool:
    """Tell whether the peer can be imported."""
    try:
        import cleanlab
        import cleanvision
    except ImportError:
        return False
    return bool(cleanlab and cleanvision)


def planted_sets(per_class: int, workers: int, peer: bool) -> None:
    """Print the verdicts of both about each planted set."""
    people = sitters(None, 2 * per_class, SEED)
    labels = [labelled(2 * per_class, per_class, [SEED, number]) for number in range(len(PLANTS))]
    ways = [
        tuple({plant.touched if own[number] else plant.plain for plant, own in zip(PLANTS, labels, strict=True)})
        for number in range(2 * per_class)
    ]
    jobs = ((job, None) for job in enumerate(ways))
    seen = list(ordered_map(partial(measured, people=people, seed=SEED), jobs, workers=workers))
    sets = ((planted(plant, seen, own), None) for plant, own in zip(PLANTS, labels, strict=True))
    results = list(ordered_map(partial(probe_plant, groups=people.groups, seed=SEED), sets, workers=workers))
    print(f"{'planted (' + str(per_class) + ' per class)':50} {'ours: named, AUC':28} cleanlab: lowest score, flagged")
    drawn = [people.sitter(number) for number in range(2 * per_class)] if peer else []
    right = hits = 0
    for result, own in zip(results, labels, strict=True):
        score, flagged = theirs(properties(result.plant, drawn, own), own) if peer else (float("nan"), "")
        right, hits = right + result.right, hits + bool(flagged)
        print(f"{result.plant.name:50} {in_words(result):28} {f'{score:.2f} {flagged}' if peer else ''}")
    print(f"correctly named by ours: {right} of {len(results)}", end="")
    print(f"; flagged by cleanlab, under any name: {hits} of {len(results)}\n" if peer else "\n")


def in_words(result: PlantProbes) -> str:
    """Say what our probes found in a planted set."""
    named, strongest = result.named, result.probes[0]
    if named.verdict != SHORTCUT:
        return f"missed ({named.auc:.2f})"
    behind = "" if named.auc >= strongest.auc - AMONG_THE_STRONGEST else f" behind {spelled(strongest.family)}"
    return f"{spelled(named.family)} {named.auc:.2f}{behind}"


def numbers_alone(null_sets: int, peer: bool) -> None:
    """Print how often both flag one drawn number: pure chance, and one that predicts the class at 69 %."""
    rng = np.random.default_rng(SEED)
    kinds: Sequence[tuple[str, int, int, float]] = (
        ("chance alone, 100 and 100", 100, 100, 0.0),
        ("chance alone, 180 and 20", 180, 20, 0.0),
        ("a 69 % shortcut, 100 and 100", 100, 100, 1.0),
    )
    print(f"{'one number, ' + str(null_sets) + ' sets each':50} {'ours: SHORTCUT':28} cleanlab: flagged, median score")
    for name, zeros, ones, apart in kinds:
        ours, flags, scores = 0, 0, []
        for seed in range(null_sets):
            positive = rng.permutation(np.arange(zeros + ones) < ones)
            values = rng.normal(size=(zeros + ones, 1)) + apart * positive[:, None]
            groups = [str(number) for number in range(zeros + ones)]
            (result,) = probe({"one": ["number"]}, {"one": values}, positive, groups, seed=seed, joint=False)
            ours += result.verdict == SHORTCUT
            if peer:
                score, flagged = theirs(column(values[:, 0]), positive)
                flags, scores = flags + bool(flagged), [*scores, score]
        print(f"{name:50} {f'{ours} of {null_sets}':28} "
              f"{f'{flags} of {null_sets}, {np.median(scores):.2f}' if peer else ''}")  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, default=100)
    parser.add_argument("--null-sets", type=int, default=40)
    parser.add_argument("--workers", type=int, default=cores())
    options = parser.parse_args()
    peer = has_cleanlab()
    if not peer:
        print(INSTALL)
    started = time.perf_counter()
    planted_sets(options.per_class, options.workers, peer)
    numbers_alone(options.null_sets, peer)
    print(f"({time.perf_counter() - started:.0f} s)")


if __name__ == "__main__":
    main()
