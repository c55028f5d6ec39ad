"""The command `audit foreign`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import output_option, show
from imageledger import console
from imageledger.completion import run_names


@click.command()
@click.argument("run", shell_complete=run_names)
@click.argument("source")
@click.option("--label", required=True, help="What the pictures of SOURCE are, such as real.")
@click.option("--limit", type=click.IntRange(10), default=200, show_default=True,
              help="At most this many pictures, chosen by their names alone.")  # fmt: skip
@click.option("--matte-model", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Your own cut-out model, where the run's pictures went through one.")  # fmt: skip
@output_option
@console.json_option
@console.everywhere
def foreign(
    run: str,
    source: str,
    label: str,
    limit: int,
    matte_model: Path | None,
    output: Path | None,
    as_json: bool,
    project: Path | None,
) -> None:
    """Ask a model about pictures of the same label from elsewhere.

    SOURCE is an address as curate fetch takes it (folder:PATH, zip:PATH, kaggle:OWNER/SLUG). Its pictures go through
    the steps of the training pictures and are shown to every model of RUN, beside the pictures of that label which the
    model has not seen. A model that reads faces cannot tell photographs from one place from those of another; a model
    that reads the source can. Prints the AUC between the two, 0.5 where the model cannot tell them apart, and how many
    of either are called the other label. Pictures that are in the dataset already are left out. Needs torch. Writes
    foreign-LABEL-SOURCE.csv, .json, .png and .html.

    \b
    audit foreign first folder:other-photographs --label real
    audit foreign first zip:diffusion.zip --label ai --limit 100 --json
    """
    from audit.foreign import work
    from imageledger.config import open_project

    settings = work.ForeignSettings(source=source, label=label, limit=limit, matte_model=matte_model)
    show(work.foreign(open_project(project), run, settings=settings, track=console.track), output, as_json=as_json)
