"""The command `train hold-out`: it parses, calls one function and prints."""

from pathlib import Path
from typing import Any

import click

from imageledger import console
from train import options


@click.command("hold-out")
@options.pictures(folder=False)
@click.option("--by", type=click.Choice(["generator", "source"]), default="generator", show_default=True,
              help="What to leave out, one at a time.")  # fmt: skip
@options.training("DATASET-ARCH-without-NUMBER")
@console.json_option
@console.everywhere
def hold_out(
    manifest: Path | None, by: str, name: str | None, as_json: bool, project: Path | None, **wanted: Any
) -> None:
    """Test models on generators or sources they never saw.

    For each generator of the ai pictures in MANIFEST (default: the project's final.jsonl), a model is trained without
    that generator, then judged on its pictures and on real ones that it has not seen either. The worst generator is
    the headline: it tells what to expect of the next one. Beside it stand the models that do know the generator, on
    pictures of it that they have not seen. --by source leaves out sources instead, of either class. Of each part it is
    also asked whether its pictures are told from others of the same label, as audit foreign asks of a new source.

    If it is killed, the same command keeps what is done and carries on.

    \b
    Examples:
      train hold-out
      train hold-out --by source --arch squeezenet1_1 --weights squeezenet1_1.safetensors
    """
    from imageledger.config import open_project
    from train.evaluation import unseen, verdict
    from train.hold_out import work
    from train.training.settings import train_settings

    opened = open_project(project)
    run = work.hold_out(
        opened, manifest, by=by, name=name, settings=train_settings(opened, wanted), track=console.track
    )
    place = opened.runs / run.name
    if as_json:
        console.data(options.as_json(place, run))
    else:
        console.result(unseen.headline(run))
        console.table(unseen.rows(run), title=f"run {run.name}: recall of what was left out")
        for sentence in (*verdict.sentences(run), unseen.below_chance(run), *unseen.apart(run)):
            if sentence:
                console.result(sentence)
        console.result(place)
    options.say_drawn(place)
