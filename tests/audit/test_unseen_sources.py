"""The probe on sources that it has not seen: who is held out, and what the probe then knows."""

import numpy as np

from audit.shortcuts import work as shortcuts
from audit.shortcuts.unseen import folds_by_source, unseen_sources
from curate.evidence.measure import Table
from imageledger.record import Record


def with_sources(real: list[str], ai: list[str], seed: int = 0) -> tuple[Table, np.ndarray]:
    rng = np.random.default_rng(seed)
    names = [*real, *ai]
    records = [Record(source=name, member=f"{number}.jpg", label="x") for number, name in enumerate(names)]
    positive = np.arange(len(names)) >= len(real)
    marks = np.array(
        [[3.0 * (name == one) for one in "abcdefgh"] for name in names]
    )  # a source shows, a class does not
    noise = rng.normal(0, 0.5, marks.shape)
    return Table(records, {"f": list("abcdefgh")}, {"f": marks + noise}), positive


def test_unseen_sources_are_judged_where_numbers_are_missing_and_by_no_name():
    real, ai = [name for name in "abcd" for _ in range(15)], [name for name in "efgh" for _ in range(15)]
    table, positive = with_sources(real, ai)
    groups = [record.name for record in table.records]
    plain = unseen_sources(table, positive, groups, seed=1)
    holes = np.where(np.random.default_rng(1).random((len(positive), 2)) < 0.3, np.nan, 1.0)
    told = np.repeat(positive[:, None], 2, axis=1).astype(float)  # a name may tell everything
    wider = Table(
        table.records,
        {**table.columns, "gaps": ["p", "q"], "naming": ["folder", "digits"]},
        {**table.values, "gaps": holes, "naming": told},
    )
    found = unseen_sources(wider, positive, groups, seed=1)
    assert 0 <= found.auc < 0.75
    assert abs(found.auc - plain.auc) < 0.3
    still = Table(table.records, {"f": ["a"]}, {"f": np.ones((len(positive), 1))})
    assert unseen_sources(still, positive, groups, seed=1) is None


def test_a_probe_that_knows_sources_and_not_classes_fails_on_sources_it_has_not_seen():
    real, ai = [name for name in "abcd" for _ in range(15)], [name for name in "efgh" for _ in range(15)]
    table, positive = with_sources(real, ai)
    groups = [record.name for record in table.records]
    seen = shortcuts.probe(table.columns, table.values, positive, groups, permutations=100, joint=False)[0]
    unseen = unseen_sources(table, positive, groups, seed=1)
    assert unseen.sources == (4, 4)
    assert seen.auc > 0.95
    assert unseen.auc < seen.auc - 0.2
    one = with_sources(["a"] * 20, ["b"] * 20)
    assert unseen_sources(*one, groups[:40], seed=1) is None


def test_folds_share_no_source_of_a_class_with_several_and_keep_groups_whole():
    sources = ["a"] * 6 + ["b"] * 6 + ["c"] * 6 + ["z"] * 18
    positive = np.arange(36) >= 18
    groups = [f"g{number // 2}" for number in range(36)]
    folds = folds_by_source(sources, positive, groups, seed=3)
    assert sorted(np.concatenate(folds)) == list(range(36))
    assert len(folds) == 3
    for held in folds:
        rest = set(range(36)) - set(held.tolist())
        assert not {sources[row] for row in held if not positive[row]} & {sources[row] for row in rest}
        assert not {groups[row] for row in held} & {groups[row] for row in rest}
        assert 0 < positive[held].sum() < len(held)
