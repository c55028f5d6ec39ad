"""The train commands that say what a model is worth: cross-validate, hold-out and compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imageledger import console
from train import options

if TYPE_CHECKING:
    from train.run import Run
    from train.training import Task

CARRIES_ON = ("whole folds are kept", "the same command carries on")


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
    from train import crossvalidating, training
    from train.config import train_settings

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

    from train import crossvalidating, evaluation

    if as_json:
        console.result(json.dumps(_plain(place, run), ensure_ascii=False, indent=2))
    else:
        console.table(evaluation.in_words(run.evaluation), title=f"run {run.name}")
        console.result(place)
    console.say(crossvalidating.how_sure(run))
    if run.file_alone:
        console.say(crossvalidating.beside(run))


@click.command("hold-out")
@options.pictures(folder=False)
@click.option("--by", type=click.Choice(["generator", "source"]), default="generator", show_default=True,
              help="What to leave out, one after the other.")  # fmt: skip
@options.training("DATASET-ARCH-without-NUMBER")
@console.json_option
@console.everywhere
def hold_out(
    manifest: Path | None, by: str, name: str | None, as_json: bool, project: Path | None, **wanted: Any
) -> None:
    """Leave one generator (or source) out of the training, and see what the model makes of it.

    A model is trained for each generator of MANIFEST's ai pictures (default: the project's final.jsonl), without it,
    and asked about its pictures and about real ones that it has not seen either. The worst one is the headline: this
    is what to expect of the next generator. Beside it stands what models that know the generator make of pictures of
    it that they have not seen. --by source leaves out sources instead, of either class.

    Killed at any moment, the same command keeps what is done and carries on.

    \b
    Examples:
      train hold-out
      train hold-out --by source --arch squeezenet1_1 --weights squeezenet1_1.safetensors
    """
    import json

    from imageledger.config import open_project
    from train import holding_out, training
    from train.config import train_settings

    opened = open_project(project)
    settings = train_settings(opened, wanted)
    name = training.run_name(opened, settings, name, "without")
    todo = training.task(opened, manifest, None)
    console.say(f"run {name}: {settings.arch} on {len(todo.pictures)} pictures, one {by} left out at a time")
    with options.bar(*CARRIES_ON) as advance:
        place, run = holding_out.hold_out(opened, todo, settings, by, name, advance, console.say)
    if as_json:
        console.result(json.dumps(_plain(place, run), ensure_ascii=False, indent=2))
    else:
        console.result(holding_out.headline(run))
        console.table(holding_out.rows(run), title=f"run {run.name}: recall of what was left out")
        if warning := holding_out.below_chance(run):
            console.result(warning)
        console.result(place)
    options.say_drawn(_drawn(todo))


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN OTHER...")
@click.option("--seed", type=click.IntRange(0), help="Draws the bootstrap.  [default: the project's, 42]")
@console.json_option
@console.everywhere
def compare(runs: tuple[str, ...], seed: int | None, as_json: bool, project: Path | None) -> None:
    """Tell whether one run is better than another, on the pictures that both judged without training on them.

    Every other run is compared with the first. Pictures are paired by source, member and pixels, so that an easy
    picture is easy for both: McNemar's exact test asks who is right where they disagree, the intervals draw whole
    groups again. With several runs the p-values are corrected after Holm. Where nothing is shown, it says how large a
    difference so many pictures could have shown. Runs of train cross-validate judge all pictures: compare those. With
    --repeats the difference is the mean over repeats, what one model of each recipe is worth, and surer.

    \b
    Examples:
      train compare seed strong
      train compare seed strong other --json | jq '.[].conclusion'
    """
    from imageledger.config import open_project
    from train import comparing, sides

    opened = open_project(project)
    read, groups, warnings = sides.read(opened, runs)
    for warning in warnings:
        console.say(f"Warning: {warning}")
    found = comparing.compare(read, groups, seed=opened.declared.seed if seed is None else seed)
    if as_json:
        console.table(comparing.plain(found), as_json=True)
    else:
        console.table(comparing.in_words(found), title=f"against {found[0].first}, on the same pictures")
        for one in found:
            console.result(comparing.conclusion(one))
    for remark in (remark for one in found for remark in comparing.remarks(one)):
        console.say(remark)


def _plain(place: Path, run: "Run") -> dict[str, Any]:
    """Return what a run came to as one object for --json."""
    return {"run": run.name, "kind": run.kind, "evaluation": run.evaluation, "file_alone": run.file_alone,
            "folder": str(place)}  # fmt: skip


def _drawn(todo: "Task") -> bool:
    return any(picture.source.startswith("sample:") for picture in todo.pictures)
