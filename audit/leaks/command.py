"""The command `audit leaks`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import show
from imageledger import console


@click.command()
@click.argument("manifest", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--distance", type=click.IntRange(0, 24), default=12, show_default=True,
              help="Compare pictures whose hashes differ in at most so many of 64 bits.")  # fmt: skip
@click.option("--fail-on", type=click.Choice(["leak"]), help="End with exit code 3 when a pair leaks: a gate for CI.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write the files here (default: data/audit/).")  # fmt: skip
@console.json_option
@console.everywhere
def leaks(
    manifest: Path | None, distance: int, fail_on: str | None, output: Path | None, as_json: bool,
    project: Path | None,
) -> None:  # fmt: skip
    """Find pictures that stand on both sides of the split, or under both labels.

    MANIFEST is any manifest (default: the project's final.jsonl); without a split, pictures are compared across the
    labels alone. Finds the same original, near-duplicates and mirrored copies (recorded hashes propose pairs, and the
    pictures of each pair are compared), copies that were turned, cropped, framed or taken as a screenshot (keypoints
    propose them, in the originals and in the pictures trained on), and pictures of one declared group. Names the
    sources that hold a single class: there the classes differ by source, and no audit can tell face from source. Writes
    the pairs into leaks.csv, .png and .html.

    \b
    audit leaks                          the final manifest
    audit leaks --fail-on leak           exit code 3 when anything leaks
    audit leaks other/final.jsonl --json | jq .pairs
    """
    from audit.leaks import work
    from imageledger.config import open_project

    settings = work.LeaksSettings(distance=distance)
    report = work.leaks(open_project(project), manifest, settings=settings, track=console.track)
    show(report, output, as_json=as_json, gate=bool(fail_on))
