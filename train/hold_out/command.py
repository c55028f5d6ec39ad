"""The command `train hold-out`: it parses, calls one function and prints."""

from pathlib import Path
from typing import Any

import click

from imageledger import console
from train import options
from train.options import CARRIES_ON, _drawn, _plain


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
    from train.config import train_settings
    from train.evaluation import unseen
    from train.hold_out import work as holding_out
    from train.training import task as training

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
        console.result(unseen.headline(run))
        console.table(unseen.rows(run), title=f"run {run.name}: recall of what was left out")
        if warning := unseen.below_chance(run):
            console.result(warning)
        console.result(place)
    options.say_drawn(_drawn(todo))
