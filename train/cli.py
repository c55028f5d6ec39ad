"""The train commands: each parses, calls one function and prints."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imageledger import console

if TYPE_CHECKING:
    from train.run import Run


@click.group(cls=console.Door)
def main() -> None:
    """Train a classifier on the final manifest, and keep every number it gave.

    A run is a folder in data/runs/: settings, history, weights, one prediction a picture, and figures.
    """


@main.command()
@click.argument("manifest", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Train on DIR/{train,valid}/LABEL/ instead of a manifest.",
)
@click.option("--arch", help="A torchvision classification model, or timm:NAME.  [default: resnet18]")
@click.option(
    "--weights",
    metavar="imagenet|none|FILE",
    help="Start from ImageNet, from random numbers, or from a safetensors file.  [default: imagenet]",
)
@click.option("--epochs", type=click.IntRange(1), help="Epochs after the frozen one.  [default: 3]")
@click.option("--size", type=click.IntRange(32), help="Side of the square the network sees, in pixels.  [default: 224]")
@click.option("--batch-size", type=click.IntRange(2), help="Pictures a step.  [default: 16]")
@click.option("--seed", type=click.IntRange(0), help="Fixes all that chance decides.  [default: the project's, 42]")
@click.option(
    "--workers", type=click.IntRange(0), help="Processes that read pictures; changes the result.  [default: 0]"
)
@click.option("--name", help="Name of the run.  [default: DATASET-ARCH-NUMBER]")
@console.json_option
@console.everywhere
def run(
    manifest: Path | None, folder: Path | None, name: str | None, as_json: bool, project: Path | None, **options: Any
) -> None:
    """Fine-tune a backbone on MANIFEST (default: the project's final.jsonl) and judge it on the valid rows.

    With weights, fastai's fine_tune: one epoch with the body frozen, then --epochs with all of it. With
    --weights none the whole network learns for --epochs under one cycle; give it more of them.

    On a CPU, the same seed, workers, packages and machine give the same predictions, bit for bit.

    \b
    Examples:
      train run
      train run --arch squeezenet1_1 --weights squeezenet1_1.safetensors
      train run --weights none --size 128 --epochs 30 --name from-scratch
      train run --folder exported/ --arch timm:convnext_atto
    """
    from imageledger.config import open_project
    from train import training
    from train.config import train_settings

    if manifest and folder:
        raise click.UsageError("give a manifest or --folder, not both")
    opened = open_project(project)
    settings = train_settings(opened, options)
    name = training.run_name(opened, settings, name)
    todo = training.task(opened, manifest, folder)
    console.say(f"run {name}: {settings.arch} on {len(todo.pictures)} pictures")
    with _watched() as tell:
        place, made = training.train(opened, todo, settings, name, tell, console.say)
    _show(place, made, as_json, drawn=any(picture.source.startswith("sample:") for picture in todo.pictures))


@contextmanager
def _watched() -> Iterator[Callable[..., None]]:
    """Hand out a function that shows batches as a bar (on a terminal) and epochs as lines."""
    from imageledger.errors import RunError

    try:
        with console.bar("train") as advance:

            def tell(done: int, total: int, epoch: Any) -> None:
                advance(done, total)
                if epoch is not None:
                    console.say(
                        f"epoch {epoch.epoch} ({epoch.phase}): training loss {epoch.train_loss:.3f}, "
                        f"validation loss {epoch.valid_loss:.3f}, error rate {epoch.error_rate:.3f}"
                    )

            yield tell
    except KeyboardInterrupt as error:
        stopped = RunError("interrupted; nothing is kept of this run", "the same command starts it again")
        stopped.exit_code = 130
        raise stopped from error


def _show(place: Path, made: "Run", as_json: bool, drawn: bool) -> None:
    from train import metrics

    if as_json:
        console.table([{"run": made.name, **row} for row in metrics.flat(made.metrics)], as_json=True)
    else:
        console.table(metrics.in_words(made.metrics), title=f"run {made.name}")
        console.result(place)
    console.say(metrics.how_sure(made.metrics))
    if made.file_alone:
        console.say(metrics.beside(made.metrics, made.file_alone))
    if drawn:
        console.say("These pictures are drawn (sample:): the figures mean nothing about real portraits.")
