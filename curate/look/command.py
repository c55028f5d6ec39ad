"""The command `curate look`: it parses, calls one function, shows the sheet and prints where it lies."""

from pathlib import Path

import click

from imageledger import console
from imageledger.completion import stages


@click.command()
@click.argument("stage", required=False, shell_complete=stages)
@click.option("--status", type=click.Choice(["ok", "duplicate", "unreadable", "rejected", "unused"]),
              help="Show only pictures of this status.")  # fmt: skip
@click.option("--label", help="Show only pictures of this label.")
@click.option("--sort", type=click.Choice(["member", "size", "face", "matte", "similarity"]),
              help="Show the first in this order (default: an even sample of each label and status).")  # fmt: skip
@click.option("--reverse", is_flag=True, help="Turn the order round: the largest first.")
@click.option("--worst", type=click.Choice(["mattes"]), help="Show the mattes that a person should look at.")
@click.option("--pairs", is_flag=True, help="Show copies beside the picture that was kept, and where they differ.")
@click.option("-n", "most", type=click.IntRange(1, 400), default=24, show_default=True, help="Show at most so many.")
@click.option(
    "--columns", type=click.IntRange(1, 40), help="Pictures or pairs in a row (default: 6; mattes 3, pairs 2)."
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="PNG",
              help="Write the sheet here (default: data/look/STAGE.png).")  # fmt: skip
@console.everywhere
def look(
    stage: str | None, status: str | None, label: str | None, sort: str | None, reverse: bool, worst: str | None,
    pairs: bool, most: int, columns: int | None, output: Path | None, project: Path | None,
) -> None:  # fmt: skip
    """Show the pictures of a stage on one sheet, with the reasons under those that were set aside.

    STAGE is fetched, normalized, deduped, whitened or final (default: the furthest that was made). Where the terminal
    can show pictures (kitty, iTerm2, sixel), the sheet stands in it; its file is always written and named. A terminal
    is recognised by its environment, and asked nothing; IMAGELEDGER_IMAGES=kitty, iterm2, sixel or off overrules that.

    --sort takes what the manifest says: the member's name, the size as fetched, the size of the face there, the
    contrast at the edge of the matte, or with --pairs the similarity. The
    smallest come first, and so do the doubtful ones.
    --worst mattes shows for each label the refused mattes, and of the kept ones those of least contrast.

    \b
    curate look                              an even sample of the furthest stage
    curate look fetched --sort size -n 12    the smallest originals
    curate look whitened --status rejected   what whiten set aside, and why
    curate look --worst mattes               before and after, the worst first
    curate look deduped --pairs              near-duplicates side by side, the least similar first
    """
    from curate.look import work
    from curate.look.settings import LookSettings
    from imageledger.config import open_project
    from imageledger.terminal import screen

    opened = open_project(project)
    settings = LookSettings(
        status=status, label=label, sort=sort, reverse=reverse, worst=worst, pairs=pairs, n=most, columns=columns
    )
    looked = work.look(opened, stage, settings=settings, track=console.track)
    path = work.write(looked, output or opened.root / "data" / "look" / looked.name)
    console.say(looked.sentence)
    screen.show(looked.picture)
    console.result(path)
