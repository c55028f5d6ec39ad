"""The command `audit slices`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import output_option, show
from imageledger import console
from imageledger.completion import run_names


@click.command()
@click.argument("run", required=False, shell_complete=run_names)
@output_option
@console.json_option
@console.everywhere
def slices(run: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Find the kinds of pictures on which a model is wrong more often.

    RUN is the name of a run (default: the last finished run). The audit slices the judged pictures of each class by
    source and generator, and into thirds by native size, brightness, skin tone, retouching and softness of the matte.
    It compares every slice with the rest of its class (Fisher's exact test, corrected for all slices), the worst
    first, and names what cannot be shown. After train cross-validate it judges all pictures, else those of the
    validation split. Needs no torch. Writes slices.csv, .png and .html.

    \b
    audit slices                                     the last finished run
    audit slices first --json | jq '.slices[0]'
    """
    from audit.slices import work
    from imageledger.config import open_project

    show(work.slices(open_project(project), run, track=console.track), output, as_json=as_json)
