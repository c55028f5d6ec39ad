"""How the training went: the rows of history.csv in, a learning curve out. Pure."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.charts.plane import Series, plane
from audit.report.training.block import Block
from train.evaluation.metrics import chosen_epoch

TITLE = "Learning curve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One epoch: mean losses (nats) on training and judged pictures, and the share of wrong answers; NaN unknown."""

    number: int
    train_loss: float
    valid_loss: float
    error_rate: float


def epochs_of(content: bytes) -> list[Epoch]:
    """Read history.csv; raise ValueError or KeyError for anything that is no history."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8")))
    return [
        Epoch(number=int(row["epoch"]), train_loss=_number(row["train_loss"]), valid_loss=_number(row["valid_loss"]),
              error_rate=_number(row["error_rate"]))
        for row in rows
    ]  # fmt: skip


def _number(text: str) -> float:
    return float(text) if text else math.nan


def learning_curve(trainings: Sequence[Sequence[Epoch]], choice: Mapping[str, Any]) -> Block:
    """Draw the losses and the error rate over the epochs, of several trainings their mean with the lowest and highest.

    `choice` is what early stopping chose. A training of a single epoch is said in words.
    """
    longest = max((len(epochs) for epochs in trainings), default=0)
    if not longest:
        return Block(name="learning", title=TITLE, sentences=["The run keeps no history of its training."])
    named = {"train_loss": "training", "valid_loss": "judged", "error_rate": "wrong answers"}
    courses = {name: _course(trainings, name, longest) for name in named}
    figures = {name: [{"epoch": x, "mean": y, "low": low, "high": high} for x, y, low, high in course]
               for name, course in courses.items()}  # fmt: skip
    several = len(trainings) > 1
    words = [f"Mean of {len(trainings)} trainings, with the lowest and the highest."] if several else []
    words += [chosen_epoch(choice)] if choice else []
    if longest == 1:
        return Block(name="learning", title=TITLE, sentences=[_single(courses, several), *words[several:]],
                     figures=figures)  # fmt: skip
    drawings = [
        _drawing(("train_loss", "valid_loss"), courses, longest, "loss (nats)"),
        _drawing(("error_rate",), courses, longest, "share of wrong answers"),
    ]
    return Block(name="learning", title=TITLE, sentences=words, drawings=drawings, figures=figures)


Course = list[tuple[int, float, float, float]]


def _course(trainings: Sequence[Sequence[Epoch]], name: str, longest: int) -> Course:
    course = []
    for place in range(longest):
        values = [getattr(epochs[place], name) for epochs in trainings if place < len(epochs)]
        known = [value for value in values if math.isfinite(value)]
        if known:
            course.append((place + 1, sum(known) / len(known), min(known), max(known)))
    return course


def _drawing(names: Sequence[str], courses: Mapping[str, Course], longest: int, y: str) -> Any:
    looks = {
        "train_loss": ("on training pictures", "negative", "o"),
        "valid_loss": ("on judged pictures", "positive", "s"),
    }
    looks["error_rate"] = ("on judged pictures", "positive", "s")
    series = [
        Series(name=looks[name][0], points=[(x, mean) for x, mean, _, _ in courses[name]], colour=looks[name][1],
               shape=looks[name][2], band=[(x, low, high) for x, _, low, high in courses[name] if low < high])
        for name in names if courses[name]
    ]  # fmt: skip
    top = max((high for name in names for *_, high in courses[name]), default=0.0)
    return plane(series, x="epoch", y=y, xs=(1, longest), ys=(0, max(0.05, 1.05 * top)), whole=True, height=220,
                 label=f"Learning curve: {y} by epoch")  # fmt: skip


def _single(courses: Mapping[str, Course], several: bool) -> str:
    said = []
    for name, words in (("train_loss", "on training pictures"), ("valid_loss", "on judged pictures")):
        for _, mean, low, high in courses[name]:
            said.append(f"{mean:.2f}{f' ({low:.2f} to {high:.2f})' if several else ''} {words}")
    of = " (mean, lowest and highest of all trainings)" if several else ""
    return f"The recipe trains in one step, without epochs. Loss in nats{of}: {', '.join(said) or 'not measured'}."
