"""`train predict` as a person meets it: new pictures in, one row each out, and the same numbers as in training."""

import json
import re
import subprocess
import sys

import pytest
from drawn import encoded, portrait
from model_world import edited, exported, originals, pictures, trained, unpacked
from needs import needs
from PIL import Image

from train.cli import main
from train.evaluation.temperature import Calibration

needs("fastai", "onnxscript")

pytestmark = pytest.mark.long


def asked(runner, model, *arguments, stdin=None):
    return runner.invoke(main, ["predict", str(model), *map(str, arguments), "--workers", "1"], input=stdin)


def rows_of(done):
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("how", ["run", "folder of the run", "zip with ONNX", "folder with weights alone"])
def test_a_training_picture_gets_the_very_probability_of_its_run(runner, tmp_path_factory, tmp_path, monkeypatch, how):
    project, folder = trained(tmp_path_factory)
    known = dict(list(originals(project, folder).items())[::9])
    monkeypatch.chdir(tmp_path)
    model, more = folder, ()
    if how == "run":
        model, more = "first", ("--project", project.root)
    elif how == "zip with ONNX":
        model = exported(tmp_path_factory)
    elif how == "folder with weights alone":
        path = edited(exported(tmp_path_factory), tmp_path / "m.zip", files=without_onnx(tmp_path_factory))
        model = unpacked(path, tmp_path / "m")
        (model / "model.onnx").unlink()
    rows = rows_of(asked(runner, model, *known, "--json", "--no-stability", *more))
    assert [row["picture"] for row in rows] == list(known)
    assert [row["probability"] for row in rows] == pytest.approx(list(known.values()), abs=1e-4)
    assert max(known.values()) - min(known.values()) > 1e-3


def without_onnx(tmp_path_factory):
    from train.models import package as packages

    files = packages.read(exported(tmp_path_factory)).package.files
    return {"weights.safetensors": files["weights.safetensors"]}


BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "fastai", "timm", "onnx", "onnxscript", "safetensors"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
from train.cli import main
main(sys.argv[1:])
"""


def test_the_onnx_model_needs_no_torch_and_a_run_says_what_is_missing(runner, tmp_path_factory, tmp_path):
    new = pictures(tmp_path / "new", 2)
    command = [sys.executable, "-c", BLOCKED, "predict", str(exported(tmp_path_factory)), *map(str, new), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    without = [json.loads(line) for line in ended.stdout.splitlines()]
    project, _ = trained(tmp_path_factory)
    torchs = rows_of(asked(runner, "first", *new, "--json", "--project", project.root))
    for one, other in zip(without, torchs, strict=True):
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-4)
        assert one["stability"]["of"] == 5
        assert one["stability"]["high"] == pytest.approx(other["stability"]["high"], abs=1e-4)
    command[4:5] = [str(project.runs / "first")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 1
    assert "imageledger[train]" in ended.stderr


def test_paths_come_from_standard_input_one_a_line(runner, tmp_path_factory, tmp_path):
    new = pictures(tmp_path / "new folder", 2)
    stdin = f"{new[0]}\n\n{new[1]}\r\n".encode()
    rows = rows_of(asked(runner, exported(tmp_path_factory), "-", "--json", "--no-stability", stdin=stdin))
    assert [row["picture"] for row in rows] == [str(path) for path in new]
    empty = asked(runner, exported(tmp_path_factory), "-", stdin=b"\n")
    assert empty.exit_code == 1
    assert "there is no picture to look at" in empty.stderr


def test_a_folder_stands_for_its_pictures_and_broken_ones_are_rows(runner, tmp_path_factory, tmp_path):
    folder = tmp_path / "mixed"
    pictures(folder / "deep", 1)
    (folder / "torn.jpg").write_bytes(encoded(portrait(1, 160)[0], "JPEG")[:900])
    (folder / "page.png").write_bytes(b"<!doctype html><html>")
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "without-suffix").write_bytes(encoded(portrait(2, 160)[0], "PNG"))
    (folder / "small.png").write_bytes(encoded(portrait(3, 80)[0], "PNG"))
    done = asked(runner, exported(tmp_path_factory), folder, tmp_path / "nowhere.jpg", "--json", "--no-stability")
    rows = {row["picture"].rpartition("/")[2]: row for row in rows_of(done)}
    assert set(rows) == {"new0.png", "torn.jpg", "page.png", "without-suffix", "small.png", "nowhere.jpg"}
    assert {name for name, row in rows.items() if row["status"] == "ok"} == {"new0.png", "without-suffix"}
    assert rows["nowhere.jpg"]["reason"] == "no such file"
    assert rows["torn.jpg"]["status"] == rows["page.png"]["status"] == "unreadable"
    assert (rows["small.png"]["status"], rows["small.png"]["verdict"]) == ("rejected", None)
    assert rows["small.png"]["warnings"][0].startswith("too small: 80 px")
    assert "6 pictures:" in done.stderr


def test_nothing_readable_ends_with_one_and_the_rows_all_the_same(runner, tmp_path_factory, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    done = asked(runner, exported(tmp_path_factory), tmp_path / "text.png", "nowhere", "--json")
    assert done.exit_code == 1
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["unreadable"] * 2
    assert "Error: no picture could be read" in done.stderr
    assert asked(runner, exported(tmp_path_factory)).exit_code == 2


def test_when_every_picture_is_too_small_the_least_side_is_said(runner, tmp_path_factory, tmp_path):
    paths = []
    for number in range(2):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(encoded(portrait(number, 80)[0], "PNG"))
    done = asked(runner, exported(tmp_path_factory), *paths, "--no-stability", "--json")
    assert done.exit_code == 3
    least = int(re.search(r"It can be asked about pictures of at least (\d+) px", done.stderr)[1])
    assert all(row["warnings"][0].endswith(f"needs {least}") for row in map(json.loads, done.stdout.splitlines()))
    assert "no picture got an answer" in done.stderr


def test_the_labels_are_the_projects_and_people_get_a_table(runner, tmp_path_factory, tmp_path):
    done = asked(runner, exported(tmp_path_factory), *pictures(tmp_path, 2))
    assert done.exit_code == 0, done.stderr
    assert "P(machine)" in done.stdout
    assert "camera" in done.stdout
    assert "of 5" in done.stdout
    assert "Not calibrated" in done.stderr


def test_a_calibration_divides_the_logit_and_opens_a_band(runner, tmp_path_factory, tmp_path):
    from dataclasses import asdict

    found = Calibration(temperature=8.0, interval=(4.0, 9.0), low=0.05, high=0.95, n=68, fewest=34, kind="split")
    model = edited(exported(tmp_path_factory), tmp_path / "calibrated.zip", calibration=asdict(found))
    done = asked(runner, model, *pictures(tmp_path / "new", 2), "--json", "--no-stability")
    for row in rows_of(done):
        assert row["calibrated"]
        assert row["probability"] == pytest.approx(found.of(row["uncalibrated"]), abs=1e-4)
        assert row["verdict"] == ("unsure" if 0.05 <= row["probability"] <= 0.95 else "camera")
    assert "rests on only 68 pictures" in done.stderr


def test_enlarged_faceless_and_strange_pictures_are_warned_of(runner, tmp_path_factory, tmp_path):
    portrait(5, 60)[0].resize((200, 200), Image.Resampling.BICUBIC).save(tmp_path / "enlarged.png")
    Image.effect_noise((200, 200), 90).convert("RGB").save(tmp_path / "noise.png")
    rows = rows_of(asked(runner, exported(tmp_path_factory), tmp_path, "--json", "--no-stability"))
    enlarged, noise = (" ".join(row["warnings"]) for row in sorted(rows, key=lambda row: row["picture"]))
    assert "upscaled" in enlarged
    assert "no face" in noise
    assert "far from the training pictures" in noise


def test_a_run_on_pictures_without_steps_says_that_they_are_only_resized(runner, tmp_path, monkeypatch):
    import train_world

    from train.config import TrainSettings
    from train.training import task as training

    project = train_world.build(tmp_path / "bare", train=4, valid=2)
    folder = project.runs / "bare"
    folder.mkdir(parents=True)
    settings = TrainSettings(arch="squeezenet1_1", weights="none", epochs=1, size=32, batch_size=8)
    todo = training.task(project, None, None)
    training.fill(folder, "bare", project.declared.labels, todo, settings, lambda *_: None, figures=False).save(folder)
    monkeypatch.chdir(project.root)
    known = originals(project, folder)
    done = asked(runner, "bare", *known, "--json", "--no-stability")
    assert [row["probability"] for row in rows_of(done)] == pytest.approx(list(known.values()), abs=1e-4)
    assert "only decoded and resized" in done.stderr


def test_a_model_that_is_nowhere_or_unsound_ends_with_two_lines(runner, tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 torn")
    odd = edited(exported(tmp_path_factory), tmp_path / "odd.zip", schema=9)
    for model, said in (("nosuch", "no exported model"), ("nosuch.zip", "there is no nosuch.zip"),
                        ("torn.zip", "not a sound zip"), (odd, "newer version")):  # fmt: skip
        done = asked(runner, model, *pictures(tmp_path, 1))
        assert (done.exit_code, done.stdout) == (1, "")
        first, second = done.stderr.splitlines()
        assert first.startswith("Error: ")
        assert said in first
        assert second.startswith("Try: ")


def test_export_says_where_and_refuses_what_is_taken(runner, tmp_path_factory, tmp_path, monkeypatch):
    project, _ = trained(tmp_path_factory)
    monkeypatch.chdir(tmp_path)
    done = runner.invoke(main, ["export", "first", "--project", str(project.root), "-o", "out"])
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "out\n"
    assert "not calibrated" in done.stderr
    again = runner.invoke(main, ["export", "first", "--project", str(project.root), "-o", "out"])
    assert (again.exit_code, again.stdout) == (1, "")
    assert "out exists already" in again.stderr


@pytest.mark.long
def test_real_portraits_go_through_the_steps_of_real_ones(runner, tmp_path, testdata, tmp_path_factory):
    pytest.importorskip("rembg")
    folder = testdata / "portraits" / "unsplash-vs-stylegan2" / "real"
    some = sorted(folder.iterdir())[:12]
    rows = rows_of(asked(runner, exported(tmp_path_factory), *some, "--json"))
    assert [row["status"] for row in rows] == ["ok"] * 12
    assert all(row["stability"]["of"] == 5 for row in rows)
    broken = rows_of(asked(runner, exported(tmp_path_factory), testdata / "bad-input", "--json", "--no-stability"))
    assert {row["status"] for row in broken} == {"ok", "rejected", "unreadable"}
