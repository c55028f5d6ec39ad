"""Dedupe and `audit leaks` on one set of real pictures: every known copy is found, and no two people are merged."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from originals import row

from audit.leaks.pairs import compare
from curate.dedupe.work import DedupeSettings, judge, plan_for
from imageledger.decisions import Decisions
from imageledger.store import Store

pytestmark = pytest.mark.long

SAME_PHOTOGRAPH = (
    ("real_295.jpg", "real_456.jpg"),
    ("real_463.jpg", "real_523.jpg"),
    ("real_536.jpg", "real_62.jpg"),
)
"""Pictures of the unsplash set that are different crops of one photograph, as looking at them shows."""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store, so that keypoints are looked for once."""
    return Store(tmp_path_factory.mktemp("same") / "data" / "objects")


def rows_of(testdata, store, paths):
    return [row(store, path.read_bytes(), path.relative_to(testdata).as_posix()) for path in paths]


@pytest.fixture(scope="module")
def portraits(testdata, store):
    """All real and AI portraits, as normalize leaves them."""
    return rows_of(testdata, store, sorted((testdata / "portraits").glob("*/*/*.*")))


@pytest.fixture(scope="module")
def pairs(testdata):
    """The known copies, as (original, copy)."""
    with (testdata / "duplicates" / "pairs.csv").open(newline="") as file:
        return [(line["a"], line["b"]) for line in csv.DictReader(file)]


@pytest.fixture(scope="module")
def copies(testdata, store, pairs):
    """The photographs that have known copies, and these."""
    return rows_of(testdata, store, [testdata / name for name in sorted({name for pair in pairs for name in pair})])


def deduped(store, rows, **chosen):
    """What dedupe makes of rows, by member."""
    plan = plan_for(rows, Decisions(), store, DedupeSettings(**chosen))
    return {record.member: judge(record, plan) for record in rows}


def leaks(store, rows):
    return compare(sorted(rows, key=lambda record: record.key), store).leaks


def test_dedupe_finds_every_known_copy_of_a_real_photograph(store, pairs, copies):
    made = deduped(store, copies)
    assert len(pairs) == 60
    for original, copy in pairs:
        assert made[copy].duplicate_of.endswith(f"#{original}")
        assert made[original].status == "ok"
        assert made[copy].group == made[original].group


def test_the_audit_finds_every_known_copy_of_a_real_photograph_across_the_split(store, pairs, copies):
    originals = {original for original, _ in pairs}
    rows = [replace(each, split="train" if each.member in originals else "valid") for each in copies]
    assert {(leak.one.member, leak.other.member) for leak in leaks(store, rows)} == set(pairs)


def test_dedupe_merges_no_two_people_even_among_twice_as_distant_hashes(store, portraits):
    assert len(portraits) == 560
    made = deduped(store, portraits, distance=12)  # whatever is merged at the usual 6 bits is merged at 12 too
    merged = {
        frozenset((record.member.rpartition("/")[2], record.duplicate_of.rpartition("/")[2]))
        for record in made.values() if record.status != "ok"
    }  # fmt: skip
    assert merged == set(map(frozenset, SAME_PHOTOGRAPH))


def test_the_audit_calls_no_two_people_the_same(store, portraits):
    half = portraits[::2]  # all of them are in the test of dedupe
    rows = [
        replace(each, label=Path(each.member).parent.name, split="valid" if number % 2 else "train")
        for number, each in enumerate(half)
    ]
    assert len(rows) == 280
    for leak in leaks(store, rows):
        assert {Path(record.member).name for record in (leak.one, leak.other)} in map(set, SAME_PHOTOGRAPH)
