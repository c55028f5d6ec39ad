"""Predictions on disk: what is no probability and no loss is refused with its line, before anybody counts it."""

import json

import pytest

from imageledger.errors import RunError
from train.runs import Prediction, read_predictions, write_predictions

GOOD = Prediction(source="folder:a", member="1\u2028.jpg", label="real", split="valid", probability=0.25, loss=0.3,
                  predicted="real")  # fmt: skip


def test_predictions_are_read_as_they_were_written_whatever_their_names_hold(tmp_path):
    write_predictions(tmp_path, [GOOD])
    assert list(read_predictions(tmp_path)) == [GOOD]


@pytest.mark.parametrize(
    ("field", "value"),
    [("probability", "NaN"), ("probability", "1.5"), ("probability", "-0.1"), ("probability", '"a"'), ("loss", "NaN"),
     ("loss", "Infinity"), ("loss", "-1"), ("loss", "1e999"), ("loss", "null"), ("loss", "[" * 100_000)],
)  # fmt: skip
def test_a_number_that_cannot_be_is_refused_with_its_line(field, value, tmp_path):
    write_predictions(tmp_path, [GOOD, GOOD])
    path = tmp_path / "predictions.jsonl"
    first, second = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    broken = json.dumps(json.loads(second) | {field: "HERE"}).replace('"HERE"', value)
    path.write_text(f"{first}\n{broken}\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"predictions\.jsonl:2 is not a prediction"):
        list(read_predictions(tmp_path))


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path):
    (tmp_path / "predictions.jsonl").write_bytes(b"\xff\n")
    with pytest.raises(RunError, match=":1 is not a prediction"):
        list(read_predictions(tmp_path))
