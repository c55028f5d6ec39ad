"""A model beside the file: counted picture by picture, over groups, and never certain where it need not be."""

import numpy as np
import pytest

from train.evaluation.beside_file import beside_file
from train.runs import Prediction
from train.table import Rounds


def rows(right, split="valid"):
    """A prediction per flag: an ai picture that the model gets right, or not."""
    return [
        Prediction(
            source="s", member=f"{n:03}", label="ai", split=split, probability=0.9 if good else 0.1, loss=0.1,
            predicted="ai" if good else "real",
        )
        for n, good in enumerate(right)
    ]  # fmt: skip


def file(right):
    """What the probe of the file got right, by key."""
    return {("s", f"{n:03}"): bool(good) for n, good in enumerate(right)}


def alone(predictions):
    """Each picture a group of its own."""
    return {row.key: row.member for row in predictions}


def test_the_pictures_that_only_one_got_right_decide():
    predictions = rows([True] * 30 + [False] * 10)
    found = beside_file(predictions, "ai", alone(predictions), file([False] * 10 + [True] * 20 + [False] * 10))
    assert (found["n"], found["model_alone"], found["file_alone"]) == (40, 10, 0)
    assert found["difference"] == pytest.approx(0.25)
    assert found["low"] > 0
    assert found["p"] == pytest.approx(2 / 2**10)


def test_equal_answers_show_nothing_and_are_not_sure_of_it():
    predictions = rows([True] * 20)
    found = beside_file(predictions, "ai", alone(predictions), file([True] * 20))
    assert found["p"] == 1
    assert found["low"] < 0 < found["high"]


def test_pictures_of_one_group_count_as_one():
    predictions = rows([True] * 10)
    groups = {row.key: "burst" if row.member < "008" else row.member for row in predictions}
    found = beside_file(predictions, "ai", groups, file([False] * 8 + [True] * 2))
    assert found["groups"] == 3
    assert found["p"] == 1  # one group of eight that differs can lie either way


def test_only_pictures_that_neither_had_seen_are_compared():
    predictions = [*rows([True] * 5, split="train"), *rows([True, False])]
    found = beside_file(predictions[5:], "ai", alone(predictions), file([False, False]))
    assert found["n"] == 2
    assert beside_file(predictions[:5], "ai", alone(predictions), file([True] * 5)) == {}
    assert beside_file(rows([True]), "ai", {}, {}) == {}


def test_folds_make_the_interval_wider():
    predictions = rows([True] * 30 + [False] * 10)
    wrong = file([False] * 10 + [True] * 20 + [False] * 10)
    shares = np.array([[row.probability for row in predictions]])
    rounds = Rounds(shares, np.arange(40)[None] % 5)
    plain = beside_file(predictions, "ai", alone(predictions), wrong)
    folded = beside_file(predictions, "ai", alone(predictions), wrong, rounds=rounds)
    assert folded["difference"] == plain["difference"]
    assert folded["high"] - folded["low"] > plain["high"] - plain["low"]
