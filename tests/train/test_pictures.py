"""What a training refuses before it begins; none of it needs torch."""

import subprocess
import sys
from dataclasses import replace

import pytest
import train_world

from imageledger import manifest
from imageledger.errors import ManifestError, RunError
from train import pictures

LABELS = ("real", "ai")


@pytest.fixture
def drawn(project):
    rows = train_world.records(project, train=4, valid=2)
    manifest.write(project.manifest("manifest"), rows)
    return project, rows


def listed(project, rows):
    path = project.root / "try.jsonl"
    manifest.write(path, rows)
    return pictures.from_manifest(path, project.store, LABELS)


def test_the_pictures_come_in_the_order_of_the_manifest(drawn):
    project, rows = drawn
    found = listed(project, rows)
    assert [(p.source, p.member, p.label, p.split) for p in found] == [(*r.key, r.label, r.split) for r in rows]
    assert all(p.path.is_file() for p in found)


def test_rows_set_aside_are_not_trained_on_and_need_no_split(drawn):
    project, rows = drawn
    aside = replace(rows[0], status="unused", split="", file="")
    assert len(listed(project, [aside, *rows[1:]])) == len(rows) - 1


def test_rows_without_a_split_are_refused_with_the_stage_that_gives_one(drawn):
    project, rows = drawn
    with pytest.raises(RunError, match="1 of 12 rows") as caught:
        listed(project, [replace(rows[0], split=""), *rows[1:]])
    assert "curate manifest" in caught.value.hint


@pytest.mark.parametrize("split", ["train", "valid"])
def test_a_class_that_is_empty_on_one_side_is_refused(drawn, split):
    project, rows = drawn
    with pytest.raises(RunError, match=f"class 'ai' has no picture in {split}"):
        listed(project, [row for row in rows if (row.label, row.split) != ("ai", split)])


def test_a_label_that_the_project_does_not_know_is_refused(drawn):
    project, rows = drawn
    with pytest.raises(RunError, match="'cat'"):
        listed(project, [replace(rows[0], label="cat"), *rows[1:]])


def test_a_missing_object_is_refused_by_name(drawn):
    project, rows = drawn
    project.store.path(rows[3].file).unlink()
    with pytest.raises(RunError, match=rows[3].file) as caught:
        listed(project, rows)
    assert "curate run" in caught.value.hint


def test_a_group_on_both_sides_is_refused(drawn):
    project, rows = drawn
    torn = [replace(row, group="anna") if row.member in ("ai/000.png", "ai/005.png") else row for row in rows]
    with pytest.raises(RunError, match="group anna is on both sides"):
        listed(project, torn)


def test_a_cluster_on_both_sides_is_refused_when_a_copy_was_kept(drawn):
    project, rows = drawn
    torn = [replace(row, duplicate_of=rows[0].name) if row.member == "ai/005.png" else row for row in rows]
    with pytest.raises(RunError, match=f"cluster {rows[0].name} is on both sides"):
        listed(project, torn)


def test_the_same_object_on_both_sides_is_refused(drawn):
    project, rows = drawn
    torn = [replace(row, file=rows[0].file) if row.member == "ai/005.png" else row for row in rows]
    with pytest.raises(RunError, match=r"object .* is on both sides"):
        listed(project, torn)


def test_groups_that_stay_on_one_side_are_accepted(drawn):
    project, rows = drawn
    assert len(listed(project, [replace(row, group=f"{row.split}{row.label}") for row in rows])) == len(rows)


def test_a_missing_manifest_says_what_shows_the_way(project):
    with pytest.raises(ManifestError, match="no manifest"):
        pictures.from_manifest(project.manifest("manifest"), project.store, LABELS)


def test_a_folder_is_listed_like_a_manifest(drawn, tmp_path):
    project, rows = drawn
    folder = train_world.export(project, tmp_path / "tree")
    found = pictures.from_folder(folder, "folder:tree", LABELS)
    assert len(found) == len(rows)
    assert found[0].member == "train/ai/000.png"
    assert [p.member for p in found] == sorted(p.member for p in found)


def test_hidden_files_and_files_that_are_no_pictures_are_passed_over_in_a_folder(drawn, tmp_path):
    folder = train_world.export(drawn[0], tmp_path / "tree")
    (folder / "train" / "ai" / "notes.txt").write_text("x")
    (folder / "train" / "ai" / ".hidden.png").write_text("x")
    assert len(pictures.from_folder(folder, "folder:tree", LABELS)) == 12


def test_a_folder_without_its_two_sides_is_refused(tmp_path):
    with pytest.raises(RunError, match="no folder train/"):
        pictures.from_folder(tmp_path, "folder:x", LABELS)


def test_a_picture_at_the_wrong_depth_of_a_folder_is_refused(drawn, tmp_path):
    folder = train_world.export(drawn[0], tmp_path / "tree")
    deep = folder / "train" / "ai" / "more" / "a.png"
    deep.parent.mkdir()
    deep.write_bytes(train_world.picture("ai", 77))
    with pytest.raises(RunError, match="does not lie in"):
        pictures.from_folder(folder, "folder:tree", LABELS)


def test_the_same_bytes_on_both_sides_of_a_folder_are_refused(drawn, tmp_path):
    folder = train_world.export(drawn[0], tmp_path / "tree")
    (folder / "valid" / "ai" / "copy.png").write_bytes((folder / "train" / "ai" / "000.png").read_bytes())
    with pytest.raises(RunError, match="the same file, on both sides"):
        pictures.from_folder(folder, "folder:tree", LABELS)


def test_the_digest_of_a_folder_follows_its_content(drawn, tmp_path):
    folder = train_world.export(drawn[0], tmp_path / "tree")
    before = pictures.folder_digest(pictures.from_folder(folder, "a", LABELS))
    assert before == pictures.folder_digest(pictures.from_folder(folder, "a", LABELS))
    (folder / "train" / "ai" / "000.png").write_bytes(train_world.picture("ai", 99))
    assert before != pictures.folder_digest(pictures.from_folder(folder, "a", LABELS))


def test_refusals_and_help_come_without_torch():
    code = (
        "import sys, train.cli, train.pictures, train.training, train.config, train.evaluation.metrics, train.runs;"
        "from click.testing import CliRunner;"
        "assert CliRunner().invoke(train.cli.main, ['run', '--help']).exit_code == 0;"
        "heavy = {'torch', 'torchvision', 'fastai', 'numpy', 'pandas', 'PIL', 'rich'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
