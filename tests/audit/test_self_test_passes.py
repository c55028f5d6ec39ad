"""The short self-test of the audit names every plant, in drawn portraits and in real ones."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from audit.self_test import work as selftest
from audit.self_test.plants import PLANTS, WHITE
from audit.self_test.portraits import SIDE
from audit.self_test.work import SelfTestSettings
from imageledger import manifest
from imageledger.record import Record

pytestmark = pytest.mark.long


def bytes_of(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


@pytest.fixture(autouse=True)
def few_null_sets(monkeypatch):
    monkeypatch.setattr(selftest, "QUICK_NULL_SETS", 5)  # what counts as a false alarm has a test of its own


def test_the_short_self_test_passes_on_real_portraits(project, testdata: Path, monkeypatch):
    monkeypatch.setattr(selftest, "QUICK_PER_CLASS", 32)
    rows = []
    portraits = sorted((testdata / "portraits" / "ffhq-vs-stylegan2" / "real").iterdir())[:64]
    for number, path in enumerate(portraits):
        small = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        name = project.store.put(bytes_of(small), "png")
        label = ("real", "ai")[number % 2]
        rows.append(Record(source="folder:x", member=f"{number:04}", label=label, file=name, width=SIDE, height=SIDE))
    manifest.write(project.manifest("normalize"), rows)
    report = selftest.run(project, settings=SelfTestSettings(quick=True, seed=42, workers=1))
    assert report.sitters.own
    assert not report.sitters.with_mattes
    assert [row["plant"] for row in report.rows() if row["right"] != "yes"] == []
    assert report.passed


def test_the_self_test_passes_on_cut_outs_of_drawn_portraits_even_with_smaller_probes(quick_probe, monkeypatch):
    monkeypatch.setattr(selftest, "QUICK_PER_CLASS", 24)
    monkeypatch.setattr(selftest, "PLANTS", [replace(plant, small=True) for plant in PLANTS if plant.plain == WHITE])
    report = selftest.run(None, settings=SelfTestSettings(quick=True, seed=42, workers=1))
    assert [row["plant"] for row in report.rows() if row["right"] != "yes"] == []
    assert report.passed
