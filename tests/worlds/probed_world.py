"""Tables of numbers for the probe, and a probe that has not been judged yet."""

import numpy as np

from curate.evidence import probe
from curate.evidence.permuted import Quick, folds_of
from curate.evidence.verdict import Probe

EACH = 100


def labels(each=EACH):
    return np.arange(2 * each) % 2 == 1


def alone(count):
    return [str(number) for number in range(count)]


def noise(seed, columns=8, rows=2 * EACH):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def probed(values, positive=None, groups=None, **options):
    tables = values if isinstance(values, dict) else {"noise": values}
    positive = labels(len(next(iter(tables.values()))) // 2) if positive is None else positive
    columns = {name: [f"c{n}" for n in range(table.shape[1])] for name, table in tables.items()}
    return probe.probe(columns, tables, positive, groups or alone(len(positive)), **options)


def made(**changes):
    fields = {
        "family": "x", "features": 1, "auc": 0.5, "low": 0.4, "high": 0.6, "model": "linear", "p": 1.0, "chance": 0.6,
        "verdict": "", "detectable": 0.2, "strongest": None, "measured": 1.0, "scores": np.zeros(2),
    }  # fmt: skip
    return Probe(**{**fields, **changes})


def permutation_test(values, positive, groups, **settings):
    """Test numbers on the folds that a probe draws."""
    quick = values if isinstance(values, Quick) else Quick(values)
    seed = settings.setdefault("seed", 42)
    return quick.tested(positive, groups, folds_of(positive, groups, seed), **settings)
