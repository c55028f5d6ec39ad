"""The command `train run`: it parses, calls one function and prints."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imageledger import console
from train import options

if TYPE_CHECKING:
    from train.runs import Run


@click.command()
@options.pictures()
@options.training("DATASET-ARCH-NUMBER")
@console.json_option
@console.everywhere
def run(
    manifest: Path | None, folder: Path | None, name: str | None, as_json: bool, project: Path | None, **wanted: Any
) -> None:
    """Fine-tune a backbone on MANIFEST (default: the project's final.jsonl) and judge it on the valid rows.

    With weights, fastai's fine_tune: one epoch with the body frozen, then --epochs with all of it. With
    --weights none the whole network learns for --epochs under one cycle; give it more of them. The last epoch
    counts, or with --early-stopping the one that an inner split of the training pictures finds best.

    On a CPU, the same seed, workers, packages and machine give the same predictions, bit for bit, and so does a
    training that was killed: the same command carries on after its last whole epoch.

    \b
    Examples:
      train run
      train run --arch squeezenet1_1 --weights squeezenet1_1.safetensors
      train run --weights none --size 128 --epochs 30 --name from-scratch
      train run --folder exported/ --arch timm:convnext_atto
      train run --devices 1 --precision mixed --log csv
      accelerate launch --num_processes 2 -m train run --devices 2
    """
    from imageledger.config import open_project
    from train.config import train_settings
    from train.network import devices
    from train.run import work
    from train.training import task as training

    options.refuse_both(manifest, folder)
    opened = open_project(project)
    settings = train_settings(opened, wanted)
    name = training.run_name(opened, settings, name)
    todo = training.task(opened, manifest, folder)
    console.say(f"run {name}: {settings.arch} on {len(todo.pictures)} pictures")
    with _watched("inner" if settings.early_stopping else "validation") as tell:
        place, made = work.train(opened, todo, settings, name, tell, console.say)
    if devices.rank():
        return
    _show(place, made, as_json, drawn=any(picture.source.startswith("sample:") for picture in todo.pictures))


@contextmanager
def _watched(judged: str) -> Iterator[Callable[..., None]]:
    """Hand out a function that shows batches as a bar (on a terminal) and epochs as lines."""
    with options.bar("whole epochs are kept", "the same command carries on") as advance:

        def tell(done: int, total: int, epoch: Any) -> None:
            advance(done, total)
            if epoch is not None:
                console.say(
                    f"epoch {epoch.epoch} ({epoch.phase}): training loss {epoch.train_loss:.3f}, "
                    f"{judged} loss {epoch.valid_loss:.3f}, error rate {epoch.error_rate:.3f}"
                )

        yield tell


def _show(place: Path, made: "Run", as_json: bool, drawn: bool) -> None:
    from train.evaluation import metrics

    if as_json:
        console.table([{"run": made.name, **row} for row in metrics.flat(made.metrics)], as_json=True)
    else:
        console.table(metrics.in_words(made.metrics), title=f"run {made.name}")
        console.result(place)
    if made.early_stopping:
        console.say(metrics.chosen_epoch(made.early_stopping))
    console.say(metrics.how_sure(made.metrics))
    if made.file_alone:
        console.say(metrics.beside(made.metrics, made.file_alone))
    options.say_drawn(drawn)
