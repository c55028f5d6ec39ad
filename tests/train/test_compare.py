"""Which of two runs is better, asked of the pictures that both judged without having trained on them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imageledger import manifest
from imageledger.errors import RunError
from imageledger.record import Record
from train.answers import Answers
from train.cli import main
from train.compare.judge import compare, conclusion, plain, remarks
from train.runs import CROSS_VALIDATION, Prediction, Run, write_predictions
from train.table import Model

LABELS = ("real", "ai")
BASE = np.random.default_rng(0).normal(size=200)


def side(name, apart, n=200, *, seed=1, folds=0, trained=(), labels=LABELS, groups=None, **changes):
    """A run that finds the same pictures hard as every other one; `trained` holds the rows that it had seen."""
    positive = np.arange(n) % 2 == 1
    own = np.random.default_rng(seed).normal(size=n)
    scores = np.where(positive, apart / 2, -apart / 2) + 0.9 * BASE[:n] + 0.44 * own
    rows = [
        Prediction(
            source="folder:drawn", member=f"{number:03}.png", file=f"{number:064x}.png", label=labels[int(one)],
            split="train" if number in trained else "valid", probability=float(1 / (1 + np.exp(-2 * score))), loss=0.1,
            predicted=labels[int(score >= 0)], fold=number % folds + 1 if folds else None,
        )
        for number, (one, score) in enumerate(zip(positive, scores, strict=True))
    ]  # fmt: skip
    return answers(name, [replace(row, **changes) for row in rows], labels, groups)


def answers(name, rows, labels=LABELS, groups=None):
    return Answers(
        run=Run(name=name, labels=labels), folder=Path(name), predictions=tuple(rows), records=(None,) * len(rows),
        groups=tuple(groups or ("#".join(row.key) for row in rows)),
    )  # fmt: skip


def repeated(name, rounds):
    """A run whose folds were drawn anew for each of some runs of five folds."""
    models = [Model(folder=Path(name), repeat=repeat, fold=fold) for repeat in (1, 2, 3) for fold in range(1, 6)]
    table = np.full((200, len(models)), np.nan)
    for place, model in enumerate(models):
        for row, prediction in enumerate(rounds[model.repeat - 1].predictions):
            if prediction.fold == model.fold:
                table[row, place] = prediction.probability
    run = Run(name=name, labels=LABELS, kind=CROSS_VALIDATION, settings={"repeats": 3, "folds": 5})
    return replace(side(name, 9.0), run=run, models=tuple(models), table=table)


def only(*sides, **options):
    (found,) = compare(sides, **options)
    return found


def test_a_better_run_is_called_better_whichever_comes_first():
    weak, strong = side("seed", 1.5), side("strong", 3.5, seed=2)
    for pair, sign in (((weak, strong), 1), ((strong, weak), -1)):
        found = only(*pair)
        assert found.shown
        assert sign * found.accuracy.value > 0.05
        assert sign * found.auc.value > 0
        assert conclusion(found).startswith("strong is better than seed by ")
        assert "on 200 pictures, McNemar p < 0.001" in conclusion(found)
        assert "[-" not in conclusion(found)


def test_two_alike_are_not_told_apart_and_it_says_what_could_have_been_shown():
    found = only(side("seed", 2.0), side("other", 2.0, seed=2))
    assert not found.shown
    assert conclusion(found).startswith("no difference shown between seed and other: ")
    assert "200 pictures could only have shown one of about " in conclusion(found)
    assert 0.03 < found.shows < 0.12
    assert found.accuracy.low < 0 < found.accuracy.high


def test_one_model_twice_leaves_an_interval_and_a_p_of_one():
    found = only(side("seed", 2.0, 40), side("same", 2.0, 40))
    assert (found.accuracy.value, found.p) == (0, 1)
    assert found.accuracy.low < -0.04
    assert found.auc.low < 0 < found.auc.high


def test_accuracies_and_counts_are_those_of_the_shared_pictures():
    first, other = side("seed", 2.0), side("strong", 3.0, seed=2)
    found = only(first, other)
    right = [[row.predicted == row.label for row in one.predictions] for one in (first, other)]
    assert found.first_accuracy.value == pytest.approx(np.mean(right[0]))
    assert found.accuracy.value == pytest.approx(np.mean(right[1]) - np.mean(right[0]))
    assert found.other_alone - found.first_alone == sum(right[1]) - sum(right[0])


def test_of_repeated_runs_one_model_of_each_is_compared_and_not_several_together():
    weak = side("seed", 2.0)
    rounds = [side("strong", 3.0, seed=seed, folds=5) for seed in (2, 3, 4)]
    found = only(weak, repeated("strong", rounds))
    once = [only(weak, one) for one in rounds]
    assert (found.first_repeats, found.other_repeats) == (1, 3)
    assert found.other_accuracy.value == pytest.approx(np.mean([one.other_accuracy.value for one in once]))
    assert found.accuracy.value == pytest.approx(np.mean([one.accuracy.value for one in once]))
    assert found.auc.value == pytest.approx(np.mean([one.auc.value for one in once]))
    assert found.accuracy.high - found.accuracy.low < once[0].accuracy.high - once[0].accuracy.low
    assert "strong against seed: means over 3 and 1 repeats, so what one model is worth" in remarks(found)[0]
    assert "sign-flip p " in conclusion(found)
    assert "McNemar p " in conclusion(once[0])
    assert remarks(once[0]) == []


def test_pictures_that_a_run_was_trained_on_are_left_out_and_counted():
    found = only(side("seed", 2.0), side("single", 2.0, seed=2, trained=range(160)))
    assert found.n == 40
    assert found.left_out == {"trained on by single": 160}
    assert remarks(found)[0] == "single against seed: 160 pictures left out: trained on by single"


def test_other_pixels_and_other_pictures_are_left_out():
    first, other = side("seed", 2.0), side("strong", 3.0, 150, seed=2)
    changed = [replace(row, file="f" * 64 + ".png") if i < 30 else row for i, row in enumerate(other.predictions)]
    found = only(first, answers("strong", changed))
    assert found.n == 120
    assert found.left_out == {"other pixels (a different file)": 30, "in only one of the runs": 50}


def test_copies_count_as_one_draw():
    weak, strong = side("seed", 2.0), side("strong", 3.0, seed=2)
    groups = [f"g{number // 20}" for number in range(200)]
    alone, grouped = only(weak, strong), only(weak, side("strong", 3.0, seed=2, groups=groups))
    assert grouped.groups == 10
    assert grouped.p > alone.p
    assert "200 pictures in 10 groups" in remarks(grouped)[-1]


def test_folds_that_share_training_pictures_widen_the_interval():
    plain_one = only(side("seed", 2.0), side("strong", 3.0, seed=2))
    folded = only(side("seed", 2.0, folds=5), side("strong", 3.0, seed=2, folds=5))
    widths = [one.accuracy.high - one.accuracy.low for one in (plain_one, folded)]
    assert widths[1] == pytest.approx(widths[0] * 1.25**0.5, rel=0.03)


def test_several_runs_are_corrected_for_being_several():
    sides = [side("seed", 2.0), *(side(f"try {n}", 2.45, seed=n) for n in range(2, 6))]
    alone = [only(sides[0], other).p for other in sides[1:]]
    together = [one.p for one in compare(sides)]
    assert min(together) == pytest.approx(min(1, 4 * min(alone)))
    assert all(one >= other for one, other in zip(together, alone, strict=True))


def test_chance_is_seldom_called_better():
    wrong = sum(only(side("a", 2.0, seed=2 * n + 10), side("b", 2.0, seed=2 * n + 11)).shown for n in range(30))
    assert wrong <= 3


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (side("other", 2.0, trained=range(200)), "share no picture"),
        (side("other", 2.0, source="folder:elsewhere"), "share no picture"),
        (side("other", 2.0, file="a" * 64 + ".png"), "other pixels"),
        (side("other", 2.0, label="ai"), "100 labels differ"),
        (side("other", 2.0, labels=("ai", "real")), "tells"),
        (side("other", 2.0, member="same.png"), "twice"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(other, message):
    with pytest.raises(RunError, match=message):
        compare([side("seed", 2.0), other])


def test_one_run_alone_is_refused():
    with pytest.raises(RunError, match="two runs"):
        compare([side("seed", 2.0)])


def test_all_is_plain_json():
    told = plain(compare([side("seed", 2.0), side("strong", 3.0, seed=2), side("third", 1.0, seed=3)]))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told[0]["conclusion"].startswith("strong is better")


def saved(project, one, **changes):
    folder = project.runs / one.run.name
    folder.mkdir(parents=True)
    replace(one.run, **changes).save(folder)
    write_predictions(folder, one.predictions)


def test_the_command_prints_a_table_and_one_sentence_a_pair(project, runner):
    for one in (side("seed", 1.5), side("strong", 3.5, seed=2), side("single", 2.0, seed=3, trained=range(160))):
        saved(project, one)
    done = runner.invoke(main, ["compare", "seed", "strong", "single"])
    assert done.exit_code == 0, done.stderr
    assert "strong is better than seed by " in done.stdout
    assert "no difference shown between seed and single" in done.stdout
    assert "single against seed: 160 pictures left out: trained on by single" in done.stderr
    again = runner.invoke(main, ["compare", "seed", "strong", "--json"])
    (row,) = json.loads(again.stdout)
    assert row["n"] == 200
    assert again.stdout == runner.invoke(main, ["compare", "seed", "strong", "--json"]).stdout


def test_the_command_reads_groups_from_the_manifest(project, runner):
    one, other = side("seed", 2.0), side("strong", 3.0, seed=2)
    path = project.manifest("manifest")
    records = [
        Record(source=row.source, member=row.member, origin=row.file, file=row.file, label=row.label, split="valid",
               group=f"g{number // 20}")
        for number, row in enumerate(one.predictions)
    ]  # fmt: skip
    manifest.write(path, records)
    told = {"manifest": str(path.relative_to(project.root)), "manifest_digest": manifest.digest(path)}
    for run in (one, other):
        saved(project, run, **told)
    done = runner.invoke(main, ["compare", "seed", "strong"])
    assert "200 pictures in 10 groups" in done.stderr
    assert "Warning" not in done.stderr
    manifest.write(path, [replace(record, reason="looked at") for record in records])
    assert "has changed since" in runner.invoke(main, ["compare", "seed", "strong"]).stderr
    path.unlink()
    done = runner.invoke(main, ["compare", "seed", "strong"])
    assert done.exit_code == 0
    assert "each counts as a group of its own" in done.stderr


def test_mistakes_end_with_one_and_two_lines(project, runner):
    saved(project, side("seed", 2.0))
    for names, what in ((["seed"], "two runs"), (["seed", "seed"], "named twice"), (["seed", "nope"], "'nope'")):
        done = runner.invoke(main, ["compare", *names])
        assert (done.exit_code, done.stdout) == (1, "")
        assert what in done.stderr
        assert len(done.stderr.splitlines()) == 2
    assert runner.invoke(main, ["compare"]).exit_code == 2
