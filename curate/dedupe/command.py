"""The command `curate dedupe`: it parses, calls one function and prints."""

from pathlib import Path

import click

from curate.options import from_option, save_option, show
from imageledger import console


@click.command()
@click.option("--distance", type=int, help="Bits of the 64-bit hash in which candidates may differ [default: 6].")
@click.option(
    "--pairs", type=click.Choice(["keep", "reject"]),
    help="Pictures of both labels that are alike and not the same: a photograph and its twin (keep), or a conflict "
    "[default: reject].",
)  # fmt: skip
@click.option("--most", type=click.IntRange(min=0),
              help="Look for turned, cropped and framed copies among up to so many pictures; 0: not at all "
              "[default: 20000].")  # fmt: skip
@save_option
@from_option
@console.json_option
@console.everywhere
def dedupe(
    project: Path | None, source: Path | None, save: bool, distance: int | None, pairs: str | None, most: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Find copies of the same picture and keep the best of each.

    Exact copies have the same bytes or the same decoded pixels. Near-duplicates (resized, recompressed, recoloured,
    mirrored) are found by perceptual hash; copies that were turned, cropped by up to 15 % of each edge, framed or taken
    as a screenshot, by keypoints. Both are then verified in the pixels, so that people who only look alike are not
    merged. The largest original stays, and among equals the least compressed, but no frame or screenshot where the
    picture itself is there; the others become duplicates that name it. A picture under both labels is a conflict: all
    its rows are rejected and listed. Where AI pictures were made from the photographs, --pairs keep takes such pictures
    for pairs, which then stay in one fold and on one side of the split; `pair` of a [[source]] declares them. People
    can overrule each verdict at the desk: audit review --queue pairs.

    \b
    curate dedupe                        candidates up to 6 bits apart
    curate dedupe --pairs keep           a photograph and the AI picture made from it are no conflict
    curate dedupe --most 0               by perceptual hash alone: faster, and no turned or cropped copies
    """
    from curate.dedupe import work as stage
    from curate.saved import keep_or_say
    from imageledger.config import open_project

    opened = open_project(project)
    chosen = stage.settings_of(opened, distance=distance, pairs=pairs, most=most)
    with opened.lock("curate dedupe"):
        outcome = stage.dedupe(opened, chosen, source=source, track=console.track)
    keep_or_say(opened, "dedupe", chosen, stage.settings_of(opened), save=save)
    show(outcome, as_json=as_json)
