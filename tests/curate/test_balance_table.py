"""What a choice did to every feature: differences of means, ratios of variances, and what became worse."""

import numpy as np

from curate.evidence.measure import Table
from curate.manifest.balance import Wanted
from curate.manifest.matching.balance_table import as_csv, balance_figure, differences
from curate.manifest.unmended import worsened
from imageledger.record import Record

LABEL = np.arange(400) % 2 == 1
WANTED = Wanted(per_class=100, valid_fraction=0.2, seed=1)


def made(before, after):
    """Two numbers of 400 candidates; who is chosen plainly, and who matched."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 2))
    values[:, 0] *= np.where(LABEL, 3, 1)
    values[:, 1] += 0.8 * (LABEL & ~before)
    records = [Record(source="s", member=f"{n}", label="ai" if ai else "real") for n, ai in enumerate(LABEL)]
    table = Table(records, {"tone": ["wide", "worse"]}, {"tone": values})
    return {one.feature: one for one in differences(table, before, after, LABEL, ["tone"])}


def test_a_class_that_varies_more_shows_in_the_ratio_of_variances():
    first = np.arange(400) < 200
    found = made(first, ~first)
    assert found["wide"].ratios[1] > 3
    assert 0.6 < found["worse"].ratios[1] < 1.6


def test_what_became_worse_is_named_with_both_figures(tmp_path):
    first = np.arange(400) < 200
    found = made(first, ~first)
    assert found["worse"].worsened > 0.5
    lines = worsened(list(found.values()), WANTED)
    assert lines[0].startswith("1 of 2 features became worse, most of all tone: worse: ")
    assert lines[1].startswith("in 1 of 2 features one class varies more than 2 times as much")
    assert worsened([found["worse"]], Wanted(per_class=5, valid_fraction=0.2, seed=1)) == [], "chance explains it"
    head, *rows = as_csv(list(found.values())).splitlines()
    assert "variance_ratio_matched" in head
    assert len(rows) == 2
    balance_figure(list(found.values()), tmp_path / "balance.png")
    assert (tmp_path / "balance.png").read_bytes()[:4] == b"\x89PNG"
