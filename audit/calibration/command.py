"""The command `audit calibration`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import _found, _tell, _warn, output_option
from imageledger import console


@click.command()
@click.argument("run", required=False)
@output_option
@console.json_option
@console.everywhere
def calibration(run: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Tell how far a model's probabilities come true, and store the temperature that mends them.

    RUN is the name of a run (default: the one finished last). One number, the temperature, divides the logits; it
    is fitted on pictures that the model had not seen (all of them after train cross-validate, else those of the
    validation split) and stored in data/runs/NAME/calibration.json, from where train predict and train export take
    it, together with the band of probabilities that are called unsure. What it changes is measured on pictures
    that it was not fitted on, group by group. calibration.png shows how often each probability came true, and what
    a perfectly calibrated model would show with as few pictures.

    \b
    audit calibration                                the run finished last
    audit calibration first --json | jq .temperature
    """
    from audit.calibration import report as calibration_report
    from audit.calibration import work as calibration

    opened, folder = _found(project, run)
    found = calibration.look(opened, folder)
    _warn(calibration_report.warnings(found))
    files = calibration_report.write(found, output or folder / "audit")
    tables = {
        "On pictures that the temperature was not fitted on": calibration_report.score_table(found),
        "Verdicts": calibration_report.verdict_table(found),
    }
    _tell(calibration_report.plain(found, files), calibration_report.sentences(found), tables, files, as_json)
