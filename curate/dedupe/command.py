"""The command `curate dedupe`: it parses, calls one function and prints."""

from pathlib import Path

import click

from curate.options import from_option
from imageledger import console


@click.command()
@click.option("--distance", type=int, help="Bits of the 64-bit hash in which candidates may differ [default: 6].")
@from_option
@console.json_option
@console.everywhere
def dedupe(project: Path | None, source: Path | None, distance: int | None, as_json: bool) -> None:
    """Find copies of the same picture and keep the best of each.

    Exact copies have the same bytes or the same decoded pixels. Near-duplicates (resized, recompressed,
    recoloured, slightly cropped, mirrored) are found by perceptual hash and then verified inside the picture,
    so that people who merely look alike are never merged. The largest original stays, then the least
    compressed one; the others become duplicates and name it. A picture under both labels is a conflict:
    all its rows are rejected, and named here. decisions.jsonl beside the manifests may overrule all this.

    \b
    curate dedupe                        candidates up to 6 bits apart
    curate dedupe --distance 12          finds stronger crops, and takes longer
    """
    from curate.dedupe import work as stage
    from imageledger import manifest
    from imageledger.config import open_project, settings

    opened = open_project(project)
    chosen = settings(stage.DedupeSettings, opened.tables.get("dedupe", {}), {"distance": distance})
    with opened.lock("curate dedupe"):
        outcome = stage.dedupe(
            opened, chosen, source=source, watch=lambda pairs, total: console.track(pairs, total, "dedupe: pairs")
        )
    console.report(outcome, as_json=as_json)
    for line in stage.remarks(opened, manifest.read(outcome.path)):
        console.say(line)
