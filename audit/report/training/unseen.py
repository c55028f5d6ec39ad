"""What becomes of generators and sources that the model never met: a hold-out run in, a table out. Pure."""

from collections.abc import Sequence
from typing import Any

from audit.charts.rows import Bar, rows
from audit.report.training.block import Block
from imageledger.record import Record
from train.evaluation import unseen
from train.runs import Run

TITLE = "On a generator or source that it has not seen"


def hold_out(run: Run) -> Block:
    """Show what a hold-out run made of each part that its models were trained without."""
    by, parts = run.evaluation["by"], run.evaluation["parts"]
    words = [unseen.headline(run), unseen.below_chance(run), *unseen.apart(run)]
    return Block(
        name="hold_out", title=TITLE, sentences=[sentence for sentence in words if sentence], wide=True,
        drawings=[_drawing(parts)], rows=unseen.rows(run),
        key=["filled: never met in training", "hollow: known from other pictures"],
        figures={"run": run.name, "by": by, "parts": list(parts)},
    )  # fmt: skip


def _drawing(parts: Sequence[dict[str, Any]]) -> Any:
    bars = [
        Bar(
            name=str(part["name"]), value=100 * figure["value"], low=100 * figure["low"], high=100 * figure["high"],
            other=100 * part["seen"]["value"] if "value" in part["seen"] else None,
            colour="problem" if figure["high"] < 0.5 else "usual", shape="D" if figure["high"] < 0.5 else "o",
            words=f"{100 * figure['value']:.0f} % of {part['pictures']}",
        )
        for part in parts
        for figure in [part["unseen"]]
        if "value" in figure
    ]  # fmt: skip
    return rows(bars, x="recognised, % with 95 % intervals", ends=(0, 100), middle=50, names=150,
                label="Recognised of each part that was held out")  # fmt: skip


def not_measured(chosen: Sequence[Record], labels: tuple[str, str]) -> Block:
    """Say how to measure it, or why these pictures cannot: with one generator and one source there is nothing else."""
    generators = {record.generator for record in chosen if record.label == labels[1]}
    sources = [{record.source for record in chosen if record.label == label} for label in labels]
    if len(generators) > 1:
        why, command = "How the model does on a generator that it has not seen has not been measured.", "train hold-out"
    elif any(len(held) > 1 for held in sources):
        why, command = (
            "How the model does on a source that it has not seen has not been measured.",
            "train hold-out --by source",
        )
    else:
        made = next(iter(generators), "") or "one generator"
        why = (
            f"All {labels[1]} pictures were made by {made}, so nothing can be held out, and nothing is known about any "
            "other generator, which is where such models fail. Fetch a second one."
        )
        command = f"curate fetch SOURCE --label {labels[1]} --generator NAME"
    return Block(name="hold_out", title=TITLE, missing=[(why, command)])
