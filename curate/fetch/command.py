"""The command `curate fetch`: it parses, calls one function and prints."""

from pathlib import Path
from typing import Any

import click

from curate.options import strict_option
from imageledger import console


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--label", help="The label of everything in the sources named.")
@click.option("--labels", metavar="GLOB=LABEL,…", help="Labels by path, such as 'real/**=real,fake/**=ai'.")
@click.option("--limit", type=click.IntRange(0), help="Take this many pictures of each label [default: 0, all].")
@click.option("--generator", help="What made the AI pictures, such as stylegan2; for evaluation by generator.")
@click.option("--workers", type=click.IntRange(1), help="Files to read or download at once [default: 8].")
@strict_option
@console.json_option
@console.everywhere
def fetch(
    project: Path | None, sources: tuple[str, ...], workers: int | None, strict: bool, as_json: bool, **options: Any
) -> None:
    """Fetch pictures from their sources; without SOURCE, from all that the project declares.

    A SOURCE is kaggle:owner/slug[@version], folder:PATH, zip:PATH or sample:[seed]. It is added to
    imageledger.toml once it has been fetched, and the rows of the other sources stay as they are. Pictures
    are known by their content, not by their names. Downloads are kept sealed and are carried on after a cut;
    of a Kaggle dataset over 1 GB, --limit downloads only the files it takes.

    \b
    curate fetch folder:my-photos --label real
    curate fetch kaggle:hamzaboulahia/hardfakevsrealfaces --labels 'real/**=real,fake/**=ai'
    curate fetch kaggle:xhlulu/140k-real-and-fake-faces@2 --limit 400 \\
        --labels '**/real/**=real,**/fake/**=ai' --generator stylegan
    curate fetch                         all declared sources again; what is unchanged is not read again

    In --labels, * stays within a folder and ** crosses folders; the first pattern that matches counts, and
    files that match none are skipped. Kaggle takes its credentials from where the kaggle command has them
    (KAGGLE_API_TOKEN, ~/.kaggle/); public datasets need none.
    """
    from curate.fetch import work as stage
    from curate.sources.entries import located, named, parse_options
    from imageledger.config import open_project

    if not sources and any(value is not None for value in options.values()):
        raise click.UsageError("--label, --labels, --limit and --generator belong to a SOURCE named beside them")
    opened = open_project(project)
    chosen = parse_options(options)
    entries = [named(located(source, opened, Path.cwd()), opened, **chosen) for source in sources]
    with opened.lock("curate fetch"):
        outcome = stage.fetch(opened, entries, workers=workers, track=console.progress_of("fetch"))
    console.report(outcome, as_json=as_json, strict=strict)
