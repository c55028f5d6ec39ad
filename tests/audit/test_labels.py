"""`audit labels`: swapped labels come first, nothing is applied by itself, and what is proposed can be decided on."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace

import browser
import crossvalidated_world as world
import numpy as np
import pytest
from audit_world import FORMULA, HOSTILE, Page
from click.testing import CliRunner
from needs import needs
from PIL import Image
from train_world import build

from audit.cli import main
from audit.labels import clean, file_witness
from audit.labels import work as labels
from imageledger import decisions, manifest
from imageledger.config import open_project
from imageledger.errors import RunError

needs("cleanlab")

SWAPPED = ("real/003.png", "real/007.png", "ai/005.png", "ai/011.png")


def said(row):
    """A model that is right on most, hesitates on some, and is sure that four labels are wrong."""
    number = int(row.member[-7:-4])
    right = 0.55 if number % 6 == 5 else 0.85 + number / 200
    if row.member in SWAPPED:
        right = 0.03 + number / 1000
    return right if row.label == "ai" else 1 - right


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    project = build(tmp_path, train=12, valid=4)
    monkeypatch.chdir(project.root)
    return project


def test_the_wrong_labels_come_first_and_nothing_is_changed(drawn, runner):
    folder = world.leave(drawn, said)
    before = drawn.manifest("manifest").read_bytes()
    ran = runner.invoke(main, ["labels", "--quiet"])
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.startswith("Confident learning counts 4 labels of 32 as wrong; 4 labels are suspected.")
    assert "Nothing has been changed." in ran.stdout
    with (folder / "audit" / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["member"] for row in rows} == set(SWAPPED)
    assert [float(row["quality"]) for row in rows] == sorted(float(row["quality"]) for row in rows)
    assert {row["suggested"] for row in rows if row["label"] == "real"} == {"ai"}
    assert drawn.manifest("manifest").read_bytes() == before
    assert not (drawn.folder / decisions.FILE).exists()


def test_the_way_to_decide_is_the_desk_and_leaving_out_stands_beside_the_other_label(drawn, runner):
    folder = world.leave(drawn, said)
    ran = runner.invoke(main, ["labels", "--quiet"])
    assert f"audit review {folder.name} --queue labels shows the suspects one by one" in ran.stdout
    assert "leave the picture out where you cannot tell" in ran.stdout
    for way in ("sed -n", "decisions.jsonl", "proposed"):
        assert way not in ran.stdout + (folder / "audit" / "labels.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in (folder / "audit").iterdir()) == ["labels.csv", "labels.html", "labels.json"]


def test_it_is_said_how_many_suspects_right_labels_would_show(drawn, runner):
    world.leave(drawn, said)
    told = json.loads(runner.invoke(main, ["labels", "--quiet", "--json"]).stdout)
    assert told["clean"]["seen"] == [4, 4]
    least, most = told["clean"]["suspects"]
    assert 0 <= least < most < 32
    assert any(f"would still suspect {least} to {most} labels" in line for line in told["sentences"])


def answers(seed, n=400, swapped=0):
    """Calibrated answers to right labels, of which `swapped` sure ones are then turned round."""
    rng = np.random.default_rng(seed)
    shares = np.clip(rng.beta(0.4, 0.4, n), 0.01, 0.99)
    positive = rng.random(n) < shares
    sure = np.flatnonzero(np.abs(shares - 0.5) > 0.45)[:swapped]
    positive[sure] ^= True
    return shares, positive, [str(row) for row in range(n)]


def test_right_labels_are_within_what_is_drawn_and_many_wrong_ones_are_above():
    inside = [not clean.clean_set(*answers(seed), seed, draws=40).more for seed in range(6)]
    assert sum(inside) >= 5
    wrong = clean.clean_set(*answers(0, swapped=60), 0, draws=40)
    assert wrong.seen[0] > np.mean(clean.clean_set(*answers(0), 0, draws=40).seen[0])


def test_what_a_person_has_decided_is_not_asked_again(drawn, runner):
    world.leave(drawn, said)
    keep = {"source": "folder:drawn", "member": SWAPPED[0], "decision": "keep", "who": "Ana", "why": "it is real"}
    (drawn.folder / decisions.FILE).write_text(json.dumps(keep) + "\n", encoding="utf-8")
    told = json.loads(runner.invoke(main, ["labels", "--quiet", "--json"]).stdout)
    assert {one["member"] for one in told["suspects"]} == set(SWAPPED[1:])
    assert told["decided"] == 1
    assert [one["rank"] for one in told["suspects"]] == [1, 2, 3]
    assert "A person has decided on 1 more picture, which is left out." in " ".join(told["sentences"])


def test_a_run_that_was_not_cross_validated_is_refused_with_the_way_out(drawn, runner):
    for kind in ("split", "hold-out"):
        world.leave(drawn, said, kind=kind)
        ran = runner.invoke(main, ["labels", "--quiet"])
        assert ran.exit_code == 1
        assert "was not cross-validated" in ran.stderr
        assert "train cross-validate" in ran.stderr


def test_too_few_pictures_are_refused(tmp_path, monkeypatch):
    project = build(tmp_path, train=5, valid=4)
    with pytest.raises(RunError, match="has 9 pictures"):
        labels.labels(project, world.leave(project, said))


def test_a_model_that_agrees_with_every_label_suspects_none(drawn, runner):
    world.leave(drawn, lambda row: 0.9 if row.label == "ai" else 0.1)
    ran = runner.invoke(main, ["labels", "--quiet"])
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.startswith("No label is suspected")
    assert "sed -n" not in ran.stdout


@pytest.mark.long
def test_a_file_like_those_of_the_other_class_makes_a_suspect_that_the_model_has_missed(drawn, runner):
    rows = []
    for row in world.rows_of(drawn):
        content = io.BytesIO()
        Image.open(drawn.store.path(row.file)).save(content, "JPEG", quality=60 if row.label == "ai" else 95)
        rows.append(replace(row, origin=drawn.store.put(content.getvalue(), "jpg")))
    wrong = {"real/003.png": "ai", "ai/005.png": "real"}
    manifest.write(drawn.manifest("manifest"), [replace(row, label=wrong.get(row.member, row.label)) for row in rows])
    folder = world.leave(drawn, lambda row: 0.9 if row.label == "ai" else 0.1)
    assert runner.invoke(main, ["labels", "--quiet"]).stdout.startswith("No label is suspected")
    ran = runner.invoke(main, ["labels", "--with-file", "--json", "--quiet"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert {one["member"] for one in told["suspects"][:2]} == set(wrong)
    assert {one["suggested"] for one in told["suspects"][:2]} == {"real", "ai"}
    assert all(one["by_file"] == one["quality"] < 0.3 for one in told["suspects"][:2])
    assert told["file_auc"] > 0.8
    assert "as wrong, by model or file;" in told["sentences"][0] + told["sentences"][1]
    assert any("The files as fetched are a second witness" in sentence for sentence in told["sentences"])
    assert any("Model and label differ for 0/32" in sentence for sentence in told["sentences"])
    assert "by its file 0." in (folder / "audit" / "labels-with-file.html").read_text(encoding="utf-8")
    assert told["file_heard"] is True
    manifest.write(drawn.manifest("manifest"), rows[1:])
    ran = runner.invoke(main, ["labels", "--with-file", "--quiet"])
    assert ran.exit_code == 1
    assert "1 of 32 pictures of run" in ran.stderr


def test_without_cleanlab_the_command_says_what_to_install(drawn):
    world.leave(drawn, said)
    script = (
        "import sys\n"
        "sys.modules['cleanlab'] = None\n"
        "from audit.cli import main\n"
        "main(['labels', '--quiet'])\n"
    )  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=drawn.root, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 1
    assert "Error: cleanlab.filter cannot be imported" in ran.stderr
    assert "Try: pip install 'imageledger[labels]'" in ran.stderr


def test_hostile_names_act_neither_on_the_terminal_nor_on_the_page_nor_in_a_spreadsheet(drawn, runner):
    names = {SWAPPED[0]: HOSTILE, SWAPPED[2]: FORMULA}
    rows = [replace(row, member=names.get(row.member, row.member)) for row in world.rows_of(drawn)]
    manifest.write(drawn.manifest("manifest"), sorted(rows, key=lambda row: row.key))
    folder = world.leave(drawn, lambda row: 0.9 if (row.label == "ai") ^ (row.member in names.values()) else 0.1)
    ran = runner.invoke(main, ["labels", "--quiet"])
    assert ran.exit_code == 0, ran.output
    assert "\x1b" not in ran.output
    page = Page((folder / "audit" / "labels.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert all(address.startswith("data:") for address in page.loaded)
    assert "'=HYPERLINK" in (folder / "audit" / "labels.csv").read_text(encoding="utf-8")
    kept = json.loads((folder / "audit" / "labels.json").read_text(encoding="utf-8"))
    assert {one["member"] for one in kept["suspects"]} == {HOSTILE, FORMULA}


@pytest.mark.long
def test_the_page_shows_each_suspect_with_its_picture_and_the_three_ways_to_decide(drawn, runner, tmp_path):
    folder = world.leave(drawn, said)
    runner.invoke(main, ["labels", "--quiet"])
    path = folder / "audit" / "labels.html"
    page = Page(path.read_text(encoding="utf-8"))
    assert [name for name in page.ids if name.startswith("p")] == ["p1", "p2", "p3", "p4"]
    assert page.words.count("leave it out, if you cannot tell") == 4
    assert "real, or ai?" in page.words
    shown = browser.screenshot(path, tmp_path / "page.png", width=900, height=900)
    colours = np.asarray(Image.open(shown).convert("RGB")).reshape(-1, 3)
    assert len(np.unique(colours, axis=0)) > 500  # drawn pictures are there, not empty frames


def test_files_that_do_not_tell_the_classes_apart_are_no_witness(drawn, runner, monkeypatch):
    folder = world.leave(drawn, said)
    deaf = file_witness.Witness(shares=np.full(32, 0.9), auc=0.55, low=0.44, high=0.66)
    monkeypatch.setattr(file_witness, "ask", lambda *_: deaf)
    plain = json.loads(runner.invoke(main, ["labels", "--quiet", "--json"]).stdout)
    told = json.loads(runner.invoke(main, ["labels", "--quiet", "--json", "--with-file"]).stdout)
    assert told["file_heard"] is False
    assert any("so they are no witness and were not used" in line for line in told["sentences"])
    assert [one["member"] for one in told["suspects"]] == [one["member"] for one in plain["suspects"]]
    assert all(one["by_file"] is None for one in told["suspects"])
    assert (folder / "audit" / "labels.html").is_file()


@pytest.mark.long
@pytest.mark.parametrize(("name", "least"), [("unsplash-vs-stylegan2", 8), ("ffhq-vs-stylegan2", 5)])
def test_of_ten_swapped_labels_in_200_real_portraits_most_are_among_the_first_twenty(
    testdata, tmp_path, monkeypatch, name, least
):
    """The model alone finds eight where it is right on 98 %; where it is right on 85 %, hard pictures look just alike.

    There the files as fetched tell the two kinds apart.
    """
    pytest.importorskip("fastai")
    project = curated(tmp_path, testdata, name, monkeypatch)
    rows = world.rows_of(project)
    features = frozen(project, rows, testdata / "models" / "squeezenet1_1-imagenet-features.safetensors")
    true = np.array([row.label == "ai" for row in rows])
    found, found_with_file = [], []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        swapped = np.concatenate([rng.choice(np.flatnonzero(true == side), 5, replace=False) for side in (False, True)])
        told = true.copy()
        told[swapped] ^= True
        given = [replace(row, label="ai" if ai else "real") for row, ai in zip(rows, told, strict=True)]
        manifest.write(project.manifest("manifest"), given)
        shares, folds = out_of_fold(features, told, seed)
        by_key = {row.key: float(share) for row, share in zip(rows, shares, strict=True)}
        folder = world.leave(project, lambda row, by_key=by_key: by_key[row.key], folds=folds)
        wrong = {rows[place].key for place in swapped}
        for with_file, hits in ((False, found), (True, found_with_file)):
            settings = labels.LabelsSettings(with_file=with_file)
            suspects = labels.labels(project, folder, settings=settings).rows[:20]
            hits.append(len(wrong & {(suspect["source"], suspect["member"]) for suspect in suspects}))
    assert np.mean(found) >= least, found
    assert min(found_with_file) >= 8, found_with_file


def curated(root, testdata, name, monkeypatch):
    """200 portraits through fetch and normalize, with a split, as final manifest."""
    from curate.cli import main as curate

    monkeypatch.chdir(root)
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    runner = CliRunner()
    for label in ("real", "ai"):
        folder = testdata / "portraits" / name / label
        ran = runner.invoke(curate, ["fetch", f"folder:{folder}", "--label", label, "--limit", "100", "--quiet"])
        assert ran.exit_code == 0, ran.output
    assert runner.invoke(curate, ["normalize", "--detector", "cascade", "--quiet"]).exit_code == 0
    project = open_project(root)
    rows = [row for row in manifest.read(project.manifest("normalize")) if row.status == "ok"]
    assert len(rows) == 200
    manifest.write(project.manifest("manifest"), [replace(row, split="train") for row in rows])
    return project


def frozen(project, rows, weights):
    """Frozen SqueezeNet features, n x k."""
    from curate.pictures import pixels
    from train.network.frozen import extractor

    pictures = [pixels.decode(project.store.read(row.file)).image.resize((224, 224)) for row in rows]
    return extractor(str(weights))(np.stack([np.asarray(picture) for picture in pictures]))


def out_of_fold(features, told, seed):
    """P(ai) by logistic regression on the other folds, and the fold of each row."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    shares, folds = np.zeros(len(told)), np.zeros(len(told), int)
    for fold, (rest, held) in enumerate(StratifiedKFold(5, shuffle=True, random_state=seed).split(features, told), 1):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300)).fit(
            features[rest], told[rest]
        )
        shares[held], folds[held] = model.predict_proba(features[held])[:, 1], fold
    return shares, folds.tolist()
