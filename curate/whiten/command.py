"""The command `curate whiten`: it parses, calls one function and prints."""

from pathlib import Path
from typing import Any

import click

from curate.options import from_option, strict_option, workers_option
from imageledger import console


@click.command()
@click.option("--region", type=click.Choice(["white", "face"]), help="What stays of a picture [default: white].")
@click.option("--face-size", metavar="PX|auto", help="Side of the inner faces [default: auto, up to 256].")
@click.option("--matting", type=click.Choice(["rembg", "grabcut"]), help="What cuts out [default: rembg].")
@click.option("--model", help="One of rembg's models [default: u2net_human_seg].")
@click.option("--model-path", type=click.Path(), help="A model file of your own (U2-Net's interface).")
@from_option
@workers_option
@strict_option
@console.json_option
@console.everywhere
def whiten(
    project: Path | None, source: Path | None, workers: int | None, strict: bool, as_json: bool, **options: Any
) -> None:
    """Cut every person out and put them on pure white, or keep the inner face alone.

    --region white keeps the whole person. The matte is judged before it is believed; pictures with a flat, empty
    or torn matte are rejected with the reason. White pictures are PNG, so that white is exactly 255; the matte is
    kept as an object of its own. Choose it where hair, ears and neck should count, or where a protocol asks for
    white. Its silhouette shows how each class was cropped, so look at `audit shortcuts` afterwards.

    --region face keeps a square with eyes, nose and mouth: no matte, no silhouette, almost no background. Choose
    it where the classes were cropped or cut out differently. It looks at less of the person, needs faces that
    `curate normalize` has found (others are rejected, and counted for each label at the end), and all faces are
    shrunk to one size; none is enlarged.

    \b
    curate whiten                        rembg with u2net_human_seg (176 MB, downloaded once)
    curate whiten --region face          no model, no download; the largest size that 95 % of the faces
                                         of each label have
    curate whiten --model-path FILE      a model file of your own
    curate whiten --matting grabcut      no model and no download; rougher edges
    """
    from curate.whiten import work as stage
    from imageledger.config import open_project, settings

    opened = open_project(project)
    if options["face_size"] and options["face_size"].isdecimal():
        options["face_size"] = int(options["face_size"])
    if options["model_path"]:
        options["model_path"] = str(Path(options["model_path"]).resolve())
    chosen = settings(stage.WhitenSettings, opened.tables.get("whiten", {}), options)
    idle = ("matting", "model", "model_path") if chosen.region == "face" else ("face_size",)
    if named := [f"--{name.replace('_', '-')}" for name in idle if options[name]]:
        raise click.UsageError(f"{', '.join(named)} does nothing with --region {chosen.region}")
    with opened.lock("curate whiten"):
        outcome = stage.whiten(opened, chosen, source=source, workers=workers, track=console.progress_of("whiten"))
    console.report(outcome, as_json=as_json, strict=strict)
    for line in stage.remarks(outcome):
        console.say(line)
