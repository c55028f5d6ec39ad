"""A project's own verbs: init, status and verify, and what verify can have made again."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from curate.cli import main as curate
from imageledger import manifest
from imageledger.cli import main
from imageledger.config import FILE, Project, SourceEntry, open_project, settings
from imageledger.record import Record
from imageledger.stage import Stage, run_seeds

COUNT = 6


def portrait(number: int) -> Image.Image:
    picture = Image.effect_noise((80, 96), 40).convert("RGB")
    ImageDraw.Draw(picture).ellipse((20, 20, 60, 70), fill=(200, 30 * number % 255, 120))
    return picture


@pytest.fixture
def curated(project, runner) -> Project:
    """A project whose first two stages were run on a few drawn pictures."""
    for label in ("real", "ai"):
        (project.root / "pictures" / label).mkdir(parents=True)
        for number in range(COUNT):
            portrait(number).save(project.root / "pictures" / label / f"{number}.png")
    (project.root / FILE).write_text(
        'dataset = "drawn"\n[normalize]\ndetector = "cascade"\nrecipe = "plain"\nsize = 48\n'
    )
    words = ["fetch", "folder:pictures", "--labels", "real/**=real,ai/**=ai"]
    for command in (words, ["normalize", "--workers", "1"]):
        ended = runner.invoke(curate, command)
        assert ended.exit_code == 0, ended.output
    return open_project(project.root)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def row_of(project: Project, stage: str, number: int = 0) -> Record:
    return list(manifest.read(project.manifest(stage)))[number]


def test_init_writes_what_it_says_and_prints_the_next_three_commands(tmp_path, runner, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = runner.invoke(main, ["init", "faces", "--dataset", "portraits-2"])
    assert (ended.exit_code, ended.stdout) == (0, "faces/imageledger.toml\n")
    lines = [line.strip() for line in ended.stderr.splitlines()]
    assert lines[0] == "Next:"
    assert [line.split()[:2] for line in lines[2:]] == [["curate", "fetch"], ["curate", "run"], ["train", "run"]]
    assert lines[1] == "cd faces"
    found = {path.relative_to("faces").as_posix() for path in Path("faces").rglob("*") if path.is_file()}
    assert found == {FILE, "data/README.md", "manifests/README.md", ".gitignore"}
    assert open_project(Path("faces")).dataset == "portraits-2"


def test_init_without_a_folder_makes_this_one_a_project(tmp_path, runner, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = runner.invoke(main, ["init"])
    assert ended.exit_code == 0
    assert "cd " not in ended.stderr
    assert (tmp_path / FILE).is_file()


def test_init_refuses_a_second_time_and_changes_nothing(tmp_path, runner):
    runner.invoke(main, ["init", str(tmp_path)])
    (tmp_path / FILE).write_text('dataset = "mine"\n')
    before = bytes_below(tmp_path)
    ended = runner.invoke(main, ["init", str(tmp_path)])
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "exists already" in ended.stderr
    assert "Try: imageledger status" in ended.stderr
    assert bytes_below(tmp_path) == before


def test_init_keeps_the_files_that_are_there(tmp_path, runner):
    (tmp_path / "data").mkdir()
    for name in (".gitignore", "data/README.md"):
        (tmp_path / name).write_text("mine\n")
    runner.invoke(main, ["init", str(tmp_path)])
    assert [(tmp_path / name).read_text() for name in (".gitignore", "data/README.md")] == ["mine\n"] * 2


@pytest.mark.parametrize("name", ["a/b", "", "..", 'a"b', "a\\nb"])
def test_init_refuses_a_name_that_no_folder_can_have_and_leaves_no_project(tmp_path, runner, name):
    ended = runner.invoke(main, ["init", str(tmp_path), "--dataset", name])
    assert ended.exit_code == 1
    assert ended.stderr.startswith("Error: ")
    assert list(tmp_path.iterdir()) == []


def uncommented(text: str) -> str:
    return re.sub(r"(?m)^# (?=\w+ = |\[\[)", "", text)


def test_every_commented_setting_of_the_template_is_accepted_when_uncommented(tmp_path, runner):
    from curate.dedupe.work import DedupeSettings
    from curate.manifest.work import ManifestSettings
    from curate.normalize.settings import NormalizeSettings
    from curate.whiten.work import WhitenSettings
    from train.config import TrainSettings

    runner.invoke(main, ["init", str(tmp_path)])
    path = tmp_path / FILE
    text = path.read_text()
    path.write_text(uncommented(text))
    assert len(re.findall(r"(?m)^#", text)) > len(re.findall(r"(?m)^#", path.read_text())) + 10
    opened = open_project(tmp_path)
    kinds = {
        "normalize": NormalizeSettings,
        "dedupe": DedupeSettings,
        "whiten": WhitenSettings,
        "manifest": ManifestSettings,
        "train": TrainSettings,
    }
    assert opened.tables.keys() == kinds.keys()
    for name, kind in kinds.items():
        assert opened.tables[name]
        assert settings(kind, opened.tables[name]) == kind(), f"the template shows other defaults for [{name}]"
    assert isinstance(opened.sources[0], SourceEntry)
    plain = tomllib.loads(text)
    assert set(tomllib.loads(path.read_text())) - set(plain) == {"licences", "order", "source"}


def test_the_template_as_written_sets_only_defaults(tmp_path, runner):
    from imageledger.config import Declared

    runner.invoke(main, ["init", str(tmp_path)])
    opened = open_project(tmp_path)
    assert opened.declared == Declared()
    assert not any(opened.tables.values())


def test_status_of_an_empty_project_says_to_fetch(project, runner):
    ended = runner.invoke(main, ["status"])
    assert ended.exit_code == 0
    assert ended.stdout.count("not made yet") == 5
    assert "Next: curate fetch" in ended.stderr
    shown = json.loads(runner.invoke(main, ["status", "--json"]).stdout)
    assert shown["dataset"] == "drawn"
    assert [row["stage"] for row in shown["stages"]] == ["fetch", "normalize", "dedupe", "whiten", "manifest"]
    assert shown["runs"] == []


def test_status_outside_a_project_says_how_to_make_one(tmp_path, runner, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = runner.invoke(main, ["status"])
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "imageledger init" in ended.stderr


def test_status_counts_by_stage_label_and_status_and_knows_what_comes_next(curated, runner):
    ended = runner.invoke(main, ["status", "--json"])
    rows = [row for row in json.loads(ended.stdout)["stages"] if row["stage"] in ("fetch", "normalize")]
    assert [(row["stage"], row["label"], row["state"], row["ok"]) for row in rows] == [
        (stage, label, "current", COUNT) for stage in ("fetch", "normalize") for label in ("ai", "real")
    ]
    assert "Next: curate dedupe" in runner.invoke(main, ["status"]).stderr


def test_status_sees_a_stage_that_is_older_than_the_one_before(curated, runner):
    portrait(9).save(curated.root / "pictures" / "real" / "9.png")
    runner.invoke(curate, ["fetch"])
    shown = runner.invoke(main, ["status"])
    assert "older than the stage before" in shown.stdout
    assert "Next: curate normalize" in shown.stderr


def test_status_shows_training_runs_and_which_of_them_are_damaged(curated, runner):
    good, bad = (curated.runs / name / "run.json" for name in ("first", "second"))
    for path in (good, bad):
        path.parent.mkdir(parents=True)
    metrics = {"valid": {"accuracy": {"hits": 36, "n": 40, "interval": [0.769, 0.9604]}}}
    good.write_text(json.dumps({"name": "first", "settings": {"arch": "resnet18"}, "metrics": metrics}))
    bad.write_text("{")
    runs = json.loads(runner.invoke(main, ["status", "--json"]).stdout)["runs"]
    assert [run["run"] for run in runs] == ["first", "second"]
    assert re.search(r"36/40.*76\.9–96\.0", runs[0]["validation accuracy"])
    assert "damaged" in runs[1]["validation accuracy"]


def test_status_takes_the_project_from_an_option(curated, runner, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert "drawn" in runner.invoke(main, ["status", "--project", str(curated.root)]).stdout


def test_verify_finds_nothing_where_nothing_is_wrong(curated, runner):
    ended = runner.invoke(main, ["verify"])
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert "All manifests match their cards" in ended.stderr
    assert json.loads(runner.invoke(main, ["verify", "--json"]).stdout) == []


def verified(runner) -> list[dict[str, str]]:
    ended = runner.invoke(main, ["verify", "--json"])
    assert ended.exit_code == 1
    assert "Error: " in ended.stderr
    return json.loads(ended.stdout)


def test_verify_finds_a_flipped_bit_and_names_the_picture_and_the_command(curated, runner):
    row = row_of(curated, "normalize", 3)
    flip_a_bit(curated.store.path(row.file))
    assert verified(runner) == [
        {"what": row.file, "why": "does not match its name", "concerns": row.name, "restore": "curate normalize"}
    ]


def test_verify_finds_a_missing_object(curated, runner):
    row = row_of(curated, "fetch", 3)
    curated.store.path(row.file).unlink()
    assert verified(runner) == [
        {"what": row.file, "why": "is missing", "concerns": row.name, "restore": "curate fetch"}
    ]


def test_verify_finds_an_edited_manifest(curated, runner):
    path = curated.manifest("normalize")
    path.write_text(path.read_text().replace('"label":"ai"', '"label":"real"', 1))
    (found,) = verified(runner)
    assert (found["what"], found["restore"]) == ("normalized.jsonl", "curate normalize")
    assert "card" in found["why"]


def test_verify_finds_a_missing_card_and_a_missing_manifest(curated, runner):
    manifest.card_path(curated.manifest("fetch")).unlink()
    curated.manifest("normalize").unlink()
    first, second = verified(runner)
    assert (first["what"], first["restore"]) == ("fetched.card.json", "curate fetch")
    assert (second["what"], second["restore"]) == ("normalized.jsonl", "curate normalize")


def test_what_verify_removes_the_stages_make_again(curated, runner):
    before = bytes_below(curated.root / "data" / "objects") | bytes_below(curated.folder)
    flip_a_bit(curated.store.path(row_of(curated, "fetch", 2).file))
    flip_a_bit(curated.store.path(row_of(curated, "normalize", 5).file))
    curated.store.path(row_of(curated, "normalize", 7).file).unlink()
    ended = runner.invoke(main, ["verify", "--remove-damaged"])
    assert ended.exit_code == 1
    assert "3 files are damaged or missing" in ended.stderr
    assert "Try: curate fetch (damaged objects were removed), then curate run" in ended.stderr
    assert runner.invoke(curate, ["fetch"]).exit_code == 0
    assert f"2 worked on, {2 * COUNT - 2} reused" in runner.invoke(curate, ["normalize"]).stderr
    assert runner.invoke(main, ["verify"]).exit_code == 0
    assert bytes_below(curated.root / "data" / "objects") | bytes_below(curated.folder) == before


@pytest.mark.long
def test_an_edited_manifest_or_a_lost_card_is_made_again_by_the_command_that_verify_names(curated, runner):
    before = bytes_below(curated.folder)
    path = curated.manifest("normalize")
    path.write_text(path.read_text().replace('"label":"ai"', '"label":"real"', 1))
    manifest.card_path(curated.manifest("fetch")).unlink()
    for damage in verified(runner):
        assert runner.invoke(main, damage["restore"].split()).exit_code == 0
    assert runner.invoke(main, ["verify"]).exit_code == 0
    assert bytes_below(curated.folder) == before


def test_verify_looks_at_mattes_too_and_at_a_project_made_by_hand(project, runner):
    def work(record: Record) -> Record:
        name = project.store.put(b"picture", "jpg")
        return record.after(stage.step(record), origin=name, file=name, matte=project.store.put(b"matte", "png"))

    stage = Stage(name="fetch", version=1)
    run_seeds(
        stage, work, lambda: [Record(source="folder:x", member="1.jpg", label="real")], count=1, input_digest="",
        output=project.manifest("fetch"), dataset="drawn", store=project.store,
    )  # fmt: skip
    row = row_of(project, "fetch")
    flip_a_bit(project.store.path(row.matte))
    assert [found["what"] for found in verified(runner)] == [row.matte]


def test_a_hostile_manifest_with_a_true_card_is_refused_by_name_and_line(project, runner):
    path = project.manifest("fetch")
    path.parent.mkdir(parents=True)
    path.write_text('{"source":"folder:x","member":"1.jpg","label":"real","file":"../../../etc/passwd"}\n')
    card = manifest.Card(
        dataset="drawn", stage="fetch@1", input="", settings={}, versions={}, rows=1, digest=manifest.digest(path)
    )
    manifest.card_path(path).write_text(card.to_json())
    (found,) = verified(runner)
    assert "fetched.jsonl:1: '../../../etc/passwd' is not the name of an object" in found["why"]


def test_the_three_groups_are_found_by_name_in_the_order_in_which_they_are_used(runner):
    shown = runner.invoke(main, ["--help"]).stdout
    commands = re.findall(r"(?m)^  (\w+) ", shown.partition("Commands:")[2])
    assert commands == ["init", "curate", "train", "audit", "demo", "status", "verify"]
    assert "Commands:" in runner.invoke(main, ["curate", "--help"]).stdout
    assert runner.invoke(main, ["currate"]).exit_code == 2
