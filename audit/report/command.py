"""The command `audit report`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import show
from imageledger import console
from imageledger.completion import run_names


@click.command()
@click.argument("run", required=False, shell_complete=run_names)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.html",
    help="Write the page here, and FILE.json beside it (default: data/runs/NAME/audit/report.html).",
)  # fmt: skip
@console.json_option
@console.everywhere
def report(run: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Write one page that shows the dataset, the run, and what is proved about both.

    RUN is a run of this project (default: the run finished last); before the first training, the page shows the
    dataset alone. It begins with the verdict in three sentences and the one next step, and needs nothing but itself:
    send it, print it, open it anywhere.

    \b
    audit report
    audit report my-run -o report.html
    """
    from audit.report import work
    from imageledger.config import open_project

    settings = work.ReportSettings(output=output)
    show(work.report(open_project(project), run, settings=settings, track=console.track), as_json=as_json)
