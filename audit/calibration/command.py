"""The command `audit calibration`: it parses, calls one function and prints."""

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
def calibration(run: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Measure how often a model's probabilities come true, and store the temperature that corrects them.

    RUN is the name of a run (default: the last finished run). The temperature is one number that divides the logits.
    It is fitted on pictures that the model did not train on (all of them after train cross-validate, else those of
    the validation split) and stored in data/runs/NAME/calibration.json, together with the band of probabilities that
    are called unsure; train predict and train export read it there. What the temperature changes is measured on
    pictures that it was not fitted on, group by group. calibration.html and .png show how often each
    probability came true, beside what a perfectly calibrated model would show on as few pictures.

    \b
    audit calibration                                the last finished run
    audit calibration first --json | jq .temperature
    """
    from audit.calibration import work
    from imageledger.config import open_project

    show(work.calibration(open_project(project), run, track=console.track), output, as_json=as_json)
