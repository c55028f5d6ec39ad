"""The command `train cross-validate`: it parses, calls one function and prints."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imageledger import console
from train import options

if TYPE_CHECKING:
    from train.runs import Run


@click.command("cross-validate")
@options.pictures()
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True,
              help="Number of parts the pictures are divided into.")  # fmt: skip
@click.option("--repeats", type=click.IntRange(1), default=1, show_default=True,
              help="How many times the folds are drawn; each repeat trains as many models.")  # fmt: skip
@options.training("DATASET-ARCH-folds-NUMBER")
@console.json_option
@console.everywhere
def cross_validate(
    manifest: Path | None, folder: Path | None, folds: int, repeats: int, name: str | None, as_json: bool,
    project: Path | None, **wanted: Any,
) -> None:  # fmt: skip
    """Judge every picture by a model that has not seen it.

    All ok rows of MANIFEST (default: the project's final.jsonl), train and valid together, are divided into folds
    with equal shares of each class; near-duplicates and declared groups stay together. For each fold, a model is
    trained on the other folds and judged on this one. Every figure has a 95 % interval and stands beside what the
    file alone reaches on the same pictures. The run is a folder like that of train run: predictions.jsonl holds an
    answer for every picture, folds/ a run per fold, and weights.safetensors a final model, trained on all pictures.

    If it is killed, the same command keeps whole folds and carries on.

    \b
    Examples:
      train cross-validate
      train cross-validate --folds 10 --repeats 3
      train cross-validate --arch squeezenet1_1 --weights squeezenet1_1.safetensors --size 128
      audit top-losses                                 then covers all pictures
    """
    from imageledger.config import open_project
    from train.cross_validate import work
    from train.training.settings import train_settings

    options.refuse_both(manifest, folder)
    opened = open_project(project)
    run = work.cross_validate(
        opened, manifest, folder=folder, folds=folds, repeats=repeats, name=name,
        settings=train_settings(opened, wanted), track=console.track,
    )  # fmt: skip
    _show(opened.runs / run.name, run, as_json)


def _show(place: Path, run: "Run", as_json: bool) -> None:
    from train.cross_validate import report
    from train.evaluation import evaluate, verdict

    if as_json:
        console.data(options.as_json(place, run))
    else:
        console.table(evaluate.in_words(run.evaluation), title=f"run {run.name}, with 95 % intervals")
        for sentence in verdict.sentences(run):
            console.result(sentence)
        console.result(place)
    console.say(report.how_sure(run))
    if run.file_alone:
        console.say(report.beside(run))
    options.say_drawn(place)
