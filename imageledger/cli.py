"""The imageledger command: a project's own verbs, and the three groups for whoever has another `train` on the PATH."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imageledger import console

if TYPE_CHECKING:
    from imageledger.config import Project

LEGS = ("curate", "train", "audit")


class Legs(console.Door):
    """A group that finds the three legs by name, when they are called: imports run one way."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Show the legs between making a project and looking after it."""
        own = super().list_commands(ctx)
        return [*own[:1], *LEGS, *own[1:]]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of our own, or the group of a leg."""
        if cmd_name in LEGS:
            group: click.Command = import_module(f"{cmd_name}.cli").main
            return group
        return super().get_command(ctx, cmd_name)


@click.group(cls=Legs)
@click.version_option(package_name="imageledger")
def main() -> None:
    """Curate, train on and audit portraits of real people against faces made by AI.

    \b
    imageledger demo        a tour on drawn pictures: no account, no download
    imageledger init        a project of your own
    """


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--dataset", default="portraits", show_default=True, help="Name of the dataset.")
def init(folder: Path | None, dataset: str) -> None:
    """Make FOLDER (default: this one) a project: imageledger.toml, data/, manifests/."""
    from imageledger.project import init as make

    made = make(folder or Path(), dataset)
    console.result(made)
    console.say("Next:")
    if folder is not None:
        console.say(f"  cd {folder}")
    console.say("  curate fetch kaggle:hamzaboulahia/hardfakevsrealfaces --labels 'real/**=real,fake/**=ai'")
    console.say("  curate run                  (all stages, and then what the files alone give away)")
    console.say("  train run")


@main.command()
@click.argument("folder", default="demo-run", type=click.Path(path_type=Path, file_okay=False))
@click.option("--full", is_flag=True, help="Use rembg's model and the ImageNet weights (downloads 220 MB).")
@console.everywhere
def demo(folder: Path, full: bool, project: Path | None) -> None:
    """Walk through everything on drawn pictures, in FOLDER (default: demo-run).

    No account and no download: the pictures are drawn, GrabCut cuts out, ResNet18 learns from scratch. About five
    minutes on two cores. It is a tour and a test bed: its figures mean nothing about real portraits.
    """
    from imageledger import demo as tour
    from imageledger.config import FILE, open_project
    from imageledger.errors import ConfigError
    from imageledger.project import init as make

    folder = (project or Path()) / folder
    if not (folder / FILE).exists():
        if folder.is_dir() and any(folder.iterdir()):
            raise ConfigError(f"{folder} is neither empty nor a project", "imageledger demo OTHER-FOLDER")
        make(folder, "sample")
    opened = open_project(folder)
    if opened.dataset != "sample":
        raise ConfigError(f"{folder} is a project of its own, not a demo", "imageledger demo OTHER-FOLDER")
    if full:
        console.say(tour.DOWNLOADS)
    took = list(tour.walk(opened, full, console.say))
    console.result("")
    console.table(tour.summary(opened, took), title="What became of the pictures")
    console.table(_planted(opened), title="Planted problems")
    for what, path in tour.places(opened):
        console.result(f"{what}: {path}")
    console.say("All pictures are drawn: these figures mean nothing about real portraits.")


def _planted(opened: "Project") -> list[dict[str, object]]:
    """Write the truth of the drawn pictures and compare it with what the stages and the model made of them."""
    from imageledger import demo as tour
    from imageledger.manifest import read

    sample = import_module("curate.sources.sample")
    truth = sample.open_sample(tour.SOURCE, opened).truth()
    sample.write_truth(opened.folder / "truth.jsonl", truth)
    return list(sample.found(truth, read(opened.manifest("manifest")), tour.suspects(opened)))


@main.command()
@console.json_option
@console.everywhere
def status(project: Path | None, as_json: bool) -> None:
    """Show every stage with its counts, the training runs, and what to do next."""
    import json

    from imageledger import overview
    from imageledger.config import open_project

    opened = open_project(project)
    stages, runs = overview.stages(opened), overview.runs(opened)
    if as_json:
        console.result(json.dumps({"dataset": opened.dataset, "stages": stages, "runs": runs}, indent=2))
        return
    console.table(stages, title=f"dataset {opened.dataset}")
    console.table(runs, title="training runs")
    console.say(f"Next: {overview.next_command(stages, bool(runs))}")


@main.command()
@click.option("--remove-damaged", is_flag=True, help="Remove damaged objects, so that the stages make them again.")
@console.json_option
@console.everywhere
def verify(project: Path | None, as_json: bool, remove_damaged: bool) -> None:
    """Check every manifest against its card and every object against its name; exit 1 when something is damaged."""
    from imageledger import overview
    from imageledger.config import open_project
    from imageledger.errors import StoreError

    opened = open_project(project)
    found = list(overview.damages(opened))
    if found or as_json:
        console.table([overview.plain(damage) for damage in found], as_json=as_json)
    if not found:
        console.say("Everything is what its name and its card say.")
        return
    again = overview.mend(opened, found) if remove_damaged else "imageledger verify --remove-damaged, then curate run"
    raise StoreError(f"{len(found)} damaged or missing", again)
