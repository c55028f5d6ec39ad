"""A model of which one bit has changed is not asked: not a run, not an exported one, not with kept features."""

import json
import shutil

import numpy as np
import pytest
from model_world import exported, pictures, trained, unpacked
from read_only import read_only

from imageledger import seal
from imageledger.cli import main as imageledger
from train.cli import main


@pytest.fixture
def project(tmp_path_factory, tmp_path):
    made, _ = trained(tmp_path_factory)
    return shutil.copytree(made.root, tmp_path / "copy")


def predicted(runner, tmp_path, *words):
    new = pictures(tmp_path / "new", 1)
    return runner.invoke(main, ["predict", *map(str, words), *map(str, new), "--json", "--no-stability"])


@pytest.mark.long
@pytest.mark.parametrize("name", ["weights.safetensors", "run.json", "predictions.jsonl"])
def test_a_run_with_one_flipped_bit_is_not_asked_and_the_sentence_says_what_to_do(runner, project, tmp_path, name):
    path = project / "data" / "runs" / "first" / name
    content = bytearray(path.read_bytes())
    content[-9] ^= 0x40  # in the weights an exponent
    path.write_bytes(content)
    done = predicted(runner, tmp_path, "first", "--project", project)
    assert (done.exit_code, done.stdout) == (1, "")
    first, second = done.stderr.splitlines()[-2:]
    assert first.startswith(f"Error: {path} is damaged, or was changed")
    assert second.startswith("Try: put it back from a copy, or make it again; imageledger verify")
    ended = runner.invoke(imageledger, ["verify", "--json", "--project", str(project)])
    assert f"data/runs/first/{name}" in [row["what"] for row in json.loads(ended.stdout)]


@pytest.mark.long
def test_a_run_without_a_seal_is_asked_as_before(runner, project, tmp_path):
    (project / "data" / "runs" / "first" / seal.FILE).unlink()
    done = predicted(runner, tmp_path, "first", "--project", project)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "ok"


@pytest.mark.long
def test_a_run_in_a_project_on_a_read_only_disk_is_asked_and_it_is_said_that_nothing_is_kept(runner, project, tmp_path):
    for path in (project / "data" / "measured").glob("*"):
        path.unlink()
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    pictures(tmp_path / "new", 1)
    with read_only(project):
        with pytest.raises(OSError, match="Read-only file system"):
            (project / "touched").touch()
        done = predicted(runner, tmp_path, "first", "--project", project, "--workers", "1")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "ok"
    assert done.stderr.count("is read-only: what is measured now is not kept") == 1
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
    again = predicted(runner, tmp_path, "first", "--project", project)
    assert again.stdout == done.stdout


@pytest.mark.long
def test_no_number_in_model_json_can_be_changed_unnoticed(runner, tmp_path_factory, tmp_path):
    folder = unpacked(exported(tmp_path_factory), tmp_path / "model")
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"threshold": 0.5', '"threshold": 0.9'))
    done = predicted(runner, tmp_path, folder)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "does not match its seal" in done.stderr
    ended = runner.invoke(imageledger, ["verify", "--json", str(folder)])
    assert "does not match its seal" in json.loads(ended.stdout)[0]["why"]
    (folder / "model.json").write_text(text)
    assert runner.invoke(imageledger, ["verify", str(folder)]).exit_code == 0
    (folder / "model.onnx").write_bytes(b"another")
    ended = runner.invoke(imageledger, ["verify", "--json", str(folder)])
    assert [row["what"] for row in json.loads(ended.stdout)] == [f"{folder}: model.onnx"]


def test_kept_features_of_which_any_bit_has_changed_are_made_again(tmp_path):
    from train.network import features

    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    path, whole = tmp_path / "a.npy", features._written(values)
    path.write_bytes(whole)
    assert (features._read(path) == values).all()
    path.write_bytes(seal.opened_bytes(whole)[0])
    assert (features._read(path) == values).all()  # kept by an older version
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
        assert features._read(path) is None
