"""The matched manifest as a person meets it: what is said, what is written, and when it is chosen anew."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from matched_pictures import pictures
from matched_world import record
from originals import written
from PIL import Image

from curate import nuisance
from curate.cli import main
from curate.evidence import measure
from curate.manifest import work as final
from imageledger import manifest
from imageledger.config import open_project
from imageledger.record import Record

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]


def never(*_, **__):
    raise AssertionError("nothing is to be measured here")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A project whose whitened manifest holds 30 pictures of each label, the ai ones lighter, and all their numbers."""
    root = tmp_path_factory.mktemp("measured")
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    project = open_project(root)
    rows = pictures(project.store, 30, lighter=30)
    written(project.manifest("whiten"), rows)
    families = [name for name in nuisance.FAMILIES if nuisance.family(name).of != "name"]
    measure.measure(project, rows, families, stage=measure.WHITENED, workers=1)
    return project


@pytest.fixture
def ready(project, measured):
    """A copy of that project."""
    shutil.copytree(measured.root, project.root, dirs_exist_ok=True)
    return project


TONE = ["manifest", "--per-class", "12", "--match", "tone", "--workers", "1"]


def test_the_command_shows_balance_probes_and_cost_and_writes_what_it_names(ready, runner):
    result = runner.invoke(main, TONE)
    assert result.exit_code == 0, result.output
    assert "tone: " in result.stdout
    assert "not matched on, together" in result.stdout
    assert "probes that learned from the other half judge it" in result.stderr
    assert result.stdout.splitlines()[-1] == str(ready.manifest("manifest"))
    assert "not chosen: 18 of 30 ai candidates from folder:drawn" in result.stderr
    assert "of 12 pairs are outside the caliper" in result.stderr
    folder = ready.root / "data" / "matched" / ready.dataset
    assert Image.open(folder / "balance.png").size[0] > 400
    table = list(csv.DictReader((folder / "balance.csv").read_text().splitlines()))
    assert np.mean([abs(float(row["matched"])) for row in table]) < np.mean([abs(float(row["plain"])) for row in table])
    pairs = list(csv.DictReader((folder / "pairs.csv").read_text().splitlines()))
    assert len(pairs) == 12
    assert {row["split"] for row in pairs} == {"train", "valid"}


def test_the_same_command_gives_the_same_bytes_and_says_the_same(ready, runner):
    shutil.rmtree(ready.root / "data" / "measured")
    first = runner.invoke(main, TONE)
    content = ready.manifest("manifest").read_bytes()
    again = runner.invoke(main, TONE)
    assert ready.manifest("manifest").read_bytes() == content
    assert "0 worked on, 60 reused" in again.stderr
    assert again.stdout == first.stdout
    ready.manifest("manifest").unlink()
    runner.invoke(main, TONE)
    assert ready.manifest("manifest").read_bytes() == content


def test_the_card_holds_the_families_and_a_newer_version_of_one_chooses_anew(ready, runner, monkeypatch):
    runner.invoke(main, TONE)
    card = json.loads(manifest.card_path(ready.manifest("manifest")).read_text())
    assert card["settings"]["match"] == ["tone"]
    assert "chosen on these numbers" in card["settings"]["note"]
    assert set(card["versions"]) == {"scipy", "scikit-learn"}
    family = nuisance.family("tone")
    newer = lambda name: type(family)(**{**vars(family), "version": family.version + 1})  # noqa: E731
    monkeypatch.setattr(final, "family", newer)
    monkeypatch.setattr(measure, "family", newer)
    assert "60 worked on, 0 reused" in runner.invoke(main, TONE).stderr


def test_without_a_choice_one_line_says_so_and_nothing_is_measured(ready, runner, monkeypatch):
    monkeypatch.setattr(final, "measure", never)
    result = runner.invoke(main, ["manifest", "--per-class", "30"])
    assert result.exit_code == 0, result.output
    assert "nothing to match: there are 30 candidates of each label for 30 places" in result.stderr
    assert not (ready.root / "data" / "matched").exists()


def test_a_narrow_choice_is_called_narrow(ready, runner):
    result = runner.invoke(main, ["manifest", "--per-class", "20", "--match", "tone", "--workers", "1"])
    assert "there are only 30 ai candidates for 20 places" in result.stderr


def test_pictures_that_would_help_are_named_where_the_classes_never_meet(project, runner):
    written(project.manifest("whiten"), pictures(project.store, 30, lighter=140))
    result = runner.invoke(main, [*TONE])
    assert result.exit_code == 0, result.output
    assert "tone was not matched on" in result.stderr
    assert "the classes still differ in" in result.stderr
    assert re.search("; fetch more (real pictures above|ai pictures below) it", result.stderr)


def test_pictures_that_cannot_be_measured_are_chosen_plainly(project, runner):
    rows = [record(n, label) for label in ("real", "ai") for n in range(14)]
    rows = [
        Record(source=row.source, member=row.member, label=row.label, origin=name, file=name)
        for row in rows
        for name in [project.store.put(row.name.encode(), "png")]
    ]
    written(project.manifest("whiten"), rows)
    result = runner.invoke(main, ["manifest", "--per-class", "10", "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert "nothing to match: no measured number differs between the candidates" in result.stderr


def test_off_measures_nothing_and_takes_the_plain_choice(ready, runner, monkeypatch):
    monkeypatch.setattr(final, "measure", never)
    result = runner.invoke(main, ["manifest", "--per-class", "12", "--match", "off"])
    assert result.exit_code == 0, result.output
    assert "chosen on these numbers" not in result.output
    assert "match off (there: container, metadata, geometry, …)" in result.stderr


def test_a_family_that_does_not_exist_is_refused_with_those_that_do(ready, runner):
    result = runner.invoke(main, ["manifest", "--match", "tone,smile"])
    assert result.exit_code == 1
    assert "Error: there is no family 'smile'" in result.stderr
    assert "Try: one of container, metadata" in result.stderr
    assert not ready.manifest("manifest").exists()


def test_json_holds_the_counts_and_both_tables_of_the_matching(ready, runner):
    result = runner.invoke(main, [*TONE, "--json"])
    told = json.loads(result.stdout)
    assert {row["label"] for row in told["pictures"]} == {"real", "ai"}
    balance, probes = told["matching"].values()
    assert balance[0].keys() == {
        "feature", "difference, plain", "matched", "variance ratio, plain", "variance ratio, matched",
    }  # fmt: skip
    assert {row["probe"] for row in probes} >= {"tone"}
    assert any("inside the choice" in line and "not to be quoted" in line for line in told["said"])
    assert told["manifest"] == str(ready.manifest("manifest"))


def test_fewer_pictures_than_a_probe_needs_are_not_probed(ready, runner):
    result = runner.invoke(main, ["manifest", "--per-class", "6", "--match", "tone", "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert "no probe can judge the choice" in result.output
    assert "What probes tell" not in result.output
