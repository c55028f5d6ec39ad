"""What verify finds beyond manifests and objects, and what a command does that meets it first."""

import json
import shutil

import foreign_world
import pytest

from curate.cli import main as curate
from curate.evidence.measure import measure
from imageledger import manifest, seal
from imageledger.cli import main
from imageledger.config import Project, open_project


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Project:
    return foreign_world.build(tmp_path_factory.mktemp("rot") / "project")


@pytest.fixture
def world(made, tmp_path) -> Project:
    """A project with a sealed run, all of it sound; a copy for each test."""
    shutil.copytree(made.root, tmp_path / "project")
    project = open_project(tmp_path / "project")
    for folder in (project.runs / "crossed" / "folds").iterdir():
        (folder / "weights.safetensors").write_bytes(b"weights of a fold")
        seal.write(folder)
    for name in ("crossed", "first"):
        seal.write(project.runs / name)
    return project


def verified(project, runner, *words) -> list[dict[str, str]]:
    ended = runner.invoke(main, ["verify", "--json", "--project", str(project.root), *words])
    assert isinstance(ended.exception, SystemExit | None), ended.exception
    found = json.loads(ended.stdout)
    assert ended.exit_code == bool(found)
    assert not found or "Try: " in ended.stderr
    return found


def flip(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def test_a_sound_project_is_found_sound(world, runner):
    assert verified(world, runner) == []


@pytest.mark.parametrize(
    "name",
    ["run.json", "predictions.jsonl", "folds/1-1/weights.safetensors", "folds/1-2/run.json", "calibration.json",
     "folds/1-2/predictions.jsonl", "SHA256SUMS", "audit/foreign-real-x.json"],
)  # fmt: skip
def test_a_flipped_bit_in_a_run_or_a_fold_is_found_and_named_with_the_way_back(world, runner, name):
    flip(world.runs / "crossed" / name)
    found = verified(world, runner)
    folder = name.rpartition("/")[0] if name.startswith("folds") else ""
    assert {row["concerns"] for row in found} == {"run crossed"}
    assert all(row["what"].startswith(f"data/runs/crossed/{folder}") for row in found)
    assert all("again" in row["restore"] for row in found)


def test_a_weight_file_that_is_gone_and_one_that_nobody_sealed_are_found(world, runner):
    (world.runs / "crossed" / "folds" / "1-1" / "weights.safetensors").unlink()
    (world.runs / "first" / "weights.safetensors").write_bytes(b"somebody else's")
    whys = {row["what"]: row["why"] for row in verified(world, runner)}
    assert whys == {
        "data/runs/crossed/folds/1-1/weights.safetensors": "is missing",
        "data/runs/first/weights.safetensors": "is not in the seal",
    }


def test_a_run_of_an_older_version_is_said_to_have_no_seal_and_is_no_damage(made, runner):
    ended = runner.invoke(main, ["verify", "--project", str(made.root)])
    assert ended.exit_code == 0, ended.stderr
    assert "run crossed has no seal: it was made before runs were sealed, and cannot be verified" in ended.stderr


def test_a_changed_card_is_found_even_if_it_still_reads_as_one(world, runner):
    path = manifest.card_path(world.manifest("normalize"))
    path.write_text(path.read_text().replace('"size": 48', '"size": 49'))
    (found,) = verified(world, runner)
    assert (found["what"], found["restore"]) == ("normalized.card.json", "curate normalize")
    assert "does not match its seal" in found["why"]


def test_a_card_of_an_older_version_is_read_and_said_to_have_no_seal(world, runner):
    path = manifest.card_path(world.manifest("normalize"))
    path.write_text(json.dumps({name: value for name, value in json.loads(path.read_text()).items() if name != "seal"}))
    ended = runner.invoke(main, ["verify", "--project", str(world.root)])
    assert ended.exit_code == 0, ended.stderr
    assert "normalized.card.json without a seal" in ended.stderr


def test_an_edited_final_csv_is_found_and_the_named_command_mends_it(world, runner):
    table = world.manifest("manifest").with_suffix(".csv")
    sound = table.read_bytes()
    table.write_bytes(sound.replace(b"real", b"fake", 1))
    (found,) = verified(world, runner)
    assert (found["what"], found["restore"]) == ("final.csv", "curate manifest")
    assert runner.invoke(curate, ["manifest", "--project", str(world.root)]).exit_code == 0
    assert table.read_bytes() == sound


def test_a_damaged_number_is_found_measured_again_and_removed_on_request(world, runner):
    rows = [row for row in manifest.read(world.manifest("manifest")) if row.file]
    sound = measure(world, rows, ("tone",), workers=1).values["tone"]
    path = next((world.root / "data" / "measured").glob("tone@*.jsonl"))
    text = path.read_text()
    digit = text.index('": 0.') + 5
    path.write_text(text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :])
    (found,) = verified(world, runner)
    assert found["why"] == "line 1 torn or damaged"
    assert (measure(world, rows, ("tone",), workers=1).values["tone"] == sound).all()
    assert verified(world, runner, "--remove-damaged")
    assert verified(world, runner) == []
    assert (measure(world, rows, ("tone",), workers=1).values["tone"] == sound).all()


