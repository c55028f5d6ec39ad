"""What the file alone gives away, as `curate run` and `train run` print it."""

from dataclasses import replace

import pytest
from drawn import encoded, fetched, portrait

from curate.manifest import file_alone as evidence
from imageledger import manifest

pytestmark = pytest.mark.usefixtures("quick_probe")


def final(project, each, split="valid"):
    """A manifest of drawn portraits: JPEGs of quality 40 are real, PNGs are ai."""
    pictures = {f"real/{n}.jpg": encoded(portrait(n, 64)[0], "JPEG", quality=40) for n in range(each)}
    pictures |= {f"ai/{n}.png": encoded(portrait(100 + n, 64)[0]) for n in range(each)}
    rows = [replace(record, split=split) for record in manifest.read(fetched(project, pictures))]
    path = project.manifest("manifest")
    manifest.write(path, rows)
    return path


@pytest.fixture
def few(monkeypatch):
    """The families that matter here, so that the tests are quick."""
    monkeypatch.setattr(evidence, "FAMILIES", ("container", "tone", "naming"))


def test_the_file_alone_is_one_probe_of_all_families_with_its_accuracy_on_valid(project, few):
    found, right = evidence.file_alone(project, final(project, 15))
    assert len(right) == found["all"]["n"]
    assert sum(right.values()) == found["all"]["hits"]
    assert found["auc"] > 0.99
    assert found["verdict"] == "SHORTCUT"
    assert found["valid"]["n"] == 30
    assert found["valid"]["hits"] >= 28
    assert found["valid"]["low"] < found["valid"]["hits"] / 30 <= found["valid"]["high"]
    assert found["strongest"].startswith("container.")  # a name says nothing of the file itself


def test_the_table_has_a_row_a_family_and_one_for_all_together(project, few):
    path = final(project, 15)
    rows = evidence.rows(evidence.families_alone(project, path))
    assert [row["family"] for row in rows] == ["container", "tone", "naming", "all together"]
    together, _ = evidence.file_alone(project, path)
    assert rows[-1]["AUC"] == f"{together['auc']:.2f}"


def test_too_few_pictures_say_nothing(project, few):
    path = final(project, evidence.FEWEST - 1)
    assert evidence.file_alone(project, path) == ({}, {})
    assert evidence.families_alone(project, path) == []


def test_rows_without_a_split_do_not_count(project, few):
    assert evidence.file_alone(project, final(project, 15, split="")) == ({}, {})
