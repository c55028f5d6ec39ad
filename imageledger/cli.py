"""The command `imageledger`: its own commands, and the groups of the legs for people who have another `train`."""

from pathlib import Path

import click

from imageledger import console


class Legs(console.Door):
    """A command group that also holds the groups which installed packages announce as `imageledger.legs`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List `init`, then the legs in their order, then the other commands."""
        own, legs = super().list_commands(ctx), {name: self._leg(name) for name in self._names()}
        return [*own[:1], *sorted(legs, key=lambda name: getattr(legs[name], "place", 9)), *own[1:]]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of our own, or the group of a leg."""
        if cmd_name in self.commands:
            return super().get_command(ctx, cmd_name)
        return self._leg(cmd_name) if cmd_name in self._names() else None

    @staticmethod
    def _names() -> tuple[str, ...]:
        from imageledger.errors import LedgerError
        from imageledger.plugins import LEGS

        if not LEGS.names():
            raise LedgerError(
                "the installed imageledger announces no commands: its metadata is older than its source code",
                "install it again: pip install imageledger, or pip install -e . in its folder",
            )
        return LEGS.names()

    @staticmethod
    def _leg(name: str) -> click.Command:
        from imageledger.errors import LedgerError
        from imageledger.plugins import LEGS

        try:
            group: click.Command = LEGS.load(name, click.Command)
        except LedgerError as error:
            return _unloadable(name, error)
        return group


def _unloadable(name: str, error: Exception) -> click.Command:
    """Return a command that stands in for a leg that cannot be loaded, so that the other legs still work."""

    def fail() -> None:
        raise error

    return click.Command(name, callback=fail, help=f"Cannot be loaded: {error}", add_help_option=False)


@click.group(cls=Legs)
@click.version_option(package_name="imageledger")
def main() -> None:
    """Curate, train on and audit portraits of real people against faces made by AI.

    \b
    imageledger demo        a tour on drawn pictures: no account, no download
    imageledger init        start a project of your own
    """


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--dataset", default="portraits", show_default=True, help="Name of the dataset.")
def init(folder: Path | None, dataset: str) -> None:
    """Make FOLDER (default: the working directory) a project: imageledger.toml, data/, manifests/."""
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
@click.option("--full", is_flag=True, help="Use rembg's model and ImageNet weights (downloads 220 MB).")
@console.everywhere
def demo(folder: Path, full: bool, project: Path | None) -> None:
    """Walk through everything on drawn pictures, in FOLDER (default: demo-run).

    It needs no account and no download: the pictures are drawn, GrabCut cuts people out, and a tiny ResNet learns from
    scratch. It takes about three minutes on two cores. All figures are those of drawings and mean nothing about real
    portraits.
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
    console.table(tour.planted(opened), title="Planted problems")
    for sentence in tour.story(opened):
        console.result(sentence)
    for what, path in tour.places(opened):
        console.result(f"{what}: {path}")
    console.say("All pictures are drawn: these figures mean nothing about real portraits.")


@main.command()
@console.json_option
@console.everywhere
def status(project: Path | None, as_json: bool) -> None:
    """Show every stage with its counts, the training runs, and what to do next."""
    from imageledger import overview
    from imageledger.config import open_project

    opened = open_project(project)
    stages, runs = overview.stages(opened), overview.runs(opened)
    if as_json:
        console.data({"dataset": opened.dataset, "stages": stages, "runs": runs})
        return
    console.table(stages, title=f"dataset {opened.dataset}")
    told = [name for name in (runs[0] if runs else ()) if name != "state" or any(run["state"] for run in runs)]
    console.table([{name: run[name] for name in told} for run in runs], title="training runs")
    for line in overview.remarks(opened):
        console.say(line)
    console.say(f"Next: {overview.next_command(stages, runs)}")


@main.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--remove-damaged", is_flag=True, help="Remove damaged objects, features and numbers, so that they are made again."
)
@console.json_option
@console.everywhere
def verify(project: Path | None, models: tuple[Path, ...], as_json: bool, remove_damaged: bool) -> None:
    """Check all that was derived against what was noted when it was made; exit with 1 if anything is damaged.

    Manifests are checked against their cards, cards and runs against their seals, objects against their names, kept
    numbers and features against the digest beside them, final.csv against final.jsonl. With MODEL, exported models,
    zips or folders, are checked instead of the project.
    """
    from imageledger import damages as rot
    from imageledger.config import open_project
    from imageledger.errors import StoreError

    opened = None if models else open_project(project)
    damages = list(rot.damages(opened) if opened else rot.of_exports(models))
    if damages or as_json:
        console.table([rot.plain(damage) for damage in damages], as_json=as_json)
    for line in rot.unsealed(opened) if opened else ():
        console.say(line)
    if not damages:
        console.say("All manifests match their cards, all objects their names, and all that was derived its seal."
                    if opened else "All files of the models are those that model.json names.")  # fmt: skip
        return
    if opened is None:
        hint = "copy it again, or train export makes a new one"
    else:
        hint = rot.mend(opened, damages) if remove_damaged else rot.what_next(opened, damages)
    what = "1 file is" if len(damages) == 1 else f"{len(damages)} files are"
    raise StoreError(f"{what} damaged or missing", hint)
