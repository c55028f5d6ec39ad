"""What a run is worth, as run.json holds it: every figure with its interval, or refused with a number."""

import json
from dataclasses import replace

import numpy as np
import pytest

from train.evaluation.evaluate import evaluate, in_words
from train.runs import Prediction
from train.table import Rounds

LABELS = ("real", "ai")


def said(number, label, probability, split="valid"):
    return Prediction(
        source="folder:drawn", member=f"{label}/{number:03}.png", label=label, split=split, probability=probability,
        loss=0.1, predicted="ai" if probability >= 0.5 else "real",
    )  # fmt: skip


def predictions(n=200, apart=2.0, seed=0):
    rng = np.random.default_rng(seed)
    sides = [label for label in LABELS for _ in range(n // 2)]
    scores = rng.normal(size=n) + np.where(np.arange(n) < n // 2, -apart / 2, apart / 2)
    return [
        said(i, side, float(1 / (1 + np.exp(-apart * s))))
        for i, (side, s) in enumerate(zip(sides, scores, strict=True))
    ]


def names(rows):
    return [row.member for row in rows]


def folded(rows, repeats=1, folds=5, seed=0):
    rng = np.random.default_rng(seed)
    own, place = np.array([row.probability for row in rows]), np.arange(len(rows)) % folds
    noise = [rng.normal(size=len(rows)) if repeat else np.zeros(len(rows)) for repeat in range(repeats)]
    return Rounds(np.clip(own + 0.3 * np.array(noise), 0, 1), np.tile(place, (repeats, 1)))


def figures(evaluation):
    own = ("accuracy", "error_rate", "balanced_accuracy", "auc", "brier", "calibration_error")
    return [*(evaluation[name] for name in own), *evaluation["recall"].values(), *evaluation["tpr_at_fpr"]]


@pytest.mark.parametrize("with_folds", [False, True])
def test_every_figure_has_an_interval_or_a_refusal_and_is_plain_json(with_folds):
    rows = predictions()
    found = evaluate(rows, LABELS, names(rows), rounds=folded(rows) if with_folds else None)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for figure in figures(found):
        if "refused" in figure:
            assert figure["needed"] > figure["n"]
        else:
            assert 0 <= figure["low"] < figure["value"] < figure["high"] <= 1
            assert figure["method"]
            assert figure["n"] in (100, 200)


def test_one_split_counts_hits_and_folds_widen_what_they_share():
    rows = predictions()
    plain, crossed = (evaluate(rows, LABELS, names(rows), rounds=rounds) for rounds in (None, folded(rows)))
    hits = sum(row.predicted == row.label for row in rows)
    assert plain["accuracy"]["hits"] == hits == crossed["accuracy"]["hits"]
    assert plain["error_rate"]["hits"] == 200 - hits
    assert (plain["folds"], crossed["folds"], crossed["repeats"]) == (0, 5, 1)
    widths = [found["accuracy"]["high"] - found["accuracy"]["low"] for found in (plain, crossed)]
    assert widths[0] * 1.08 < widths[1] < widths[0] * 1.15  # the root of 1 + 1/4
    assert "folds corrected" in crossed["accuracy"]["method"]
    assert "folds corrected" not in plain["accuracy"]["method"]


def test_repeats_are_averaged_figure_by_figure_not_picture_by_picture():
    rows = predictions()
    rounds = folded(rows, repeats=2)
    found = evaluate(rows, LABELS, names(rows), rounds=rounds)
    each = [np.mean((shares >= 0.5) == [row.label == "ai" for row in rows]) for shares in rounds.shares]
    assert each[0] != each[1]
    assert found["accuracy"]["value"] == pytest.approx(np.mean(each))
    assert found["repeats"] == 2
    assert "hits" not in found["accuracy"]


def test_copies_in_groups_widen_every_interval():
    rows = predictions(100)
    copies = [row for row in rows for _ in range(3)]
    alone, grouped = (
        evaluate(copies, LABELS, groups) for groups in ([str(i) for i in range(300)], names(copies))
    )  # fmt: skip
    for name in ("accuracy", "balanced_accuracy", "auc", "brier"):
        widths = [found[name]["high"] - found[name]["low"] for found in (alone, grouped)]
        assert widths[1] > 1.5 * widths[0], name
    assert grouped["groups"] == 100


def test_rates_at_few_false_alarms_are_refused_with_the_number_that_would_do():
    rows = predictions(100)
    found = {figure["fpr"]: figure for figure in evaluate(rows, LABELS, names(rows))["tpr_at_fpr"]}
    assert found[0.1]["negatives"] == 50
    assert found[0.1]["false_alarms"] == 1
    assert 0 < found[0.1]["value"] < 1
    assert found[0.05]["needed"] == 59
    assert found[0.01]["needed"] == 299
    assert "299 could show 1 %" in found[0.01]["refused"]
    assert "5.8 %" in found[0.05]["refused"]


def test_negatives_in_few_groups_are_few():
    rows = predictions(100)
    groups = [f"burst {i // 10}" if row.label == "real" else row.member for i, row in enumerate(rows)]
    assert all("refused" in figure for figure in evaluate(rows, LABELS, groups)["tpr_at_fpr"])


def test_one_class_alone_has_a_recall_and_no_auc():
    rows = [row for row in predictions() if row.label == "ai"]
    found = evaluate(rows, LABELS, names(rows))
    assert found["recall"]["ai"]["n"] == 100
    assert "needs pictures of real" in found["auc"]["refused"]
    assert "refused" in found["balanced_accuracy"]
    assert "none was judged" in found["recall"]["real"]["refused"]
    assert all("refused" in figure for figure in found["tpr_at_fpr"])
    assert in_words(found)


def test_an_overconfident_model_lies_above_the_band_of_a_calibrated_one():
    rows = predictions()
    sure = [said(i, row.label, 0.999 if row.probability >= 0.5 else 0.001) for i, row in enumerate(rows)]
    honest, proud = (evaluate(some, LABELS, names(some))["calibration_error"] for some in (rows, sure))
    assert honest["value"] < honest["band"][1]
    assert proud["value"] > proud["band"][1]
    assert proud["low"] > 0 == honest["low"]


def test_a_handful_of_pictures_is_evaluated_without_falling_over():
    rows = [said(0, "real", 0.2), said(1, "ai", 0.9)]
    found = evaluate(rows, LABELS, names(rows))
    assert found["accuracy"]["value"] == 1
    assert found["accuracy"]["low"] < 0.4
    assert found["auc"]["low"] < 0.5
    assert "too few" in found["calibration_error"]["refused"]


def test_the_same_seed_gives_the_same_figures():
    rows = predictions()
    assert evaluate(rows, LABELS, names(rows), seed=1) == evaluate(rows, LABELS, names(rows), seed=1)


def test_the_table_tells_value_interval_and_method_of_every_figure():
    rows = predictions()
    table = {row[""]: row for row in in_words(evaluate(rows, LABELS, names(rows)))}
    hits = sum(row.predicted == row.label for row in rows)
    assert table["accuracy"]["figure"].startswith(f"{hits}/200 = {hits / 2:.1f} % [")
    assert table["ai found with at most 1 % of real called ai"]["figure"] == "refused"
    assert "299" in table["ai found with at most 1 % of real called ai"]["how"]
    assert "perfectly calibrated" in table["calibration error"]["how"]
    assert {tuple(row) for row in table.values()} == {("", "figure", "how")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows, groups, rounds: ([], [], None), "at least one"),
        (lambda rows, groups, rounds: (rows, groups[1:], None), "one per picture"),
        (lambda rows, groups, rounds: ([said(0, "real", 0.5, "train"), *rows[1:]], groups, None), "rows of train"),
        (lambda rows, groups, rounds: ([said(0, "cat", 0.5), *rows[1:]], groups, None), "rows of cat"),
        (lambda rows, groups, rounds: (rows, groups, torn(rounds)), "each of 20 pictures once"),
        (lambda rows, groups, rounds: (rows[1:], groups[1:], rounds), "each of 19 pictures once"),
        (lambda rows, groups, rounds: (rows, groups, folded(rows, folds=1)), "two folds or more"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, message):
    rows = predictions(20)
    some, groups, rounds = change(rows, names(rows), folded(rows))
    with pytest.raises(ValueError, match=message):
        evaluate(some, LABELS, groups, rounds=rounds)


def torn(rounds):
    shares = rounds.shares.copy()
    shares[0, 3] = np.nan
    return replace(rounds, shares=shares)
