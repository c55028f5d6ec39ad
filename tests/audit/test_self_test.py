"""The self-test of the audit: what it counts as right, as wrong and as a false alarm."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from audit.self_test import nulls, plants
from audit.self_test import work as selftest
from audit.self_test.judge import PlantProbes, SelfTest
from audit.self_test.nulls import Nulls
from audit.self_test.plants import PLANTS
from audit.self_test.portraits import Sitter, Sitters, draw
from audit.self_test.work import Planted, SelfTestSettings
from curate.evidence.probe import probe
from curate.evidence.verdict import CLEAN, SHORTCUT, Probe
from imageledger.record import Record

NOBODY = Sitters(groups=[f"sitter {number}" for number in range(200)])

pytestmark = pytest.mark.usefixtures("quick_probe")


def judged(family: str, auc: float, verdict: str = SHORTCUT) -> Probe:
    return Probe(
        family=family, features=3, auc=auc, low=auc - 0.05, high=min(1.0, auc + 0.05), model="linear", p=0.001,
        chance=0.59, verdict=verdict, strongest=None, measured=1.0, scores=np.zeros(2),
    )  # fmt: skip


def found(*probes: Probe) -> PlantProbes:
    return PlantProbes(plant=PLANTS[0], probes=sorted(probes, key=lambda one: -one.auc))


def test_a_plant_is_right_only_when_its_own_family_calls_it_and_stands_among_the_strongest():
    assert PLANTS[0].families == ("jpeg_history",)
    assert found(judged("jpeg_history", 0.97), judged("chroma", 1.0)).right
    assert not found(judged("jpeg_history", 0.8), judged("chroma", 1.0)).right
    assert not found(judged("jpeg_history", 0.6, CLEAN), judged("tone", 0.61, CLEAN)).right


def test_the_report_passes_only_with_every_plant_named_and_few_false_alarms():
    right, wrong = found(judged("jpeg_history", 1.0)), found(judged("jpeg_history", 0.5, CLEAN), judged("tone", 0.9))
    report = SelfTest(planted=[right], alarms=[[], ["tone"]] + [[]] * 38, sitters=NOBODY)
    assert report.passed
    assert not replace(report, planted=[right, wrong]).passed
    assert not replace(report, alarms=[["tone"], ["all"], ["tone", "all"], *[[]] * 37]).passed
    text = " ".join(replace(report, planted=[right, wrong]).sentences)
    assert "1 of 2 planted nuisances" in text
    assert "1/40 = 2.5 %" in text
    rows = replace(report, planted=[right, wrong]).rows()
    assert [row["right"] for row in rows] == ["yes", "NO"]
    assert rows[0]["named"] == "jpeg-history"
    assert rows[1]["named"] == ""
    assert rows[1]["stronger still"] == "tone 0.90"


def test_the_report_says_when_nothing_could_be_planted_in_cut_outs():
    bare = Record(source="folder:x", member="1.png", label="real")
    report = SelfTest(planted=[], alarms=[[]], sitters=replace(NOBODY, records=[bare]))
    assert "of this project" in " ".join(replace(report, planted=[found(judged("jpeg_history", 1.0))]).sentences)
    assert "curate whiten" in " ".join(report.sentences)


def test_a_planted_set_takes_each_picture_from_its_own_side():
    plant = PLANTS[0]
    rows = [{plant.plain: {"tone": {"b": 1.0, "a": 0.0}}, plant.touched: {"tone": {"a": 9.0, "b": 1.0}}}] * 4
    positive = np.array([True, False, False, True])
    given = selftest.planted(plant, rows, positive)
    assert given.columns == {"tone": ["a", "b"]}
    assert given.values["tone"].tolist() == [[9, 1], [0, 1], [0, 1], [9, 1]]


def test_looking_at_a_planted_set_names_the_family_that_separates():
    rng, positive = np.random.default_rng(1), np.arange(80) < 40
    values = {"jpeg_history": rng.normal(size=(80, 3)), "tone": rng.normal(size=(80, 4))}
    values["jpeg_history"][positive, 1] += 4
    columns = {"jpeg_history": ["a", "b", "c"], "tone": ["d", "e", "f", "g"]}
    job = Planted(plant=PLANTS[0], columns=columns, values=values, positive=positive)
    seen = selftest.probe_plant(job, groups=NOBODY.groups[:80], seed=1)
    assert seen.right
    assert seen.probes[0].family == "jpeg_history"


def test_false_alarms_are_those_that_the_probe_itself_would_give():
    rng, groups = np.random.default_rng(3), NOBODY.groups[:60]
    values = {"tone": rng.normal(size=(60, 5)), "chroma": rng.normal(size=(60, 2))}
    values["chroma"][:, 1] += 5 * nulls.labelled(60, 30, 12)
    columns = {name: [str(number) for number in range(numbers.shape[1])] for name, numbers in values.items()}
    expected = []
    for seed in (10, 12):
        probes = probe(columns, values, nulls.labelled(60, 30, seed), groups, seed=seed)
        expected.append([one.family for one in probes if one.verdict == SHORTCUT])
    alarms = nulls.false_alarms(Nulls(values=values, positives=30, seeds=[10, 12]), groups=groups)
    assert alarms == expected
    assert alarms[0] == []
    assert "chroma" in alarms[1]
    assert "all" in alarms[1]


def test_classes_by_chance_have_the_size_that_is_asked_for():
    assert nulls.labelled(200, 20, 4).sum() == 20
    assert (nulls.labelled(200, 100, 4) != nulls.labelled(200, 100, 5)).any()


@cache
def drawn_small(number: int, seed: int) -> Sitter:
    return draw(number, seed, side=96)


@pytest.fixture
def tiny(monkeypatch):
    """A self-test of a few small pictures, two plants and two families, in this process."""
    monkeypatch.setattr("audit.self_test.portraits.draw", drawn_small)
    monkeypatch.setattr(selftest, "QUICK_PER_CLASS", 12)
    monkeypatch.setattr(selftest, "QUICK_NULL_SETS", 3)
    monkeypatch.setattr(selftest, "FAMILIES", ("metadata", "geometry"))
    chosen = [plant for plant in plants.PLANTS if plant.name in ("EXIF in one class", "native size")]
    monkeypatch.setattr(selftest, "PLANTS", [replace(plant, small=True) for plant in chosen])
    return partial(selftest.run, None, settings=SelfTestSettings(quick=True, seed=3, workers=1))


@pytest.mark.long
def test_the_whole_self_test_runs_and_gives_the_same_report_again(tiny):
    seen = []

    def track(rows, total, doing=""):
        seen.append(total)
        return rows

    report = tiny(track=track)
    assert [row["right"] for row in report.rows()] == ["yes"] * 2
    assert report.passed
    assert len(report.alarms) == 3
    assert seen == [24, 2, 3]
    again = tiny()
    assert again.rows() == report.rows()
    assert again.sentences == report.sentences
