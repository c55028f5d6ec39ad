"""The command `audit reliance`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import output_option, show
from imageledger import console
from imageledger.completion import run_names


@click.command()
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--beside", metavar="RUN", shell_complete=run_names,
              help="Compare with another run on the same pictures: which follows the file?")  # fmt: skip
@output_option
@console.json_option
@console.everywhere
def reliance(run: str | None, beside: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Tell whether a model relies on what the file gives away, rather than on the face.

    RUN is the name of a training run (default: the last finished run). The audit probes the pictures as audit
    shortcuts does, and then asks three questions about those that the model did not train on. Do the model's answers
    follow the probes within a class? Does the model fail where the file misleads? Do its answers flip when each class
    is delivered (JPEG quality, size, background) as the other class was, more than with a placebo? The last question
    needs torch.

    --beside says which of two runs follows the file more. Training adds noise, and a noisy model follows everything
    less; when both runs were cross-validated with --repeats, that noise is removed. Writes reliance.csv,
    .png and .html.

    \b
    audit reliance                                    the last finished run
    audit reliance frozen --beside fine-tuned         which of the two follows the file more
    audit reliance first --json | jq .verdict         RELIES, INDEPENDENT or INCONCLUSIVE
    """
    from audit.reliance import work
    from imageledger.config import open_project

    settings = work.RelianceSettings(beside=beside)
    report = work.reliance(open_project(project), run, settings=settings, track=console.track)
    show(report, output, as_json=as_json)
