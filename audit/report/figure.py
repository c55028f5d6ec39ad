"""The first figure of a report: the accuracy of the model beside that of the file alone and of a coin. Pure."""

from markupsafe import Markup

from audit.charts.rows import Bar, rows
from audit.report.verdict import COIN, Judged
from imageledger.intervals import with_interval
from train.evaluation.verdict import beats_file
from train.runs import SPLIT


def accuracies(found: Judged) -> Markup:
    """Draw the accuracies with their intervals, 50 % being a coin."""
    value, low, high = found.accuracy
    file_alone = found.run.file_alone
    shown = low > COIN and beats_file(found.run) is not False
    bars = [_bar("model", value, low, high, "fine" if shown else "undecided", "o" if shown else "s")]
    if file_alone:
        alone = file_alone["valid" if found.run.kind == SPLIT else "all"]
        bars.append(_bar("file alone", alone["hits"] / max(alone["n"], 1), alone["low"], alone["high"], "problem", "D"))
    least = min(30.0, *(bar.low or 0.0 for bar in bars))
    return rows(bars, x="right about so many (50 % is a coin)", middle=50.0, ends=(least, 100.0), names=110,
                label="Accuracy of the model and of the file alone, with 95 % intervals")  # fmt: skip


def _bar(name: str, value: float, low: float, high: float, colour: str, shape: str) -> Bar:
    return Bar(name=name, value=100 * value, low=100 * low, high=100 * high, colour=colour, shape=shape, strong=True,
               words=with_interval(value, low, high, percent=True))  # fmt: skip
