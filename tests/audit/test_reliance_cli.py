"""`audit reliance` as a person runs it, on runs with and without weights."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from train_world import build

from audit.cli import main
from audit.reliance import judge as reliance
from audit.reliance import work as reliance_run
from curate.pictures import pixels
from imageledger import manifest
from train.runs import Prediction, Run, read_predictions, write_predictions

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def rows_of(project):
    return list(manifest.read(project.manifest("manifest")))


def leave_run(project, probability, place="first", **changes):
    """A finished run without weights, with these answers."""
    path = project.manifest("manifest")
    folder = project.runs / place
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(
        name=place, manifest=str(path.relative_to(project.root)), manifest_digest=manifest.digest(path),
        labels=("real", "ai"), settings={"arch": "resnet18", "size": 64},
    )  # fmt: skip
    replace(run, **changes).save(folder)
    predictions = [
        Prediction(
            source=row.source, member=row.member, file=row.file, label=row.label, split=row.split,
            probability=(share := probability(row)), loss=0.1, predicted="ai" if share >= 0.5 else "real",
        )
        for row in rows_of(project)
    ]  # fmt: skip
    write_predictions(folder, predictions)
    return folder


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    project = build(tmp_path, train=10, valid=6)
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(reliance_run, "FAMILIES", ("tone", "chroma"))
    return project


def brightness_of(project):
    def said(row):
        image = pixels.decode(project.store.read(row.file)).image
        return float(sigmoid((np.asarray(image).mean() - 90) / 10))

    return said


def test_the_command_tells_the_verdict_and_says_why_nothing_was_swapped(drawn, runner):
    leave_run(drawn, brightness_of(drawn))
    ran = runner.invoke(main, ["reliance"])
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("The model is right on ")
    assert lines[1].partition(":")[0] in (reliance.CANNOT, reliance.INCONCLUSIVE)
    assert "No deliveries were swapped: " in ran.stdout
    assert "Do the answers go with the file within a class? (12 pictures, valid)" in ran.stdout
    assert "Worst where the file says " in ran.stdout


def test_json_is_one_object(drawn, runner):
    leave_run(drawn, brightness_of(drawn))
    ran = runner.invoke(main, ["reliance", "first", "--json"])
    told = json.loads(ran.stdout)
    assert told["accuracy"]["model"]["n"] == 12
    assert told["links"][-1]["family"] == "all"
    assert set(told["links"][0]["by_class"]) == {"real", "ai"}
    assert [cell["label"] for cell in told["cells"]] == ["real", "real", "ai", "ai"]
    assert {one["family"] for one in told["explained"]} == {"tone", "chroma"}
    assert told["swaps"] == []
    assert told["swaps_skipped"]


def test_a_figure_and_the_families_are_left_in_the_folder_of_the_run(drawn, runner):
    folder = leave_run(drawn, brightness_of(drawn))
    ran = runner.invoke(main, ["reliance", "--quiet"])
    *_, png, page = (Path(line) for line in ran.stdout.splitlines() if line.endswith((".png", ".html")))
    assert (png.name, page.name) == ("reliance.png", "reliance.html")
    assert "What the numbers of the file explain" in page.read_text(encoding="utf-8")
    with Image.open(folder / "audit" / "reliance.png") as figure:
        assert figure.width == 2073
        assert len(figure.convert("RGB").resize((80, 40)).getcolors(4000)) > 50
    lines = (folder / "audit" / "reliance.csv").read_text(encoding="utf-8").splitlines()
    assert [line.partition(",")[0] for line in lines] == ["family", "tone", "chroma", "all"]
    before = (folder / "audit" / "reliance.png").read_bytes()
    runner.invoke(main, ["reliance", "--quiet", "-o", "elsewhere"])
    assert Path("elsewhere/reliance.png").read_bytes() == before


def test_two_runs_are_set_beside_each_other_on_the_same_pictures(drawn, runner):
    leave_run(drawn, brightness_of(drawn))
    leave_run(drawn, lambda row: 0.4 + int(row.file[:4], 16) / 400_000, place="other")
    told = json.loads(runner.invoke(main, ["reliance", "first", "--beside", "other", "--json"]).stdout)
    assert told["beside"]["name"] == "other"
    assert told["beside"]["value"] == pytest.approx(told["links"][-1]["rho"] - told["beside"]["theirs"]["rho"])
    (said,) = [sentence for sentence in told["sentences"] if "run other" in sentence]
    assert "difference" in said
    assert "train cross-validate both with --repeats 3" in told["sentences"][-1]
    rows = [row for row in rows_of(drawn) if row.member != "real/011.png"]
    everything = rows_of(drawn)
    manifest.write(drawn.manifest("manifest"), rows)
    leave_run(drawn, brightness_of(drawn), place="smaller")
    manifest.write(drawn.manifest("manifest"), everything)
    ran = runner.invoke(main, ["reliance", "first", "--beside", "smaller"])
    assert ran.exit_code == 1
    assert "has not judged 1 of 12 pictures that run first has judged" in ran.stderr
    assert runner.invoke(main, ["reliance", "first", "--beside", "nothing"]).exit_code == 1


def test_pictures_that_changed_since_are_left_out_with_a_warning_and_too_few_are_refused(drawn, runner):
    leave_run(drawn, brightness_of(drawn))
    rows = rows_of(drawn)
    kept = [row for row in rows if row.member not in ("ai/000.png", "real/003.png")]
    manifest.write(drawn.manifest("manifest"), kept)
    ran = runner.invoke(main, ["reliance"])
    assert ran.exit_code == 0
    assert "has changed since first was trained" in ran.stderr
    assert "2 of 32 pictures are gone or have changed since, and are left out" in ran.stderr
    manifest.write(drawn.manifest("manifest"), kept[8:])
    ran = runner.invoke(main, ["reliance"])
    assert ran.exit_code == 1
    assert "too few pictures to probe" in ran.stderr


def test_a_run_on_a_folder_is_refused_with_the_way_out(drawn, runner):
    leave_run(drawn, brightness_of(drawn), manifest="", folder="exported")
    ran = runner.invoke(main, ["reliance"])
    assert ran.exit_code == 1
    assert "how its pictures came is unknown" in ran.stderr


def test_without_torch_all_but_the_swaps_is_told(drawn):
    leave_run(drawn, brightness_of(drawn))
    (drawn.runs / "first" / "weights.safetensors").write_bytes(b"")
    script = (
        "import sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.partition('.')[0] == 'torch':\n"
        "            raise ModuleNotFoundError('no torch here', name='torch')\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "from audit.reliance import work\n"
        "work.FAMILIES = ('tone', 'chroma')\n"
        "from audit.cli import main\n"
        "main(['reliance', '--quiet'], standalone_mode=False)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=drawn.root, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "No deliveries were swapped: torch cannot be imported" in ran.stdout


def test_a_trained_run_is_asked_about_swapped_deliveries(drawn):
    pytest.importorskip("fastai")
    import trainings

    from train.config import TrainSettings

    settings = TrainSettings(arch="squeezenet1_1", weights="none", epochs=1, size=64, batch_size=8)
    folder, _ = trainings.train(drawn, "tiny", settings)
    report = reliance_run.reliance(drawn, folder)
    assert report.data["swaps_skipped"] == ""
    assert [swap["what"] for swap in report.data["swaps"]] == ["background"], "all else of these pictures is alike"
    for swap in report.data["swaps"]:
        assert [(one["label"], one["flipped"]["n"]) for one in swap["classes"]] == [("real", 6), ("ai", 6)]
    judged = sum(prediction.split == "valid" for prediction in read_predictions(folder))
    assert report.data["accuracy"]["model"]["n"] == judged == 12
    _, _, swaps = report.tables.values()
    assert swaps[0]["real / ai came with"].startswith("background ")
