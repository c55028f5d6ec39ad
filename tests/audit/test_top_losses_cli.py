"""audit top-losses on a project made by hand: what it prints, which tables it writes, and what cannot stop it."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audit_world import FORMULA, HOSTILE, curated, page_of, portrait, rows_of, run_on_eight, said_of, train
from drawn import encoded
from PIL import Image

from audit.cli import main
from imageledger import manifest
from imageledger.record import Record
from train.runs import Run, write_predictions


@pytest.fixture
def trained(project):
    """The folder of a run on eight pictures."""
    return run_on_eight(project)


def test_the_real_portraits_called_ai_are_listed_with_counts_and_paths(trained, runner):
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("Of the real portraits, 2/4 = 50.0 %")
    assert lines[1].startswith("Of the ai portraits, 1/4 = 25.0 %")
    assert "Fisher's exact test, p = 1.00" in lines[2]
    assert lines[-3:] == [str(trained / "audit" / f"top-losses.{kind}") for kind in ("csv", "png", "html")]
    assert "2 real portraits called ai" in ran.stdout
    assert "real/1.jpg" in ran.stdout
    assert "real/3.jpg" not in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr
    assert "\u202e" not in ran.stdout


def test_json_is_one_object_with_everything(trained, runner):
    ran = runner.invoke(main, ["top-losses", "first", "--json"])
    told = json.loads(ran.stdout)
    assert [picture["member"] for picture in told["pictures"]] == [HOSTILE, "real/1.jpg"]
    assert told["pictures"][0]["origin"].endswith(".jpg")
    assert [(row["wrong"], row["pictures"]) for row in told["counts"]] == [(2, 4), (1, 4)]
    assert told["fisher_p"] == pytest.approx(1.0)
    assert told["warnings"] == []
    assert Path(told["files"]["html"]).is_file()


def test_the_csv_has_one_row_a_picture_with_its_origin_and_licence(trained, runner):
    runner.invoke(main, ["top-losses"])
    first, second = rows_of(trained)
    assert (first["rank"], first["member"], first["page"]) == ("1", HOSTILE, "top-losses.html#p1")
    assert (second["member"], second["actual"], second["predicted"]) == ("real/1.jpg", "real", "ai")
    assert float(second["probability"]) == 0.7
    assert float(second["loss"]) == pytest.approx(-np.log(0.3))
    assert second["source"] == "kaggle:somebody/faces@3"
    assert second["licence"] == "CC-BY-4.0"
    assert re.fullmatch(r"[0-9a-f]{64}\.jpg", second["origin"])


def test_a_name_that_a_spreadsheet_would_run_is_defused_in_the_csv_only(trained, runner):
    ran = runner.invoke(main, ["top-losses", "--all", "--json"])
    row = next(row for row in rows_of(trained, "top-losses-all") if "HYPERLINK" in row["member"])
    assert row["member"] == f"'{FORMULA}"
    assert FORMULA in [picture["member"] for picture in json.loads(ran.stdout)["pictures"]]
    assert FORMULA in page_of(trained, "top-losses-all").words


def test_all_lists_every_picture_and_the_other_filters_select(trained, runner):
    runner.invoke(main, ["top-losses", "--all"])
    assert len(rows_of(trained, "top-losses-all")) == 8
    runner.invoke(main, ["top-losses", "--all", "-k", "3"])
    assert len(rows_of(trained, "top-losses-all-k-3")) == 3
    runner.invoke(main, ["top-losses", "--actual", "ai"])
    (row,) = rows_of(trained, "top-losses-ai")
    assert (row["member"], row["page"]) == ("ai/1.jpg", "top-losses-ai.html#p1")
    ran = runner.invoke(main, ["top-losses", "-k", "1"])
    assert "the 1 worst of 2 real portraits called ai" in ran.stdout
    assert "The 1 worst of 2 real portraits called ai" in page_of(trained, "top-losses-k-1").words


def test_a_narrower_look_leaves_the_files_of_the_whole_as_they_are(trained, runner):
    runner.invoke(main, ["top-losses"])
    whole = {path: path.read_bytes() for path in (trained / "audit").iterdir()}
    assert whole
    for asked in (["--all"], ["-k", "1"], ["--actual", "ai"], ["--split", "train"], ["--predicted", "ai", "--all"]):
        runner.invoke(main, ["top-losses", *asked])
    assert {path: path.read_bytes() for path in whole} == whole
    assert len(list((trained / "audit").iterdir())) == 5 * len(whole)


def test_a_missing_and_a_damaged_object_are_named_not_fatal(project, runner):
    records = [curated(project, f"real/{n}.jpg", "real", n) for n in range(2)]
    folder = train(project, records, {"real/0.jpg": 0.9, "real/1.jpg": 0.8})
    project.store.path(records[0].file).unlink()
    damaged = project.store.path(records[1].origin)
    damaged.chmod(0o644)
    damaged.write_bytes(encoded(portrait(99), "JPEG"))
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0
    assert "1 × object missing" in ran.stderr
    assert "1 × damaged: the bytes do not match the name" in ran.stderr
    assert "object missing" in page_of(folder).words


def test_a_changed_manifest_is_a_visible_warning_and_pictures_are_joined_by_key(trained, project, runner):
    path = project.manifest("manifest")
    records = [replace(r, label="ai") if r.member == "real/1.jpg" else r for r in manifest.read(path)]
    manifest.write(path, [record for record in records if record.member != HOSTILE])
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0
    assert "Warning: manifests/drawn/final.jsonl has changed since first was trained" in ran.stderr
    words = page_of(trained).words
    assert "has changed since first was trained" in words
    assert "no longer in the manifest" in words
    assert "The manifest now labels it ai; the model was told real." in words


def test_a_manifest_that_is_gone_or_torn_still_gives_the_pictures(trained, project, runner):
    path = project.manifest("manifest")
    path.write_text("{torn", encoding="utf-8")
    assert "cannot be read" in runner.invoke(main, ["top-losses"]).stderr
    path.unlink()
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0
    assert "final.jsonl is gone" in ran.stderr
    assert page_of(trained).tags.count("img") == 2 + 2


def test_no_match_says_so_and_still_counts_and_writes(project, runner):
    records = [curated(project, "real/1.jpg", "real", 1), curated(project, "ai/1.jpg", "ai", 2)]
    folder = train(project, records, {"real/1.jpg": 0.1, "ai/1.jpg": 0.9})
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0
    assert "Of the real portraits, 0/1 = 0.0 %" in ran.stdout
    assert "No picture matches: there are no real portraits called ai here." in ran.stdout
    assert rows_of(folder) == []
    assert (folder / "audit" / "top-losses.csv").read_text(encoding="utf-8").startswith("rank,probability,loss,")
    assert "No real portraits called ai" in page_of(folder).words
    assert "No picture matches" in page_of(folder).words
    with Image.open(folder / "audit" / "top-losses.png") as sheet:
        assert sheet.width >= 640


def test_a_run_on_a_folder_shows_its_files_once_and_refuses_paths_out_of_it(project, runner):
    photos = project.root / "photos"
    (photos / "valid" / "real").mkdir(parents=True)
    portrait(3).save(photos / "valid" / "real" / "1.jpg")
    portrait(3).save(project.root / "secret.jpg")
    members = [
        "valid/real/1.jpg",
        "../secret.jpg",
        str(project.root / "secret.jpg"),
        "valid/..\\..\\secret.jpg",
        "a\0b",
    ]
    records = [Record(source="folder:photos", member=member, label="real", split="valid") for member in members]
    folder = train(project, records, dict.fromkeys(members, 0.9), folder=str(photos), manifest="", manifest_digest="")
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0, ran.output
    assert "3 × refused: the member points out of its folder" in ran.stderr
    page = page_of(folder)
    assert page.tags.count("img") == 2  # the one picture, in the index and in its entry
    assert "Read as it is from the folder" in page.words


def test_drawn_pictures_are_said_to_mean_nothing_in_every_output(project, runner):
    record = replace(curated(project, "real/1.png", "real", 1), source="sample:42")
    folder = train(project, [record], {"real/1.png": 0.9})
    ran = runner.invoke(main, ["top-losses"])
    assert "No figure here means anything about portraits of real people." in ran.stdout
    assert "No figure here means anything" in page_of(folder).words
    assert rows_of(folder)[0]["note"] == "drawn picture"
    ran = runner.invoke(main, ["top-losses", "--json"])
    assert "No figure here means anything" in json.loads(ran.stdout)["sentences"][0]


def test_label_names_come_from_the_run(project, runner):
    record = replace(curated(project, "1.jpg", "real", 1), label="photo")
    folder = train(project, [record], {"1.jpg": 0.1})
    run = replace(Run.load(folder), labels=("photo", "made"))
    run.save(folder)
    write_predictions(folder, [replace(said_of(record, 0.9), predicted="made")])
    ran = runner.invoke(main, ["top-losses"])
    assert "1 photo portrait called made" in ran.stdout
    assert "P(made)" in ran.stdout


def test_what_cannot_be_audited_exits_1_with_a_hint(project, runner):
    ran = runner.invoke(main, ["top-losses"])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "there is no finished run" in ran.stderr
    folder = train(project, [curated(project, "1.jpg", "real", 1)], {"1.jpg": 0.9})
    ran = runner.invoke(main, ["top-losses", "nope"])
    assert ran.exit_code == 1
    assert "runs here: first" in ran.stderr
    ran = runner.invoke(main, ["top-losses", "--actual", "cat"])
    assert ran.exit_code == 1
    assert "its labels: real, ai" in ran.stderr
    (folder / "predictions.jsonl").unlink()
    assert runner.invoke(main, ["top-losses"]).exit_code == 1


def test_all_with_a_label_is_a_usage_error(trained, runner):
    assert runner.invoke(main, ["top-losses", "--all", "--actual", "real"]).exit_code == 2


def test_the_output_folder_can_be_chosen_and_a_second_run_gives_the_same_bytes(trained, runner, tmp_path):
    for name in ("one", "two"):
        assert runner.invoke(main, ["top-losses", "-o", str(tmp_path / name)]).exit_code == 0
    for kind in ("csv", "png", "html"):
        first, second = ((tmp_path / name / f"top-losses.{kind}").read_bytes() for name in ("one", "two"))
        assert first == second
    assert not (trained / "audit").exists()


@pytest.mark.long
def test_the_command_works_without_ever_importing_torch(trained, project):
    script = (
        "import sys; from audit.cli import main; main(['top-losses', '--quiet'], standalone_mode=False); "
        "assert not {'torch', 'fastai', 'rembg', 'kaggle'} & set(sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=project.root, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "real portraits" in ran.stdout
