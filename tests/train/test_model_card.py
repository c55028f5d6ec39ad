"""The model card of a run: written by nobody, the same for the same run, and honest about what is not known."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from audit_world import run_on_eight

from imageledger import manifest
from train.evaluation.metrics import score
from train.evaluation.temperature import Calibration
from train.models import card as model_card
from train.runs import Run, read_predictions

ALONE = {"auc": 0.91, "low": 0.84, "high": 0.97, "chance": 0.6, "p": 0.001, "verdict": "SHORTCUT",
         "strongest": "jpeg_history.grid", "valid": {"hits": 7, "n": 8, "low": 0.5, "high": 0.98}}  # fmt: skip


@pytest.fixture
def run(project):
    folder = run_on_eight(project)
    found = Run.load(folder)
    metrics = score(read_predictions(folder), found.labels, {})
    settings = {"arch": "resnet18", "epochs": 3, "weights": "/home/somebody/secret/w.safetensors",
                "weights_digest": "sha256:ab", "schedule": "fine_tune(3)", "size": 224}  # fmt: skip
    found = replace(found, metrics=metrics, file_alone=ALONE, settings=settings)
    found.save(folder)
    return project, found, folder


def card_of(run):
    project, found, folder = run
    return model_card.text(found, model_card.about(project, found, folder))


def test_it_says_data_protocol_figures_shortcuts_and_limits(run):
    card = card_of(run)
    for heading in ("Data", "Protocol", "Figures", "The face, or the file?", "Unseen generators and sources",
                    "Calibration", "Limits"):  # fmt: skip
        assert f"\n## {heading}\n" in card
    assert "| kaggle:somebody/faces@3 | real | camera | CC-BY-4.0 |" in card
    assert "| kaggle:somebody/faces@3 | ai | stylegan2 | CC-BY-4.0 |" in card
    assert manifest.digest(run[0].manifest("manifest")) in card
    assert "normalize@1: size 120, quality 90" in card
    assert "5/8 = 62.5 % [" in card
    assert "**SHORTCUT**" in card
    assert "AUC of 0.91 [0.84–0.97]" in card
    assert "fine_tune(3)" in card
    assert "All ai pictures were made by stylegan2" in card


def test_equal_runs_give_equal_cards_without_any_path_of_this_machine(run, tmp_path):
    project, found, folder = run
    model_card.write(project, found, folder)
    assert (folder / "model-card.md").read_text(encoding="utf-8") == card_of(run)
    assert "somebody/secret" not in card_of(run)
    assert str(tmp_path) not in card_of(run)
    assert "w.safetensors (sha256:ab)" in card_of(run)


@pytest.mark.parametrize(("address", "shown"), [
    ("folder:/home/me/pictures/ffhq/real", "folder:…/ffhq/real"),
    ("folder:real", "folder:real"),
    ("zip:C:\\Users\\me\\faces.zip", "zip:…/me/faces.zip"),
    ("kaggle:owner/slug@3", "kaggle:owner/slug@3"),
])  # fmt: skip
def test_sources_on_this_machine_are_shown_by_their_last_folders(address, shown):
    assert model_card.shown_source(address) == shown


def test_what_is_not_known_is_said(run):
    project, found, folder = run
    bare = replace(found, file_alone={}, metrics={}, manifest="")
    card = model_card.text(bare, model_card.about(project, bare, folder))
    assert "sources and licences are unknown" in card
    assert "Not measured: this needs a manifest" in card
    assert "Not tested: this project has no `train hold-out`" in card
    assert "The run holds no figures" in card
    path = project.manifest("manifest")
    manifest.write(path, list(manifest.read(path))[:-1])
    assert "The manifest is gone or has changed" in model_card.text(found, model_card.about(project, found, folder))


def test_calibration_and_evaluation_are_shown_with_intervals(run):
    from train.evaluation.evaluate import evaluate

    project, found, folder = run
    Calibration(temperature=1.7, interval=(1.2, 2.5), low=0.1, high=0.9, n=8, fewest=4, kind="split").save(folder)
    predictions = list(read_predictions(folder))
    judged = evaluate(predictions, found.labels, [row.member for row in predictions])
    card = model_card.text(replace(found, evaluation=judged), model_card.about(project, found, folder))
    assert "Temperature 1.70 [1.20–2.50], fitted on 8 pictures" in card
    assert "Brier score" in card
    assert "| AUC |" in card


def test_hold_outs_on_the_same_manifest_stand_on_the_card_and_others_do_not(run):
    project, found, _ = run
    figure = {"value": 0.4, "low": 0.2, "high": 0.6, "n": 10, "method": "wilson"}
    part = {"name": "sd15", "label": "ai", "pictures": 10, "trained_on": 90, "unseen": figure, "seen": figure,
            "other": figure, "auc": figure}  # fmt: skip
    for name, digest in (("mine", found.manifest_digest), ("other", "sha256:other")):
        (project.runs / name).mkdir()
        evaluation = {"by": "generator", "parts": [{**part, "name": f"{name}-sd15"}]}
        replace(found, name=name, kind="hold-out", manifest_digest=digest, evaluation=evaluation).save(
            project.runs / name
        )
    card = card_of(run)
    assert "Unseen generator mine-sd15: recall of ai 0.40 [0.20–0.60] on 10" in card
    assert "other-sd15" not in card
    assert "Not tested" not in card


def test_what_became_of_pictures_from_elsewhere_is_said_and_that_nobody_asked_too(run):
    _, _, folder = run
    assert "Nobody has asked the model about pictures from elsewhere" in card_of(run)
    (folder / "audit").mkdir(exist_ok=True)
    told = {"source": "folder:<b>", "sentence": "The model tells real pictures from elsewhere from the set's own."}
    (folder / "audit" / "foreign-real.json").write_text(json.dumps(told))
    (folder / "audit" / "foreign-ai.json").write_text("{")
    card = card_of(run)
    assert "The model tells real pictures from elsewhere" in card
    assert "<b>" not in card
    assert "Nobody has asked" not in card


def test_hostile_names_do_not_become_markup(run):
    project, found, folder = run
    path = project.manifest("manifest")
    rows = [replace(row, licence="<script>|`x`\n# big[a](b)") for row in manifest.read(path)]
    manifest.write(path, rows)
    found = replace(found, manifest_digest=manifest.digest(path))
    card = model_card.text(found, model_card.about(project, found, folder))
    assert "<script>" not in card
    assert "\n# big" not in card
    assert "&lt;script>\\|'x' # big[a]\\(b)" in card


@pytest.mark.long
def test_training_leaves_a_card_in_the_runs_folder(tmp_path_factory):
    pytest.importorskip("fastai")
    from model_world import trained

    _, folder = trained(tmp_path_factory)
    card = Path(folder / "model-card.md").read_text(encoding="utf-8")
    assert card.startswith("# Model card: first\n")
    assert "**machine** (the positive class)" in card
