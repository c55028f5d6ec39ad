"""The command `curate fetch`: it parses, calls one function and prints."""

from pathlib import Path
from typing import Any

import click

from curate.options import show, strict_option
from imageledger import console


class Fetch(click.Command):
    """A command whose help ends with the schemes of all sources, those of plug-ins included."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name every scheme that there is now."""
        from curate.sources import SCHEMES

        formatter.write_paragraph()
        formatter.write_text(f"SOURCE begins with one of {', '.join(f'{scheme}:' for scheme in SCHEMES)}")


@click.command(cls=Fetch)
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--label", help="Label of every picture in the named sources.")
@click.option("--labels", metavar="GLOB=LABEL,…", help="Labels by path, such as 'real/**=real,fake/**=ai'.")
@click.option(
    "--table",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Labels from a .csv, .tsv, .jsonl or .parquet with the columns path and label.",
)
@click.option("--include", multiple=True, metavar="GLOB", help="Take only files that match; may be repeated.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out files that match; may be repeated.")
@click.option("--follow-links", is_flag=True, default=None, help="Read what the links in a folder lead to.")
@click.option("--licence", help="Licence of the pictures, such as CC-BY-4.0, where the source names none.")
@click.option("--limit", type=click.IntRange(0), help="Number of pictures to take of each label [default: 0, all].")
@click.option("--generator", help="What made the AI pictures, such as stylegan2; used to evaluate by generator.")
@click.option("--workers", type=click.IntRange(1), help="Files to read or download at once [default: 8].")
@strict_option
@console.json_option
@console.everywhere
def fetch(
    project: Path | None, sources: tuple[str, ...], workers: int | None, strict: bool, as_json: bool, **options: Any
) -> None:
    """Fetch pictures from their sources; without SOURCE, from every source that the project declares.

    A SOURCE is kaggle:owner/slug[@version], folder:PATH, zip:PATH or sample:[seed]. After a successful fetch it is
    added to imageledger.toml; the rows of other sources stay as they are. Pictures are identified by their content,
    not by their names. Downloads stay sealed, and an interrupted download continues where it stopped. Of a Kaggle
    dataset over 1 GB, --limit downloads only the files it needs.

    \b
    curate fetch folder:my-photos --label real
    curate fetch kaggle:hamzaboulahia/hardfakevsrealfaces --labels 'real/**=real,fake/**=ai'
    curate fetch kaggle:xhlulu/140k-real-and-fake-faces@2 --limit 400 \\
        --labels '**/real/**=real,**/fake/**=ai' --generator stylegan
    curate fetch                         all declared sources again; unchanged sources are not read again

    A --table may also have the columns group, pair, generator and licence. A path in it names a file of the source, or
    how its path ends; --labels translates its labels, such as 'fake=ai'.

    In --labels, * stays within a folder and ** crosses folders. The first matching pattern decides; files that match
    none are skipped. Kaggle credentials are read from where the kaggle command keeps them (KAGGLE_API_TOKEN,
    ~/.kaggle/); public datasets need none.
    """
    from curate.fetch import work as stage
    from curate.sources.entries import located, named, parse_options
    from imageledger.config import open_project

    if not sources and any(value not in (None, ()) for value in options.values()):
        raise click.UsageError("what pictures are, and which to take, is said of a SOURCE: name it too")
    opened = open_project(project)
    chosen = parse_options(options)
    entries = [named(located(source, opened, Path.cwd()), opened, **chosen) for source in sources]
    with opened.lock("curate fetch"):
        outcome = stage.fetch(opened, entries, workers=workers, track=console.track)
    show(outcome, as_json=as_json, strict=strict)
