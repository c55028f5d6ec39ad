"""The options that several train commands share, and what they show while a training goes on."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from train.runs import Run
    from train.training.task import Task
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from imageledger import console

Command = TypeVar("Command", bound=Callable[..., Any])

_MANIFEST = click.argument("manifest", required=False, type=click.Path(path_type=Path, dir_okay=False))
_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Take the pictures of DIR/{train,valid}/LABEL/ instead of a manifest's.",
)
_TRAINING = (
    click.option("--recipe", type=click.Choice(["seed", "strong"]),
                 help="seed fine-tunes the network; strong puts a line on what the frozen network sees in several "
                 "crops, needs --weights and has no epochs, size or batches.  [default: seed]"),
    click.option("--arch", help="A torchvision classification model, or timm:NAME.  [default: resnet18]"),
    click.option("--weights", metavar="imagenet|none|FILE",
                 help="Start from ImageNet, from random numbers, or from a safetensors file.  [default: imagenet]"),
    click.option("--epochs", type=click.IntRange(1), help="Epochs after the frozen one.  [default: 3]"),
    click.option("--size", type=click.IntRange(32),
                 help="Side of the square the network sees, in pixels.  [default: 224]"),
    click.option("--batch-size", type=click.IntRange(2), help="Pictures a step.  [default: 16]"),
    click.option("--early-stopping/--no-early-stopping", default=None,
                 help="Take the epoch that is best on a fifth of the training pictures, which are not trained on; "
                 "those that judge the model are not looked at."),
    click.option("--seed", type=click.IntRange(0),
                 help="Fixes all that chance decides.  [default: the project's, 42]"),
    click.option("--workers", type=click.IntRange(0),
                 help="Processes that read pictures; changes the result.  [default: 0]"),
    click.option("--precision", type=click.Choice(["full", "mixed"]),
                 help="mixed computes in 16 bits where that is safe, on a GPU only.  [default: full]"),
    click.option("--devices", metavar="auto|cpu|N",
                 help="auto takes a GPU where there is one; N > 1 GPUs have to be started by accelerate launch.  "
                 "[default: auto]"),
    click.option("--log", type=click.Choice(["csv", "tensorboard"]),
                 help="Also let fastai write its log into the run's folder."),
)  # fmt: skip


def pictures(*, folder: bool = True) -> Callable[[Command], Command]:
    """Add what names the pictures: the argument MANIFEST and, where one may be taken, the option --folder."""

    def add(command: Command) -> Command:
        return _MANIFEST(_FOLDER(command)) if folder else _MANIFEST(command)

    return add


def training(default: str) -> Callable[[Command], Command]:
    """Add the settings of a training, and the name of its run, by default that of the pattern."""

    def add(command: Command) -> Command:
        command = click.option("--name", help=f"Name of the run.  [default: {default}]")(command)
        for option in reversed(_TRAINING):
            command = option(command)
        return command

    return add


def refuse_both(manifest: Path | None, folder: Path | None) -> None:
    """Raise a usage error when pictures are named twice."""
    if manifest and folder:
        raise click.UsageError("give a manifest or --folder, not both")


@contextmanager
def bar(kept: str, again: str) -> Iterator[Callable[[int, int], None]]:
    """Hand out what moves a bar of batches (on a terminal); an interruption says what is kept, and what is next.

    Raises RunError with the exit code of an interruption.
    """
    from imageledger.errors import RunError

    try:
        with console.bar("train") as advance:
            yield advance
    except KeyboardInterrupt as error:
        stopped = RunError(f"interrupted; {kept}", again)
        stopped.exit_code = 130
        raise stopped from error


def say_drawn(drawn: bool) -> None:
    """Say of drawn pictures that no figure here means anything."""
    if drawn:
        console.say("These pictures are drawn (sample:): the figures mean nothing about real portraits.")


CARRIES_ON = ("whole folds are kept", "the same command carries on")


def _plain(place: Path, run: "Run") -> dict[str, Any]:
    """Return what a run came to as one object for --json."""
    return {"run": run.name, "kind": run.kind, "evaluation": run.evaluation, "file_alone": run.file_alone,
            "folder": str(place)}  # fmt: skip


def _drawn(todo: "Task") -> bool:
    return any(picture.source.startswith("sample:") for picture in todo.pictures)
