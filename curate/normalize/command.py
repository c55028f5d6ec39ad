"""The curate commands that make new pictures: normalize and whiten."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.options import from_option, strict_option, workers_option
from imageledger import console

if TYPE_CHECKING:
    pass


@click.command()
@click.option("--recipe", help="forensic, or plain [default: forensic].")
@click.option("--size", metavar="PX|auto", help="Side of the square pictures, in pixels [default: auto, up to 512].")
@click.option("--format", "format_", type=click.Choice(["jpeg", "png"]), help="Format of all pictures [default: jpeg].")
@click.option("--quality", type=int, help="Quality of the one JPEG encoding [default: 90].")
@click.option("--require-face", is_flag=True, default=None, help="Reject pictures in which no face was found.")
@from_option
@workers_option
@strict_option
@console.json_option
@console.everywhere
def normalize(
    project: Path | None,
    source: Path | None,
    workers: int | None,
    strict: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Bring every picture to one format and one size, by a recipe that is the same for all.

    The true format is found from the bytes; the picture is decoded whole, turned upright, brought to sRGB,
    cut to a square, shrunk and encoded once, without metadata. Nothing is ever enlarged: what is too small
    is rejected, with the numbers. The recipe sees no label, and what chance decides, the pixels decide.

    --recipe forensic removes what an old JPEG left in the pixels: it leaves out 3 % along every edge, where
    captions stand, moves the square at random and shrinks it at least 1.6 times, and by no whole number.
    --recipe plain only fits the picture to the size. --size auto takes the largest size up to 512 at which
    95 % of the pictures of each label are large enough, and says so.

    \b
    curate normalize                     forensic, the largest size that fits, JPEG at quality 90
    curate normalize --size 256          a size of your own
    curate normalize --recipe plain      keeps more pixels, and the old JPEG in them
    audit recipes                        what each recipe leaves and keeps
    """
    from curate.normalize import work as stage
    from imageledger.config import open_project, settings

    opened = open_project(project)
    options["format"] = options.pop("format_")
    if options["size"] and options["size"].isdecimal():
        options["size"] = int(options["size"])
    chosen = settings(stage.NormalizeSettings, opened.tables.get("normalize", {}), options)
    with opened.lock("curate normalize"):
        fitted, lines = stage.sized(opened, chosen, source)
        for line in lines:
            console.say(line)
        outcome = stage.normalize(
            opened, fitted, source=source, workers=workers, track=console.progress_of("normalize")
        )
    if hint := stage.advice(opened, outcome, fitted, source):
        console.say(hint)
    console.report(outcome, as_json=as_json, strict=strict)
