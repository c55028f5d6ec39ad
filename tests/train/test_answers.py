"""One table says who answered what of which picture, and who may be asked."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from crossvalidated_world import leave, rows_of
from train_world import build

from imageledger import manifest
from imageledger.errors import RunError
from train.answers import Answers
from train.runs import HOLD_OUT, Run, read_predictions, write_predictions


@pytest.fixture
def project(tmp_path):
    return build(tmp_path)


def left(project, **changes):
    return leave(project, lambda row: 0.8 if row.label == "ai" else 0.3, **changes)


def test_a_cross_validated_run_has_one_answer_per_picture_by_the_fold_that_held_it_out(project):
    answers = Answers.of(project, left(project))
    assert answers.keys == [row.key for row in rows_of(project)]
    assert [model.fold for model in answers.models] == [1, 2, 3, 4, 5]
    assert np.array_equal(np.nanmax(answers.table, axis=1), answers.shares)
    assert ((~np.isnan(answers.table)).sum(axis=1) == 1).all()
    asked = {folder.name: rows for folder, rows in answers.by_model()}
    assert sorted(row for rows in asked.values() for row in rows) == list(range(len(answers.keys)))
    assert asked["1-2"] == [row for row, one in enumerate(answers.predictions) if one.fold == 2]
    assert answers.held.all()
    assert (answers.rounds().shares[0] == answers.shares).all()


def test_of_a_single_split_nobody_may_be_asked_about_what_was_trained_on(project):
    folder = left(project)
    write_predictions(folder, [replace(one, fold=None, split="train" if number % 2 else "valid")
                               for number, one in enumerate(read_predictions(folder))])  # fmt: skip
    replace(Run.load(folder), kind="split").save(folder)
    answers = Answers.of(project, "crossed")
    assert (np.isnan(answers.table[:, 0]) == answers.trained_on).all()
    with pytest.raises(RunError, match="pictures out"):
        answers.by_model()
    held = answers.held_out()
    assert held.keys == answers.keys[::2]
    assert held.by_model() == [(folder, list(range(len(held.keys))))]
    assert held.in_words == f"{len(held.keys)} validation pictures"


def test_a_hold_out_has_answers_of_several_models_and_counts_that_of_one(project):
    folder = left(project)
    replace(Run.load(folder), kind=HOLD_OUT).save(folder)
    part = folder / "folds" / "1-2"
    write_predictions(part, [replace(one, split="valid", probability=0.5) for one in read_predictions(part)])
    answers = Answers.of(project, folder)
    assert (answers.table[:, 1] == 0.5).all()
    assert (answers.counted.sum(axis=1) == 1).all()
    assert dict(answers.by_model())[part] == [row for row, one in enumerate(answers.predictions) if one.fold == 2]


def test_models_that_are_gone_are_missed_only_by_who_asks_them(project):
    folder = left(project)
    shutil.rmtree(folder / "folds" / "1-3")
    answers = Answers.of(project, folder)
    assert answers.fewest > 0
    with pytest.raises(RunError, match=r"no fold in .* held \d+ of the"):
        answers.by_model()
    replace(Run.load(folder), settings={"repeats": 2, "folds": 5}).save(folder)
    with pytest.raises(RunError, match="no fold in"):
        Answers.of(project, folder).rounds()


def test_pictures_come_with_their_records_and_groups_or_a_warning(project):
    folder, path = left(project), project.manifest("manifest")
    rows = list(manifest.read(path))
    answers = Answers.of(project, folder)
    assert answers.warnings == ()
    assert [record.key for record in answers.known()] == answers.keys
    assert answers.unchanged(project.store).keys == answers.keys
    manifest.write(path, [replace(rows[0], file="f" * 64 + ".png"), *rows[1:]])
    changed = Answers.of(project, folder)
    assert "has changed since crossed was trained" in changed.warnings[0]
    kept = changed.unchanged(project.store)
    assert kept.keys == [key for key in answers.keys if key != rows[0].key]
    assert f"1 of {len(answers.keys)} pictures are gone" in kept.warnings[1]
    path.unlink()
    gone = Answers.of(project, folder)
    assert "is gone: the history of the pictures is unknown" in gone.warnings[0]
    assert set(gone.records) == {None}
    with pytest.raises(RunError, match="no longer in its manifest"):
        gone.known()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"label": "cat"}, "names the class 'cat'"), ({"probability": 1.5}, "no probability"), ({}, "twice")],
)
def test_answers_that_cannot_be_read_are_refused(project, change, message):
    folder = left(project)
    first, *rest = read_predictions(folder)
    write_predictions(folder, [replace(first, **change), *([first] if not change else []), *rest])
    with pytest.raises(RunError, match=message):
        Answers.of(project, folder)
