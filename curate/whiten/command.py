"""The command `curate whiten`: it parses, calls one function and prints."""

from pathlib import Path
from typing import Any

import click

from curate.options import from_option, save_option, show, strict_option, workers_option
from imageledger import console


@click.command()
@click.option(
    "--region",
    type=click.Choice(["white", "face"]),
    help="What to keep: the person on white, or the face [default: white].",
)
@click.option("--face-size", metavar="PX|auto", help="Side of the inner faces, in pixels [default: auto, up to 256].")
@click.option(
    "--matting", type=console.Registered("curate.matting:BACKENDS"), help="What cuts people out [default: rembg]."
)
@click.option("--model", help="A model of rembg [default: u2net_human_seg].")
@click.option("--model-path", type=click.Path(), help="A model file of your own (U2-Net's interface).")
@save_option
@from_option
@workers_option
@strict_option
@console.json_option
@console.everywhere
def whiten(
    project: Path | None,
    source: Path | None,
    save: bool,
    workers: int | None,
    strict: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Cut every person out and put them on pure white, or keep only the inner face.

    --region white keeps the whole person. Every matte is checked first; pictures whose matte is flat, empty or torn
    are rejected with the reason. White pictures are stored as PNG, so that white is exactly 255, and each matte is
    kept as an object of its own. A matte that a person refused at the desk (audit review) is cut by the next backend
    that is available. Use it where hair, ears and neck should count, or where a protocol asks for white.
    The silhouette still shows how each class was cropped: run `audit shortcuts` afterwards.

    --region face keeps a square with eyes, nose and mouth: no matte, no silhouette, almost no background. Use it
    where the classes were cropped or cut out differently. It shows less of the person and needs the faces that
    `curate normalize` found; pictures without a face are rejected and counted for each label. All faces are shrunk
    to one size, and none is enlarged.

    \b
    curate whiten                        rembg with u2net_human_seg (176 MB, downloaded once)
    curate whiten --region face          no model, no download; the largest size that 95 % of the faces
                                         of each label reach
    curate whiten --model-path FILE      a model file of your own
    curate whiten --matting grabcut      no model and no download; rougher edges
    """
    from curate.saved import keep_or_say
    from curate.whiten import work as stage
    from imageledger.config import open_project

    opened = open_project(project)
    if options["face_size"] and options["face_size"].isdecimal():
        options["face_size"] = int(options["face_size"])
    if options["model_path"]:
        options["model_path"] = str(Path(options["model_path"]).resolve())
    chosen = stage.settings_of(opened, **options)
    idle = ("matting", "model", "model_path") if chosen.region == "face" else ("face_size",)
    if named := [f"--{name.replace('_', '-')}" for name in idle if options[name]]:
        raise click.UsageError(f"{', '.join(named)} does nothing with --region {chosen.region}")
    with opened.lock("curate whiten"):
        outcome = stage.whiten(opened, chosen, source=source, workers=workers, track=console.track)
    keep_or_say(opened, "whiten", chosen, stage.settings_of(opened), save=save)
    show(outcome, as_json=as_json, strict=strict)
