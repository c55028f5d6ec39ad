"""The command `audit robustness`: it parses, calls one function and prints."""

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
def robustness(run: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Change the pictures as the world does, and count which answers change with them.

    RUN is the name of a run (default: the last finished run). The audit saves the judged pictures as JPEG at quality
    95, 75, 60 and 40, each at full, half and quarter size, blurs them, adds noise, saves them as WebP and renders
    them as a screenshot would; then it asks the model again. After train cross-validate the model of the fold that
    held a picture out answers for it; other runs answer for their validation pictures. Accuracy and flips come with
    95 % intervals, the worst change first. Needs torch. Writes robustness.csv, .png and .html.

    \b
    audit robustness                                 the last finished run
    audit robustness first --json | jq '.changes[0]'
    """
    from audit.robustness import work
    from imageledger.config import open_project

    show(work.robustness(open_project(project), run, track=console.track), output, as_json=as_json)
