"""The command `train run`: it parses, calls one function and prints."""

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
    """Train a classifier, and judge it on the valid pictures.

    The pictures are the ok rows of MANIFEST (default: the project's final.jsonl), each in its split.

    The recipe fine-tune with weights is fastai's fine_tune: one epoch with the body frozen, then --epochs with the
    whole network. With --weights none the whole network learns for --epochs under one cycle; give it more of them.
    The last epoch counts, or with --early-stopping the best one on a fifth of the training pictures.

    On a CPU, the same seed, workers, packages and machine give the same predictions, bit for bit, even if the
    training was killed: the same command carries on after its last whole epoch.

    \b
    Examples:
      train run
      train run --arch squeezenet1_1 --weights squeezenet1_1.safetensors
      train run --recipe frozen
      train run --weights none --size 128 --epochs 30 --name from-scratch
      train run --folder exported/ --arch timm:convnext_atto
      train run --devices 1 --precision mixed
    """
    from imageledger.config import open_project
    from train.run import work
    from train.training.settings import train_settings

    options.refuse_both(manifest, folder)
    opened = open_project(project)
    made = work.run(
        opened, manifest, folder=folder, name=name, settings=train_settings(opened, wanted), track=console.track
    )
    _show(opened.runs / made.name, made, as_json)


def _show(place: Path, made: "Run", as_json: bool) -> None:
    from train.evaluation import metrics, verdict
    from train.runs import cross_validated

    if as_json:
        console.table([{"run": made.name, **row} for row in metrics.flat(made.metrics)], as_json=True)
    else:
        console.table(metrics.in_words(made.metrics), title=f"run {made.name}, with 95 % intervals")
        for sentence in verdict.sentences(made, cross_validated(place.parent, made.manifest_digest)):
            console.result(sentence)
        console.result(place)
    if made.early_stopping:
        console.say(metrics.chosen_epoch(made.early_stopping))
    console.say(metrics.how_sure(made.metrics))
    if made.file_alone:
        console.say(metrics.beside(made.metrics, made.file_alone))
    options.say_drawn(place)
