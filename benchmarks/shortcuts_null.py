"""Claim: where there is no nuisance, at most 5 % of all sets get the verdict SHORTCUT, even small and uneven sets.

    python benchmarks/shortcuts_null.py [--null-sets 200] [--pictures 200] [--workers 2]

Portraits are drawn once, delivered untouched in three ways (lossless, JPEG, cut out on white), and divided into two
classes by chance: 100 and 100, 40 and 40, 180 and 20. Every SHORTCUT counts, of one family or of all together. Prints
the rate beside its limit, and the seconds of a null set beside those of the full probes, which the screening saves.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from audit.self_test.judge import MOST_FALSE_ALARMS
from audit.self_test.nulls import Nulls, false_alarms, labelled
from audit.self_test.plants import UNTOUCHED
from audit.self_test.portraits import sitters
from audit.self_test.work import measured, table
from curate.evidence.probe import probe
from imageledger.engines.local import cores, ordered_map
from imageledger.intervals import share_in_words, wilson

SEED = 42
BATCH = 10


def alarms(tables: Sequence[Mapping[str, np.ndarray]], rows: int, ones: int, null_sets: int, workers: int) -> int:
    """Count the false alarms among null sets of the first `rows` pictures, `ones` of which are called positive."""
    cut = [{name: values[:rows] for name, values in columns.items()} for columns in tables]
    batches = [
        Nulls(values=cut[begun // BATCH % len(cut)], positives=ones, seeds=range(begun, min(begun + BATCH, null_sets)))
        for begun in range(0, null_sets, BATCH)
    ]
    work = partial(false_alarms, groups=[str(number) for number in range(rows)])
    results = ordered_map(work, ((batch, None) for batch in batches), workers=workers)
    return sum(bool(alarm) for batch in results for alarm in batch)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--null-sets", type=int, default=200)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--workers", type=int, default=cores())
    options = parser.parse_args()
    count = options.pictures
    people = sitters(None, count, SEED)
    jobs = (((number, UNTOUCHED), None) for number in range(count))
    seen = list(ordered_map(partial(measured, people=people, seed=SEED), jobs, workers=options.workers))
    tables = [table([portrait[name] for portrait in seen]) for name in UNTOUCHED]
    started = time.perf_counter()
    for rows, ones in ((count, count // 2), (count * 2 // 5, count // 5), (count, count // 10)):
        hits = alarms(tables, rows, ones, options.null_sets, options.workers)
        share = share_in_words(hits, options.null_sets, wilson(hits, options.null_sets))
        print(f"{rows - ones:4} and {ones:3}: false alarms {share}; "
              f"limit {100 * MOST_FALSE_ALARMS:.0f} %")  # fmt: skip
    each = (time.perf_counter() - started) / (3 * options.null_sets)
    started = time.perf_counter()
    columns = {name: [str(number) for number in range(values.shape[1])] for name, values in tables[0].items()}
    probe(columns, tables[0], labelled(count, count // 2, 1), people.groups, seed=1, workers=options.workers)
    whole = time.perf_counter() - started
    print(f"a null set takes {each:.2f} s, its full probes {whole:.2f} s: ratio {whole / each:.1f}")


if __name__ == "__main__":
    main()