def test_a_number_of_a_damaged_picture_is_never_kept_under_its_name(world):
    from imageledger.errors import StoreError

    rows = [row for row in manifest.read(world.manifest("manifest")) if row.file]
    kept = next((world.root / "data" / "measured").glob("tone@*.jsonl"))
    kept.unlink()
    path = world.store.path(rows[1].file)
    path.chmod(0o644)
    flip(path)
    with pytest.raises(StoreError, match="is damaged"):
        measure(world, rows, ("tone",), workers=1)
    assert not kept.exists() or rows[1].file not in kept.read_text()


def test_damaged_features_are_found_and_removed_on_request(world, runner):
    path = world.root / "data" / "features" / "0123456789abcdef" / "ab" / "ab.png.npy"
    path.parent.mkdir(parents=True)
    path.write_bytes(seal.sealed_bytes(b"numbers"))
    assert verified(world, runner) == []
    flip(path)
    (found,) = verified(world, runner, "--remove-damaged")
    assert found["what"].endswith("ab.png.npy")
    assert not path.exists()


def test_a_decision_that_cannot_be_read_is_found(world, runner):
    (world.folder / "decisions.jsonl").write_text("{\n")
    (found,) = verified(world, runner)
    assert found["what"] == "decisions.jsonl"
    assert "write {" in found["restore"]


def test_a_stage_and_a_training_refuse_a_manifest_that_its_card_does_not_vouch_for(world, runner):
    from imageledger.errors import ManifestError
    from train.pictures import from_manifest

    for stage, command in (("fetch", "normalize"), ("deduped", "manifest")):
        path = world.folder / ("fetched.jsonl" if stage == "fetch" else "deduped.jsonl")
        text = path.read_text()
        path.write_text(text.replace('"label":"ai"', '"label":"real"', 1))
        ended = runner.invoke(curate, [command, "--project", str(world.root)])
        assert ended.exit_code == 1
        assert f"{path.name} is damaged, or was changed by hand" in ended.stderr
        assert "makes it again" in ended.stderr
        path.write_text(text)
    final = world.manifest("manifest")
    final.write_text(final.read_text().replace('"split":"valid"', '"split":"train"', 1))
    with pytest.raises(ManifestError, match="does not match its card"):
        from_manifest(final, world.store, ("real", "ai"))


def test_statistics_of_a_run_are_not_made_from_damaged_answers(world):
    from imageledger.errors import RunError
    from train.answers import Answers

    flip(world.runs / "crossed" / "folds" / "1-2" / "predictions.jsonl")
    with pytest.raises(RunError, match="is damaged, or was changed"):
        Answers.of(world, "crossed")
