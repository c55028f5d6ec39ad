"""The command `audit shortcuts`: it parses, calls one function and prints."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.options import show
from imageledger import console

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Families(click.Option):
    """The option --family: its help names every family there is, asked only when help is shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help, with the names."""
        from curate.nuisance import FAMILIES
        from curate.nuisance.spelling import spelled

        names = ", ".join(spelled(name) for name in FAMILIES)
        option, _ = super().get_help_record(ctx) or ("", "")
        return option, f"{self.help} (default: all of {names})."

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Offer the families whose names begin so."""
        from click.shell_completion import CompletionItem

        from curate.options import families

        return [CompletionItem(name) for name in families(ctx, self, incomplete)]


def _moved(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from imageledger.errors import ConfigError

        raise ConfigError("the self-test is a command of its own now", "audit self-test")


@click.command()
@click.argument("manifest", required=False, type=click.Path(path_type=Path), metavar="[FOLDER|TABLE|MANIFEST]")
@click.option("--labels", metavar="GLOB=LABEL,…|FILE",
              help="Labels of the pictures in FOLDER, by path or from a table with the columns path and label "
                   "(default: the names of its two folders).")  # fmt: skip
@click.option("--stage", type=click.Choice(["fetched", "normalized", "whitened", "final", "model-input", "all"]),
              help="Which pictures to measure (default: the final ones, or the furthest made).")  # fmt: skip
@click.option("--family", "families", cls=Families, multiple=True, metavar="NAME",
              help="Measure this family alone; may be given several times")  # fmt: skip
@click.option("--seed", type=int, help="Fixes folds, trees and permutations (default: the project's seed).")
@click.option("--permutations", type=click.IntRange(100), default=2000, show_default=True,
              help="Shuffled labels to compare with.")  # fmt: skip
@click.option("--most", type=click.IntRange(10), default=3000, show_default=True,
              help="Measure at most so many pictures of each label.")  # fmt: skip
@click.option("--fail-on", type=click.Choice(["shortcut"]),
              help="End with exit code 3 when any family, or all together, is a shortcut: a gate for CI.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write the files here (default: data/audit/shortcuts/, or ./shortcuts-FOLDER/).")  # fmt: skip
@click.option("--self-test", is_flag=True, hidden=True, expose_value=False, is_eager=True, callback=_moved)
@console.json_option
@console.everywhere
def shortcuts(
    manifest: Path | None, labels: str | None, stage: str | None, families: tuple[str, ...], seed: int | None,
    permutations: int, most: int, fail_on: str | None, output: Path | None, as_json: bool, project: Path | None,
) -> None:  # fmt: skip
    """Test whether the classes can be told apart without looking at a face.

    FOLDER is any folder of pictures, with no project around it: its labels are the names of its two folders, or those
    of --labels. TABLE is a .csv, .tsv or .parquet with the columns path and label. Nothing is written among the
    pictures. Without either, the pictures are those of the project, or of MANIFEST, any manifest file.

    Measures numbers that have nothing to do with the face, in named families (container, jpeg-history, tone, matte,
    ...), and shows small classifiers nothing else. Each family, and all together, gets an AUC with its 95 % interval,
    a permutation p-value and one of three verdicts: SHORTCUT, CLEAN, or INCONCLUSIVE with the number of pictures that
    would decide. Writes shortcuts.csv, .json, .png and .html, a self-contained page that shows what gives each family
    away, six example pictures, and what to do. The files of a single stage or family have names of their own.

    \b
    audit shortcuts photos --labels 'real/**=real,ai/**=ai'     any folder: no project is needed
    audit shortcuts                             the final pictures of the project
    audit shortcuts --stage all                 how the shortcuts fall from stage to stage
    audit shortcuts --family tone --family jpeg-history
    audit shortcuts --fail-on shortcut          exit code 3 when there is a shortcut
    audit self-test                             tests this audit itself
    """
    from audit.shortcuts import work
    from curate.fetch.in_place import is_pictures

    settings = work.ShortcutsSettings(stage=stage, family=families, seed=seed, permutations=permutations, most=most)
    if manifest is not None and is_pictures(manifest):
        from audit.shortcuts import anywhere

        report = anywhere.shortcuts_of(manifest, labels, settings=settings, output=output, track=console.track)
    else:
        from imageledger.config import open_project

        if labels is not None:
            raise click.UsageError("--labels says what the pictures of a FOLDER are: name the folder too")
        report = work.shortcuts(open_project(project), manifest, settings=settings, track=console.track)
    show(report, output, as_json=as_json, gate=bool(fail_on))
