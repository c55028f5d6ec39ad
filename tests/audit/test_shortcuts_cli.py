"""audit shortcuts on a small drawn project: what it prints and writes, and each of its exit codes."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from shortcut_world import FAST, HOSTILE, STEM, dataset

from audit.cli import main
from audit.self_test import work as selftest
from curate.evidence.probe import PERMUTATIONS
from curate.nuisance import FAMILIES
from imageledger import manifest
from imageledger.config import open_project

pytestmark = pytest.mark.usefixtures("quick_probe")


@pytest.fixture(scope="module")
def curated(tmp_path_factory):
    """A project whose ai pictures are darker, measured once for all tests of this module."""
    root = tmp_path_factory.mktemp("shortcuts")
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    opened = open_project(root)
    dataset(opened)
    return opened


@pytest.fixture
def inside(curated, monkeypatch):
    """The project, with the working directory in it."""
    monkeypatch.chdir(curated.root)
    return curated


def test_one_stage_is_a_table_a_conclusion_what_to_do_and_the_files(inside, runner):
    ran = runner.invoke(main, ["shortcuts", *FAST])
    assert ran.exit_code == 0, ran.output
    assert "16 real and 16 ai pictures, final" in ran.stdout
    assert "SHORTCUT" in ran.stdout
    assert "The file alone tells the classes apart with AUC" in ran.stdout
    assert "What to do about tone: " in ran.stdout
    folder = inside.root / "data" / "audit" / "shortcuts"
    assert ran.stdout.splitlines()[-4:] == [str(folder / f"{STEM}.{kind}") for kind in ("csv", "json", "png", "html")]
    assert all((folder / f"{STEM}.{kind}").stat().st_size > 400 for kind in ("csv", "json", "png", "html"))
    assert "probing final: 32 pictures, 300 permutations" in ran.stderr
    assert max(len(line) for line in ran.stdout.splitlines() if line[:1] in "┃│") <= 120


@pytest.mark.long
def test_all_stages_stand_side_by_side(inside, runner, tmp_path):
    ran = runner.invoke(main, ["shortcuts", "--stage", "all", "-o", str(tmp_path), *FAST])
    assert ran.exit_code == 0, ran.output
    container = next(line for line in ran.stdout.splitlines() if line.startswith("│") and "container" in line)
    assert "1.00 ✗" in container
    assert container.rstrip(" │").endswith("–")
    assert "Not made yet: whitened (by curate whiten)." in ran.stdout
    assert "All together, stage by stage: 1.00 fetched, " in ran.stdout
    assert "✗ SHORTCUT, ? INCONCLUSIVE, ✓ CLEAN, – does not apply." in ran.stdout
    with (tmp_path / "shortcuts-container-tone.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    stages = ["fetched"] * 3 + ["normalized"] * 3 + ["final"] * 3 + ["model-input"] * 2
    assert [row["stage"] for row in rows] == stages
    assert {row["verdict"] for row in rows} <= {"SHORTCUT", "CLEAN", "INCONCLUSIVE"}
    assert (rows[0]["family"], rows[0]["verdict"], rows[0]["negatives"]) == ("container", "SHORTCUT", "16")


def test_json_is_one_object_with_probes_sentences_and_files(inside, runner, tmp_path):
    ran = runner.invoke(main, ["shortcuts", "--json", "-o", str(tmp_path), *FAST])
    told = json.loads(ran.stdout)
    assert (told["stage"], told["verdict"], told["seed"]) == ("final", "SHORTCUT", 42)
    assert [probe["family"] for probe in told["stages"][0]["probes"]] == ["container", "tone", "all"]
    assert told["stages"][0]["pictures"] == {"real": 16, "ai": 16}
    assert told["to_do"][0]["family"] in ("tone", "container")
    assert Path(told["files"]["html"]).is_file()
    written = json.loads((tmp_path / f"{STEM}.json").read_text(encoding="utf-8"))
    assert {**told, **written} == {**written, "files": told["files"]}
    assert written["about"] == {"final": manifest.digest(inside.manifest("manifest"))}
    assert {len(keys) for keys in written["examples"].values()} == {6}


@pytest.mark.long
def test_the_same_audit_again_gives_the_same_bytes(inside, runner, tmp_path):
    for name in ("one", "two"):
        ran = runner.invoke(main, ["shortcuts", "-o", str(tmp_path / name), *FAST])
        assert ran.exit_code == 0, ran.output
    for kind in ("csv", "json", "png", "html"):
        one, two = ((tmp_path / name / f"{STEM}.{kind}").read_bytes() for name in ("one", "two"))
        assert one == two, kind


def test_the_gate_ends_with_exit_code_3_and_still_writes(inside, runner, tmp_path):
    ran = runner.invoke(main, ["shortcuts", "--fail-on", "shortcut", "-o", str(tmp_path), *FAST])
    assert ran.exit_code == 3
    assert "probes found a shortcut: " in ran.stderr
    assert (tmp_path / f"{STEM}.html").is_file()


def test_the_gate_lets_an_equal_dataset_pass(project, runner):
    dataset(project, darker=1.0)
    ran = runner.invoke(main, ["shortcuts", "--fail-on", "shortcut", "--permutations", "200", "--family", "tone"])
    assert ran.exit_code == 0, ran.output
    assert "With 16 pictures per class, chance alone reaches AUC" in ran.stdout


def test_a_project_without_a_manifest_is_exit_code_1_with_a_hint(project, runner):
    ran = runner.invoke(main, ["shortcuts"])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "has no manifest" in ran.stderr
    assert "Try: curate fetch" in ran.stderr


def test_a_manifest_file_that_is_not_there_is_exit_code_1(inside, runner):
    ran = runner.invoke(main, ["shortcuts", "nothing.jsonl"])
    assert ran.exit_code == 1
    assert "nothing.jsonl" in ran.stderr


def test_an_unknown_family_is_exit_code_1_and_names_the_known_ones(inside, runner):
    ran = runner.invoke(main, ["shortcuts", "--family", "faces"])
    assert ran.exit_code == 1
    assert "there is no family 'faces'" in ran.stderr
    assert "jpeg-history" in ran.stderr


def test_too_few_pictures_are_exit_code_1(project, runner):
    dataset(project, each=6)
    ran = runner.invoke(main, ["shortcuts", *FAST])
    assert ran.exit_code == 1
    assert "too few pictures to judge (6 real, 6 ai)" in ran.stderr


def test_a_missing_object_is_exit_code_1_and_is_named(project, runner):
    records = dataset(project)
    project.store.path(records[3].file).unlink()
    ran = runner.invoke(main, ["shortcuts", *FAST])
    assert ran.exit_code == 1
    assert f"object {records[3].file} is missing" in ran.stderr


def test_options_that_make_no_sense_are_exit_code_2(inside, runner):
    assert runner.invoke(main, ["shortcuts", "--stage", "cooked"]).exit_code == 2
    assert runner.invoke(main, ["shortcuts", "--permutations", "3"]).exit_code == 2
    assert runner.invoke(main, ["shortcuts", "--quick"]).exit_code == 2


def test_the_help_names_every_family_and_the_default_number_of_permutations(runner):
    told = "".join(runner.invoke(main, ["shortcuts", "--help"]).stdout.split())
    assert f"[default:{PERMUTATIONS};x>=100]" in told
    assert f"allof{','.join(name.replace('_', '-') for name in FAMILIES)})" in told


def test_a_broken_or_missing_project_that_was_named_is_an_error_of_the_self_test_too(tmp_path, monkeypatch, runner):
    monkeypatch.chdir(tmp_path)
    ran = runner.invoke(main, ["self-test", "--project", str(tmp_path)])
    assert ran.exit_code == 1
    assert "no imageledger.toml" in ran.stderr
    (tmp_path / "imageledger.toml").write_text("dataset = [", encoding="utf-8")
    ran = runner.invoke(main, ["self-test"])
    assert ran.exit_code == 1
    assert "not valid TOML" in ran.stderr


def test_a_hostile_name_reaches_neither_terminal_nor_markup(inside, runner, tmp_path):
    ran = runner.invoke(main, ["shortcuts", "-o", str(tmp_path), *FAST])
    page = (tmp_path / f"{STEM}.html").read_text(encoding="utf-8")
    for text in (ran.output, page):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert HOSTILE not in page
    assert "<script" not in page


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 3)])
def test_the_self_test_needs_no_project_and_fails_with_exit_code_3(tmp_path, monkeypatch, runner, passed, code):
    asked = {}
    row = {"planted": "jpeg", "right": "yes", "AUC": 0.9, "interval": "0.80–1.00", "p": 0.0005, "named": "jpeg-history"}
    report = SimpleNamespace(rows=lambda: [row], sentences=["One of one."], passed=passed, doses=[], planted=[])
    monkeypatch.chdir(tmp_path)

    def run(project, *, settings, track):
        asked.update(settings=settings, project=project)
        return report

    monkeypatch.setattr(selftest, "run", run)
    ran = runner.invoke(main, ["self-test", "--quick", "--seed", "7"])
    assert ran.exit_code == code, ran.output
    assert (asked["project"], asked["settings"].quick, asked["settings"].seed) == (None, True, 7)
    assert "jpeg-history" in ran.stdout
    assert "One of one." in ran.stdout
    assert ("failed its own test" in ran.stderr) == (not passed)


def test_fewer_pictures_than_there_are_can_be_looked_at_and_that_is_said(inside, runner):
    ran = runner.invoke(main, ["shortcuts", *FAST, "--most", "12"])
    assert ran.exit_code == 0, ran.output
    assert "12 real and 12 ai pictures, final" in ran.stdout
    assert "24 of 32 pictures were measured, at most 12 of each label" in ran.stdout


def test_the_old_flag_of_the_self_test_names_the_new_command(tmp_path, monkeypatch, runner):
    monkeypatch.chdir(tmp_path)
    ran = runner.invoke(main, ["shortcuts", "--self-test"])
    assert ran.exit_code == 1
    assert ran.stderr.splitlines()[-1] == "Try: audit self-test"


def test_so_few_permutations_that_none_could_show_a_shortcut_are_refused_with_the_number_that_could(inside, runner):
    result = runner.invoke(main, ["shortcuts", "--family", "tone", "--family", "container", "--permutations", "199"])
    assert result.exit_code == 1
    assert "199 permutations cannot show a shortcut among 2 families" in result.stderr
    assert "Try: --permutations 200" in result.stderr
