"""The curate commands that make new pictures: normalize and whiten."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.options import from_option, strict_option, workers_option
from imageledger import console

if TYPE_CHECKING:
    from imageledger.config import Project


@click.command()
@click.option("--recipe", help="forensic, or plain [default: forensic].")
@click.option("--size", metavar="PX|auto", help="Side of the square pictures, in pixels [default: auto, up to 512].")
@click.option("--format", "format_", type=click.Choice(["jpeg", "png"]), help="Format of all pictures [default: jpeg].")
@click.option("--quality", type=int, help="Quality of the one JPEG encoding [default: 90].")
@click.option("--require-face", is_flag=True, default=None, help="Reject pictures in which no face was found.")
@click.option("--compare", is_flag=True, help="Try recipes on a sample and print what each leaves and keeps.")
@click.option("--sample", type=click.IntRange(10), help="With --compare: pictures of each label [default: 100].")
@click.option("--weights", help="With --compare: a network's weights (safetensors), whose features are probed too.")
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
    compare: bool,
    sample: int | None,
    weights: str | None,
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

    --compare changes nothing. It runs recipes on a sample and prints AUCs, 0.5 for nothing left and 1.0 for
    everything: what still separates the classes without a look at the face (all such numbers together, and
    some families alone), an old JPEG that was planted in half of the AI pictures (should become 0.5), and a
    faint generator trace that was planted in half of the real ones (should stay near 0.9).
    """
    from curate import normalize as stage
    from imageledger.config import open_project, settings

    opened = open_project(project)
    if compare:
        _compare(opened, source, sample or 100, weights or "", workers, as_json)
        return
    if sample or weights:
        raise click.UsageError("--sample and --weights belong to --compare")
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


def _compare(
    opened: "Project", source: Path | None, sample: int, weights: str, workers: int | None, as_json: bool
) -> None:
    from curate import compare

    rows, remark = compare.compare(
        opened, source=source, sample=sample, weights=weights, workers=workers,
        track=lambda looks, total: console.track(looks, total, "compare"),
    )  # fmt: skip
    console.table(rows, as_json=as_json, title=f"AUC left and kept, up to {sample} pictures a label")
    console.say(remark)


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
    from curate import whiten as stage
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
