"""The options that several train commands share, and how they end."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from imageledger import console

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from train.runs import Run

Command = TypeVar("Command", bound=Callable[..., Any])


class RecipeName(click.ParamType):
    """The name of a recipe; the registry knows which there are, plug-ins included."""

    name = "recipe"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name a recipe has today; refuse a name that no recipe has."""
        from train.recipes import RECIPES, current

        if current(value) not in RECIPES.names():
            self.fail(f"{value!r} is not one of {', '.join(RECIPES.names())}.", param, ctx)
        return current(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """Offer the recipes whose names begin so."""
        from click.shell_completion import CompletionItem

        from train.recipes import RECIPES

        return [CompletionItem(name) for name in RECIPES.names() if name.startswith(incomplete)]


class RecipeOption(click.Option):
    """--recipe, whose help describes every recipe there is; to read it imports none of them."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the help with a clause per recipe."""
        from train.recipes import described

        record = super().get_help_record(ctx)
        lines = [f"{name}: {line}" if line else name for name, line in described().items()]
        return record and (record[0], " ".join([record[1], *lines, " [default: fine-tune]"]))


_MANIFEST = click.argument("manifest", required=False, type=click.Path(path_type=Path, dir_okay=False))
_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Take the pictures from DIR/{train,valid}/LABEL/ instead of a manifest.",
)
_TRAINING = (
    click.option("--recipe", cls=RecipeOption, type=RecipeName(), metavar="NAME", help="How to train."),
    click.option("--arch", help="A torchvision classification model, or timm:NAME.  [default: resnet18]"),
    click.option("--weights", metavar="imagenet|none|FILE",
                 help="Start from ImageNet weights, from random numbers, or from a safetensors file.  "
                 "[default: imagenet]"),
    click.option("--epochs", type=click.IntRange(1), help="Epochs after the one with a frozen body.  [default: 3]"),
    click.option("--size", type=click.IntRange(32),
                 help="Side of the square that the network sees, in pixels.  [default: 224]"),
    click.option("--batch-size", type=click.IntRange(2), help="Pictures per step.  [default: 16]"),
    click.option("--early-stopping/--no-early-stopping", default=None,
                 help="Keep the epoch that is best on a fifth of the training pictures, which are held out for this; "
                 "the pictures that judge the model are not used."),
    click.option("--seed", type=click.IntRange(0), help="Seed of all random numbers.  [default: the project's, 42]"),
    click.option("--workers", type=click.IntRange(0),
                 help="Processes that read pictures; their number changes the result.  [default: 0]"),
    click.option("--precision", type=click.Choice(["full", "mixed"]),
                 help="mixed computes in 16 bits where that is safe; it needs a GPU.  [default: full]"),
    click.option("--devices", metavar="auto|cpu|1",
                 help="auto uses a GPU where there is one, 1 insists on one.  [default: auto]"),
)  # fmt: skip


def pictures(*, folder: bool = True) -> Callable[[Command], Command]:
    """Add what names the pictures: the argument MANIFEST and, where a folder may be taken, the option --folder."""

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


def say_drawn(place: Path) -> None:
    """Say of a run on drawn pictures that its figures mean nothing."""
    from train.pictures import DRAWN
    from train.runs import read_predictions

    if any(prediction.source.startswith(DRAWN) for prediction in read_predictions(place)):
        console.say("These pictures are drawn (sample:): the figures mean nothing about real portraits.")


def as_json(place: Path, run: "Run") -> dict[str, Any]:
    """Return what a run came to as one object for --json."""
    from dataclasses import asdict

    from train.evaluation.verdict import verdict

    return {"run": run.name, "kind": run.kind, "evaluation": run.evaluation, "file_alone": run.file_alone,
            "verdict": [asdict(said) for said in verdict(run)], "folder": str(place)}  # fmt: skip
