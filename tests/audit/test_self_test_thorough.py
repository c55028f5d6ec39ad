"""Dose and response, and the null sets beside the usual ones: what a thorough self-test adds."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from audit.self_test import doses, figure, nulls, plants
from audit.self_test import work as selftest
from audit.self_test.doses import Dose
from audit.self_test.judge import SelfTest
from audit.self_test.nulls import Alarms
from audit.self_test.plants import PLANTS
from audit.self_test.portraits import Sitter, Sitters, draw
from audit.self_test.work import SelfTestSettings
from imageledger.counted import of_each

NAMES = [str(number) for number in range(80)]


def inline(work, jobs, total, phase):
    done = list(map(work, jobs))
    assert len(done) == total
    assert phase
    return done


def tables(rows):
    return {name: np.array([row[name]["number"] for row in rows])[:, None] for name in rows[0]}


def dosed(shift, monkeypatch, plant=PLANTS[0]):
    """Plant a shift of one number, in deviations."""
    monkeypatch.setattr(doses, "DRAWS", 4)
    rng = np.random.default_rng(0)
    seen = []
    for value in rng.normal(size=80):
        plain, half, touched = ({"jpeg_history": {"number": value + part * shift}} for part in (0, 0.5, 1))
        seen.append({plant.plain: plain, f"half {plant.touched}": half, plant.touched: touched})
    return doses.doses([plant], seen, NAMES, seed=1, spread=inline, table=tables)


@pytest.mark.usefixtures("quick_probe")
def test_a_strong_plant_is_found_in_a_small_share_and_a_weak_one_only_in_the_whole_class(monkeypatch):
    strong = {dose.column: dose.found.hits for dose in dosed(20.0, monkeypatch)}
    assert strong["100 %"] == strong["50 %"] == strong["half strength"] == 4
    assert strong["10 %"] < 4
    weak = {dose.column: dose.found.hits for dose in dosed(1.2, monkeypatch)}
    assert weak["100 %"] > weak["half strength"]
    assert weak["20 %"] == 0
    assert {dose.found.hits for dose in dosed(0.0, monkeypatch)} == {0}


def test_a_plant_without_a_half_has_a_dash_in_the_table_and_every_cell_in_the_figure():
    whole, exif = PLANTS[0], next(plant for plant in PLANTS if plant.name == "EXIF in one class")
    given = [
        Dose(plant=plant, share=share, half=half, found=of_each([True, False, share > 0.5]))
        for plant in (whole, exif) for share, half in ((0.1, False), (1.0, False), (1.0, True))
        if not (half and plant is exif)
    ]  # fmt: skip
    assert doses.rows(given) == [
        {"plant": whole.name, "10 %": "1/3", "100 %": "2/3", "half strength": "2/3"},
        {"plant": exif.name, "10 %": "1/3", "100 %": "2/3", "half strength": "–"},
    ]
    assert [row["strength"] for row in doses.csv_rows(given)] == [1, 1, 0.5, 1, 1]
    assert figure.png(given, "x") == figure.png(given, "x")


def noise(columns=6, rows=120):
    return {"tone": np.random.default_rng(2).normal(size=(rows, columns))}


def test_null_sets_hold_what_they_say():
    rng = np.random.default_rng(0)
    near = nulls.clusters(noise(), rng, declared=True)
    labels = {name: set() for name in near.groups}
    for name, own in zip(near.groups, near.positive, strict=True):
        labels[name].add(bool(own))
    assert {len(own) for own in labels.values()} == {1}
    assert len(near.positive) == 4 * len(labels) == 120
    both = nulls.twins(noise(), rng, declared=False)
    assert len(set(both.groups)) == len(both.groups) == 120
    first, second = np.split(both.values["tone"], 2)
    assert np.corrcoef(first[:, 0], second[:, 0])[0, 1] > 0.9
    assert both.positive.sum() == 60
    sets = nulls.apart({"tone": np.arange(nulls.SETS * nulls.FRESH)[:, None].astype(float)})
    assert len({number for one in sets for number in one.values["tone"].ravel()}) == nulls.SETS * nulls.FRESH


@pytest.mark.long
def test_clusters_that_nobody_declared_raise_alarms_and_declared_ones_and_twins_do_not():
    values, rng = noise(), np.random.default_rng(1)

    def alarms(make, **given):
        return sum(nulls.alarm(make(values, rng, **given)) for _ in range(12))

    assert alarms(nulls.clusters, declared=False) >= 6
    assert alarms(nulls.clusters, declared=True) <= 1
    assert alarms(nulls.twins, declared=True) <= 1
    assert alarms(nulls.twins, declared=False) <= 1


def test_alarms_on_undeclared_clusters_are_said_and_do_not_fail_the_audit():
    often, never = of_each([True] * 9 + [False]), of_each([False] * 10)
    limit = Alarms(kind="Near-duplicates, not declared", found=often, counts=False)
    test = SelfTest(planted=[], alarms=[[]], sitters=Sitters(groups=NAMES), others=[limit])
    assert test.passed
    assert "9/10" in " ".join(test.sentences)
    assert "a limit of the method" in " ".join(test.sentences)
    assert not replace(test, others=[replace(limit, counts=True)]).passed
    assert replace(test, others=[replace(limit, found=never, counts=True)]).passed


@cache
def drawn_small(number: int, seed: int) -> Sitter:
    return draw(number, seed, side=96)


@pytest.mark.long
@pytest.mark.usefixtures("quick_probe")
def test_a_thorough_self_test_runs_whole(monkeypatch):
    monkeypatch.setattr("audit.self_test.portraits.draw", drawn_small)
    for module, name, value in (
        (selftest, "QUICK_PER_CLASS", 12), (selftest, "QUICK_NULL_SETS", 3), (nulls, "SETS", 2), (nulls, "FRESH", 20),
        (doses, "DRAWS", 2), (selftest, "FAMILIES", ("metadata", "geometry")),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    chosen = [plant for plant in plants.PLANTS if plant.name in ("EXIF in one class", "native size")]
    monkeypatch.setattr(selftest, "PLANTS", [replace(plant, small=True) for plant in chosen])
    run = partial(selftest.self_test, None, settings=SelfTestSettings(quick=True, thorough=True, seed=3, workers=1))
    report = run()
    assert set(report.files) == {"doses.csv", "doses.png", "self-test-thorough.html"}
    assert b"In how many of 10 sets is the plant found?" in report.files["self-test-thorough.html"]()
    assert [row["100 %"] for row in report.tables["Found, by the share of one class that has the plant"]] == ["2/2"] * 2
    assert sum("raise an alarm" in sentence for sentence in report.sentences) == 5
    assert report.contents["doses.png"]()[:4] == b"\x89PNG"
