"""The command `audit labels`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import output_option, show
from imageledger import console
from imageledger.completion import run_names


@click.command()
@click.argument("run", required=False, shell_complete=run_names)
@click.option("-k", "k", type=click.IntRange(1), default=20, show_default=True, help="Print this many suspects.")
@click.option("--with-file", is_flag=True, help="Ask the files as fetched as well: which class do they resemble?")
@output_option
@console.json_option
@console.everywhere
def labels(run: str | None, k: int, with_file: bool, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Rank the labels that are most likely wrong, and say how many would seem so if none were.

    RUN is the name of a cross-validated run (default: the last finished run): train cross-validate judges every
    picture by a model that had not seen it, and cleanlab's confident learning compares its answers with the labels.
    A picture that the model finds hard looks like a wrong label, so the audit changes nothing: audit review decides.
    --with-file also suspects a picture whose file, as fetched, resembles those of the other class: it finds pictures
    that were filed under the wrong label, where the files tell the classes apart. Needs the package cleanlab. Writes
    labels.csv, labels.json and labels.html.

    \b
    audit labels                                     the last finished run
    audit labels crossed --with-file                 also what was filed under the wrong label
    audit review crossed --queue labels              decide on the suspects, one by one
    """
    from audit.labels import work
    from imageledger.config import open_project

    settings = work.LabelsSettings(k=k, with_file=with_file)
    show(work.labels(open_project(project), run, settings=settings, track=console.track), output, as_json=as_json)
