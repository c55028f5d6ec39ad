"""Numbers of pictures that are drawn by a die: two classes, a planted confounder, and a true signal beside it."""

import hashlib

import numpy as np

from curate.evidence.measure import Table
from imageledger.record import Record

COLUMNS = {"tone": [f"light_{n}" for n in range(6)], "matte": [f"edge_{n}" for n in range(6)]}


def record(n, label, source="folder:drawn", group=""):
    """A row whose content is its number."""
    origin = hashlib.sha256(f"{source} {label} {n}".encode()).hexdigest() + ".png"
    return Record(source=source, member=f"{label}/{n:04}.png", label=label, origin=origin, file=origin, group=group)


def world(count=120, shift=1.2, seed=0, sources=("folder:drawn",), group=lambda n, label: ""):
    """A table of `count` pictures a class, the ai ones `shift` deviations lighter, and their signal (n).

    The signal differs between the classes whatever the light is: it is what a classifier should find.
    """
    rng = np.random.default_rng(seed)
    rows = [
        record(n, label, sources[n % len(sources)], group(n, label)) for label in ("real", "ai") for n in range(count)
    ]
    ai = np.array([row.label == "ai" for row in rows])
    light = rng.normal(size=len(rows)) + shift * ai
    values = {
        name: light[:, None] * weight + rng.normal(size=(len(rows), 6))
        for name, weight in (("tone", 1), ("matte", 0.5))
    }
    return Table(rows, COLUMNS, values), rng.normal(size=len(rows)) + 1.5 * ai
