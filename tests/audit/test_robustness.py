"""Perturbations know pixels alone, models are asked about pictures that they had not seen, and counts are right."""

import ast
import csv
import json

import crossvalidated_world as world
import numpy as np
import pytest
from drawn import portrait
from PIL import Image
from source_tree import ROOT, functions
from train_world import build

from audit.cli import main
from audit.robustness import changes as perturbations
from audit.robustness import work as robustness
from audit.robustness.changes import PERTURBATIONS, QUALITIES, SCALES
from audit.robustness.judge import changed, judge
from curate.pictures import pixels
from imageledger.errors import RunError
from train.runs import read_predictions, write_predictions


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    project = build(tmp_path, train=6, valid=4)
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture
def bright(monkeypatch):
    """A model of every folder that calls pictures ai by how orange they are; notes what it was asked, by folder."""
    asked = {}

    def model(folder):
        def answer(images):
            for image in images:
                asked.setdefault(folder.name, []).append(pixels.pixel_digest(image))
                values = np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=np.float64)
                yield float(1 / (1 + np.exp(-(values[..., 0].max() - values[..., 2].max() - 100) / 20)))

        return answer

    monkeypatch.setattr(robustness, "_model", model)
    return asked


@pytest.mark.parametrize("path", ["audit/robustness/changes.py", "train/degrade.py"])
def test_no_function_that_changes_pixels_is_told_what_they_show(path):
    for function in functions(ROOT / path):
        named = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
        assert not named & {"label", "source", "generator", "record", "prediction", "positive"}, function.name
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert not {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & {"label", "generator"}


@pytest.mark.parametrize("one", PERTURBATIONS, ids=[one.name for one in PERTURBATIONS])
def test_every_change_keeps_the_size_changes_pixels_and_is_the_same_every_time(one):
    image, _ = portrait(3, 97)
    changed = one.change(image)
    assert changed.size == image.size
    assert changed.mode == "RGB"
    assert pixels.pixel_digest(changed) == pixels.pixel_digest(one.change(image.copy()))
    apart = np.abs(np.asarray(changed, dtype=np.float64) - np.asarray(image)).mean()
    assert 0.1 < apart < 40


def test_harder_changes_change_more():
    image, _ = portrait(5, 256)

    def apart(name):
        (one,) = [one for one in PERTURBATIONS if one.name == name]
        return float(np.square(np.asarray(one.change(image), dtype=np.float64) - np.asarray(image)).mean())

    for quality in QUALITIES:
        assert apart(f"JPEG {quality}") < apart(f"JPEG {quality}, size ×0.25")
    assert apart("JPEG 95") < apart("JPEG 75") < apart("JPEG 60") < apart("JPEG 40")
    assert apart("blur 1 px") < apart("blur 2 px")
    assert apart("noise 4/255") < apart("noise 10/255")
    assert apart("WebP 80") < apart("WebP 50")


def test_the_smallest_pictures_survive():
    for one in PERTURBATIONS:
        assert one.change(Image.new("RGB", (9, 9), (200, 20, 10))).size == (9, 9)


def test_the_grid_is_whole_and_names_are_unlike():
    assert {(one.quality, one.scale) for one in PERTURBATIONS if one.quality} == {
        (quality, scale) for quality in QUALITIES for scale in SCALES
    }
    assert len({one.name for one in PERTURBATIONS}) == len(PERTURBATIONS)


def test_counts_are_right_and_a_change_that_costs_is_told_from_one_that_does_not():
    n, many = 40, len(PERTURBATIONS)
    positive = np.arange(n) % 2 == 0
    shares = np.tile(np.where(positive, 0.9, 0.1)[:, None], (1, many + 1))
    shares[:12, 3] = 1 - shares[:12, 3]
    shares[0, 5] = 0.2
    clean, *cells = judge(shares, positive, np.arange(n))
    assert clean.right == n
    assert clean.flipped == 0
    hit = cells[2]
    assert (hit.right, hit.flipped, hit.towards, hit.wrong) == (28, 12, (6, 6), (6, 6))
    assert hit.p == pytest.approx(many * 2 * 0.5**12)
    assert hit.accuracy.low < 28 / 40 < hit.accuracy.high
    assert cells[4].towards == (1, 0)
    assert cells[4].p == 1
    assert hit.drift == 1


def test_answers_that_all_move_one_way_are_told_even_where_accuracy_stays():
    n = 40
    positive = np.arange(n) % 2 == 0
    shares = np.full((n, len(PERTURBATIONS) + 1), 0.9)
    shares[:20, 7] = 0.1
    cells = judge(shares, positive, np.arange(n))
    assert cells[7].right == cells[0].right == 20
    assert cells[7].p == 1
    assert cells[7].drift < 0.001
    assert cells[7].towards == (20, 0)


def test_groups_widen_the_intervals():
    positive = np.arange(80) % 2 == 0
    shares = np.where((np.arange(80) // 4 % 5 == 0)[:, None] ^ positive[:, None], 0.9, 0.1)
    shares = np.tile(shares, (1, len(PERTURBATIONS) + 1))
    alone, together = (judge(shares, positive, groups)[0].accuracy for groups in (np.arange(80), np.arange(80) // 4))
    assert alone.value == together.value
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_a_change_is_tested_by_mcnemars_exact_test_in_which_a_group_counts_once():
    before, after = np.ones(12, bool), np.ones(12, bool)
    alone = np.arange(12)
    assert changed(before, after, alone) == 1
    after[:6] = False
    assert changed(before, after, alone) == pytest.approx(2 * 0.5**6)
    assert changed(before, after, alone // 3) == pytest.approx(2 * 0.5**2)


def test_every_picture_is_asked_about_by_the_model_that_had_not_seen_it(drawn, bright):
    folder = world.leave(drawn, lambda row: 0.5)
    report = robustness.robustness(drawn, folder)
    digests = {pixels.pixel_digest(pixels.decode(drawn.store.read(row.file)).image): number
               for number, row in enumerate(world.rows_of(drawn))}  # fmt: skip
    for fold in range(1, 6):
        shown = {digests[one] for one in bright[f"1-{fold}"] if one in digests}
        assert shown == {number for number in range(20) if world.fold_of(number) == fold}
        assert len(bright[f"1-{fold}"]) == 4 * (1 + len(PERTURBATIONS))
    assert report.data["models"] == 5
    assert report.data["pictures"] == 20
    accuracies = [change["accuracy"]["value"] for change in report.data["changes"]]
    assert accuracies == sorted(accuracies)
    assert any("does not answer as predictions.jsonl says" in warning for warning in report.warnings)


def test_a_run_of_one_split_is_asked_about_its_validation_pictures(drawn, bright):
    folder = world.leave(drawn, lambda row: 0.5, kind="split")
    rows = world.rows_of(drawn)

    write_predictions(folder, [world.said(row, 0.5, row.split, None) for row in rows])
    report = robustness.robustness(drawn, folder)
    assert report.data["pictures"] == sum(row.split == "valid" for row in rows) == 8
    assert list(bright) == ["crossed"]


def test_repeats_count_each_picture_once_with_the_mean_of_its_models(drawn, bright):
    folder = world.leave(drawn, lambda row: 0.5)
    for fold in range(1, 6):
        (folder / "folds" / f"1-{fold}").rename(folder / "folds" / f"2-{fold}")
    world.leave(drawn, lambda row: 0.5)
    report = robustness.robustness(drawn, folder)
    assert report.data["models"] == 10
    assert report.data["pictures"] == 20


def test_a_fold_that_is_missing_is_refused(drawn, bright):
    folder = world.leave(drawn, lambda row: 0.5)
    (folder / "folds" / "1-3" / "run.json").unlink()
    with pytest.raises(RunError, match="held 4 of the 20 pictures out"):
        robustness.robustness(drawn, folder)


def test_pictures_that_are_gone_are_left_out_and_judge(drawn, bright):
    folder = world.leave(drawn, lambda row: 0.5)
    said = list(read_predictions(folder))
    drawn.store.path(said[0].file).unlink()
    report = robustness.robustness(drawn, folder)
    assert report.data["pictures"] == 19
    assert "1 picture is gone or damaged, and left out" in report.warnings
    for one in said:
        drawn.store.path(one.file).unlink(missing_ok=True)
    with pytest.raises(RunError, match="can be opened"):
        robustness.robustness(drawn, folder)


@pytest.mark.long
def test_the_command_tells_and_writes(drawn, bright, runner):
    folder = world.leave(drawn, lambda row: 0.9 if row.label == "ai" else 0.1)
    ran = runner.invoke(main, ["robustness", "--quiet"])
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.startswith("Worst: ")
    assert "The audit changed the picture that the model sees" in ran.stdout
    with (folder / "audit" / "robustness.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1 + len(PERTURBATIONS)
    assert rows[0]["change"] == "as it is"
    assert Image.open(folder / "audit" / "robustness.png").size[0] > 1000
    page = (folder / "audit" / "robustness.html").read_text(encoding="utf-8")
    assert page.count('<td class="') - page.count('<td class="n"') - page.count('<td class="short"') == 12
    assert "blur 2 px" in page
    told = json.loads(runner.invoke(main, ["robustness", "crossed", "--quiet", "--json"]).stdout)
    assert told["models"] == 5
    assert len(told["changes"]) == len(PERTURBATIONS)
    assert {"value", "low", "high"} == set(told["changes"][0]["flips"])


@pytest.mark.long
def test_a_run_without_weights_ends_with_one_line_and_the_way_out(drawn, runner):
    world.leave(drawn, lambda row: 0.5)
    ran = runner.invoke(main, ["robustness", "--quiet"])
    assert ran.exit_code == 1
    assert "weights.safetensors is missing" in ran.stderr or "torch cannot be used" in ran.stderr


@pytest.mark.long
@pytest.mark.usefixtures("quick_probe")
def test_a_trained_run_says_of_unchanged_pictures_what_its_predictions_say(drawn):
    pytest.importorskip("fastai")
    import trainings

    from train.config import TrainSettings

    settings = TrainSettings(arch="squeezenet1_1", weights="none", epochs=1, size=64, batch_size=4)
    folder, _ = trainings.train(drawn, "tiny", settings)
    report = robustness.robustness(drawn, folder)
    assert report.warnings == ()
    assert report.data["pictures"] == 8
    assert perturbations.PERTURBATIONS[0].name in {change["name"] for change in report.data["changes"]}


def test_a_hold_out_asks_only_the_model_that_has_not_seen_the_kind_though_others_held_the_picture_out_too(
    drawn, bright
):
    folder = world.leave(drawn, lambda row: 0.5, kind="hold-out")
    rows = world.rows_of(drawn)
    both = ["valid" if world.fold_of(number) in (1, 2) else "train" for number in range(len(rows))]
    write_predictions(
        folder / "folds" / "1-2", [world.said(row, 0.5, split, None) for row, split in zip(rows, both, strict=True)]
    )
    robustness.robustness(drawn, folder)
    assert {name: len(asked) // (1 + len(PERTURBATIONS)) for name, asked in bright.items()} == {
        f"1-{fold}": 4 for fold in range(1, 6)
    }
