"""The command `curate normalize`: it parses, calls one function and prints."""

from pathlib import Path
from typing import Any

import click

from curate.options import from_option, save_option, show, strict_option, workers_option
from imageledger import console


def _moved(_: click.Context, __: click.Parameter, value: bool) -> None:
    if value:
        from imageledger.errors import ConfigError

        raise ConfigError("curate normalize no longer compares recipes; that is a command of its own", "audit recipes")


@click.command()
@click.option("--recipe", help="How pictures are cropped and shrunk: forensic or plain [default: forensic].")
@click.option("--size", metavar="PX|auto", help="Side of the square pictures, in pixels [default: auto, up to 224].")
@click.option("--format", "format_", type=click.Choice(["jpeg", "png"]), help="Format of all pictures [default: jpeg].")
@click.option("--quality", type=int, help="Quality of the one JPEG encoding [default: 90].")
@click.option("--detector", type=click.Choice(["yunet", "cascade"]), help="What finds faces [default: yunet].")
@click.option("--face-model", type=click.Path(), metavar="FILE", help="YuNet's model, where you have the file.")
@click.option(
    "--require-face/--no-require-face", default=None, help="Reject pictures without a face [default: with yunet]."
)
@click.option("--compare", is_flag=True, hidden=True, expose_value=False, is_eager=True, callback=_moved)
@save_option
@from_option
@workers_option
@strict_option
@console.json_option
@console.everywhere
def normalize(
    project: Path | None,
    source: Path | None,
    save: bool,
    workers: int | None,
    strict: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Bring every picture to one format and one size, by the same recipe.

    Each file is identified by its bytes, decoded completely, turned upright, converted to sRGB, cropped to a square,
    shrunk, and encoded once without metadata. Pictures are never enlarged: one that is too small is rejected, with
    its size as the reason. The recipe never sees a label; where it needs chance, the pixels are the seed.

    --recipe forensic removes the traces of earlier JPEG compression: it drops 3 % along every edge, where captions
    sit, moves the square at random, and shrinks it by at least 1.6 and never by a whole number. --recipe plain only
    fits the picture to the size. --size auto takes the largest size up to 224 for which 95 % of the pictures of each
    label are large enough, and says which: usual networks take 224, and a model of larger pictures refuses smaller
    ones.

    Faces are found by YuNet, whose model (0.2 MB, MIT) is downloaded once. Pictures without a face are rejected and
    counted for each label. --detector cascade needs no model; it misses turned and half-hidden faces, so that pictures
    without a face are kept. A picture of one colour is always rejected.

    \b
    curate normalize                     forensic, the largest size that fits, JPEG at quality 90
    curate normalize --size 512          a size of your own, such as for --region face
    curate normalize --no-require-face   keeps pictures in which no face is found
    curate normalize --detector cascade  no model and no download; finds fewer faces
    curate normalize --recipe plain      keeps more pixels, and the traces of the old JPEG
    audit recipes                        what each recipe removes and keeps
    """
    from curate.normalize import work as stage
    from curate.normalize.settings import settings_of
    from curate.saved import keep_or_say
    from imageledger.config import open_project

    opened = open_project(project)
    options["format"] = options.pop("format_")
    if options["size"] and options["size"].isdecimal():
        options["size"] = int(options["size"])
    if options["face_model"]:
        options["face_model"] = str(Path(options["face_model"]).resolve())
    chosen = settings_of(opened, **options)
    with opened.lock("curate normalize"):
        outcome = stage.normalize(opened, chosen, source=source, workers=workers, track=console.track)
    keep_or_say(opened, "normalize", chosen, settings_of(opened), save=save)
    show(outcome, as_json=as_json, strict=strict)
