"""The train commands that say what a model is worth: cross-validate, hold-out and compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imageledger import console
from train import options
from train.options import CARRIES_ON, _drawn, _plain

if TYPE_CHECKING:
    from train.runs import Run


@click.command("cross-validate")
@options.pictures()
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, help="Into how many parts to divide.")
@click.option("--repeats", type=click.IntRange(1), default=1, show_default=True,
              help="How often to draw the folds anew; each costs as many trainings.")  # fmt: skip
@options.training("DATASET-ARCH-folds-NUMBER")
@console.json_option
@console.everywhere
def cross_validate(
    manifest: Path | None, folder: Path | None, folds: int, repeats: int, name: str | None, as_json: bool,
    project: Path | None, **wanted: Any,
) -> None:  # fmt: skip
    """Judge every picture by a model that has not seen it, and train a last one on all of them.

    Takes all ok rows of MANIFEST (default: the project's final.jsonl), train and valid together, and divides them into
    folds with equal shares of each class; near-duplicates and declared groups stay together. A model a fold is
    trained on the others and asked about that one. Every figure comes with a 95 % interval, beside what the file
    alone reaches on the same pictures. The run is a folder like that of train run: predictions.jsonl judges all
    pictures, folds/ holds a run a fold, and weights.safetensors is a model trained on all pictures.

    Killed at any moment, the same command keeps whole folds and carries on.

    \b
    Examples:
      train cross-validate
      train cross-validate --folds 10 --repeats 3
      train cross-validate --arch squeezenet1_1 --weights squeezenet1_1.safetensors --size 128
      audit top-losses                                 then judges all pictures
    """
    from imageledger.config import open_project
    from train.config import train_settings
    from train.cross_validate import work as crossvalidating
    from train.training import task as training

    options.refuse_both(manifest, folder)
    opened = open_project(project)
    settings, plan = train_settings(opened, wanted), crossvalidating.Plan(folds=folds, repeats=repeats)
    name = training.run_name(opened, settings, name, "folds")
    todo = training.task(opened, manifest, folder)
    often = f"{folds} folds" + (f", {repeats} times" if repeats > 1 else "")
    console.say(f"run {name}: {settings.arch} on {len(todo.pictures)} pictures in {often}")
    with options.bar(*CARRIES_ON) as advance:
        place, run = crossvalidating.cross_validate(
            opened, todo, settings, plan, name, advance, console.say
        )  # fmt: skip
    _show_folds(place, run, as_json)
    options.say_drawn(_drawn(todo))


def _show_folds(place: Path, run: "Run", as_json: bool) -> None:
    import json

    from train.cross_validate import report
    from train.evaluation import evaluate as evaluation

    if as_json:
        console.result(json.dumps(_plain(place, run), ensure_ascii=False, indent=2))
    else:
        console.table(evaluation.in_words(run.evaluation), title=f"run {run.name}")
        console.result(place)
    console.say(report.how_sure(run))
    if run.file_alone:
        console.say(report.beside(run))
