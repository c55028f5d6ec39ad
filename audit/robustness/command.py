"""The command `audit robustness`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import _found, _tell, _warn, output_option
from imageledger import console


@click.command()
@click.argument("run", required=False)
@output_option
@console.json_option
@console.everywhere
def robustness(run: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Change the pictures as the world does, and see which answers change with them.

    RUN is the name of a run (default: the one finished last). Its judged pictures are saved as JPEG at quality 95,
    75, 60 and 40, each at full, half and quarter size; blurred, made noisy, saved as WebP, and rendered anew as a
    screenshot would; then the model is asked again. After train cross-validate every picture is asked about by
    the model of the fold that held it out, else the validation pictures are. Accuracy and flips come with 95 %
    intervals, the worst change first. Needs torch. Writes robustness.csv and robustness.png.

    \b
    audit robustness                                 the run finished last
    audit robustness first --json | jq '.changes[0]'
    """
    from audit.robustness import report as robustness_report
    from audit.robustness import work as robustness

    opened, folder = _found(project, run)
    found = robustness.look(opened, folder, track=lambda rows, total: console.track(rows, total, "asking the model"))
    _warn(found.warnings)
    files = robustness_report.write(found, output or folder / "audit")
    tables = {f"{found.clean.n} pictures, the worst change first": robustness_report.table(found)}
    _tell(robustness_report.plain(found, files), robustness_report.sentences(found), tables, files, as_json)
