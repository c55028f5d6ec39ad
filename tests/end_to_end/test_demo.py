"""The guided tour as a newcomer takes it, and the worked example in manifests/sample that comes from it."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from imageledger import demo, manifest
from imageledger.config import open_project

pytestmark = pytest.mark.long

COMMITTED = Path(__file__).resolve().parents[2] / "manifests" / "sample"


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """The demo, run once: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    done = subprocess.run(
        [sys.executable, "-m", "imageledger", "demo", str(folder)], capture_output=True, text=True, timeout=1500
    )
    assert done.returncode == 0, done.stderr
    return folder, done


CUT = {"file", "matte"}
"""What GrabCut decides: OpenCV rounds otherwise on some processors, which moves a few edges by a pixel."""


def test_the_committed_example_is_made_anew_but_for_a_few_edges(tour):
    folder, _ = tour
    made, committed = (
        [json.loads(line) for line in (place / "final.jsonl").read_text(encoding="utf-8").splitlines()]
        for place in (folder / "manifests" / "sample", COMMITTED)
    )
    assert [{**row, **dict.fromkeys(CUT)} for row in made] == [{**row, **dict.fromkeys(CUT)} for row in committed]
    moved = sum(one != other for one, other in zip(made, committed, strict=True))
    assert moved <= len(committed) // 50, moved


def test_the_card_of_the_committed_example_differs_in_digests_alone(tour):
    folder, _ = tour
    made, committed = (
        json.loads((place / "final.card.json").read_text(encoding="utf-8")) | dict.fromkeys(("digest", "input", "seal"))
        for place in (folder / "manifests" / "sample", COMMITTED)
    )
    assert made == committed


def test_every_kind_of_planted_problem_is_found(tour):
    _, done = tour
    lines = [line for line in done.stdout.partition("Planted problems")[2].splitlines() if line.startswith("│")]
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    assert len(rows) == 15
    assert [row[0] for row in rows if row[1] != row[2] and row[0] != "wrong label"] == []
    assert [int(row[2]) > 0 for row in rows if row[0] == "wrong label"] == [True]


@pytest.fixture(scope="module")
def together(tour):
    """What all families together tell at each stage, as the audit has written it."""
    folder, _ = tour
    stages = json.loads((folder / demo.LOOK.with_suffix(".json")).read_text(encoding="utf-8"))["stages"]
    return {stage["stage"]: probe for stage in stages for probe in stage["probes"] if probe["family"] == "all"}


def test_what_the_file_gives_away_falls_at_every_stage_until_chance_is_left(together):
    areas = [together[stage]["auc"] for stage in demo.FALL]
    assert areas == sorted(areas, reverse=True)
    assert together["fetched"]["low"] > 0.9
    assert together["whitened"]["verdict"] == "SHORTCUT"
    assert together["final"]["low"] <= 0.5 <= together["final"]["high"]
    assert together["final"]["verdict"] != "SHORTCUT"


def test_the_model_is_better_than_the_file_alone_and_than_chance(tour):
    folder, _ = tour
    run = json.loads((folder / "data/runs/demo/run.json").read_text())
    assert run["metrics"]["valid"]["accuracy"]["interval"][0] > max(0.5, run["file_alone"]["all"]["high"])


def test_the_tour_ends_with_what_it_has_shown(tour, together):
    folder, done = tour
    told = demo.story(open_project(folder))
    assert "\n".join(told) in done.stdout
    assert all(f"{together[stage]['auc']:.2f}" in told[0] for stage in demo.FALL)
    assert "an interval that holds chance" in told[0]
    assert "more than the file gives away" in told[2]
    assert "not shown" not in told[2]


def test_a_model_that_is_no_better_than_the_file_is_not_said_to_be(tour, tmp_path):
    folder, _ = tour
    other = tmp_path / "other"
    for name in ("imageledger.toml", demo.LOOK.with_suffix(".json"), Path("data/runs/demo/run.json")):
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_bytes((folder / name).read_bytes())
    run = other / "data/runs/demo/run.json"
    row = json.loads(run.read_text())
    row["file_alone"]["all"] = {"hits": 190, "n": 200, "low": 0.91, "high": 0.97}
    run.write_text(json.dumps(row))
    assert "not shown" in demo.story(open_project(other))[2]


def test_everything_that_shows_figures_says_that_they_mean_nothing_about_real_portraits(tour):
    folder, done = tour
    assert "mean nothing about real portraits" in done.stderr
    page = (folder / "data/runs/demo/audit/top-losses-all-k-8.html").read_text()
    assert "No figure here means anything about portraits of real people" in page


def test_every_picture_and_page_that_the_tour_names_is_there(tour):
    _, done = tour
    named = [Path(line.rpartition(": ")[2]) for line in done.stdout.splitlines() if ": /" in line]
    assert len(named) >= 5
    assert all(path.exists() for path in named)


def test_nothing_the_tour_prints_holds_control_characters(tour):
    _, done = tour
    assert not {char for char in done.stdout + done.stderr if ord(char) < 32} - {"\n"}


def test_the_table_for_spreadsheets_says_the_same_as_the_manifest(tour):
    folder, _ = tour
    records = list(manifest.read(open_project(folder).manifest("manifest")))
    with (folder / "manifests/sample/final.csv").open(encoding="utf-8", newline="") as rows:
        table = list(csv.DictReader(rows))
    assert [(row["member"], row["status"], row["split"]) for row in table] == [
        (record.member, record.status, record.split) for record in records
    ]
