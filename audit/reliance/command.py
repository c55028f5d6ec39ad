"""The command `audit reliance`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import _found, _tell, _warn, output_option
from imageledger import console


@click.command()
@click.argument("run", required=False)
@click.option("--beside", metavar="RUN", help="Another run on the same pictures: does it follow the file more?")
@output_option
@console.json_option
@console.everywhere
def reliance(run: str | None, beside: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Ask whether a model leans on what the file gives away, rather than on the face.

    RUN is the name of a training run (default: the one finished last). Probes its pictures as audit shortcuts
    does and looks at the validation ones (all of them, of a cross-validated run) in three ways: whether the model's
    answers follow the probes within a class; whether it fails where the file misleads; and whether its answers flip
    once each class is delivered (JPEG quality, size, background) as the other one was, compared with a placebo. The
    last needs torch. Where both runs were cross-validated with --repeats, the comparison with another run is freed
    of the noise of training, which makes a model follow everything less. Writes reliance.csv and reliance.png.

    \b
    audit reliance                              the run finished last
    audit reliance strong --beside seed         and whether strong follows the file more than seed does
    audit reliance first --json | jq .verdict   RELIES, INDEPENDENT or INCONCLUSIVE
    """
    from audit.reliance import report as reliance_report
    from audit.reliance import work as reliance_run

    opened, folder = _found(project, run)
    found = reliance_run.look(
        opened, folder, _found(project, beside)[1] if beside else None, say=console.say,
        track=lambda doing: lambda rows, total: console.track(rows, total, doing),
    )  # fmt: skip
    _warn(found.warnings)
    files = reliance_report.write(found, output or folder / "audit")
    title = f"Do the answers follow the file within a class? ({found.reliance.model.total} pictures, {found.split})"
    tables = {
        title: reliance_report.table(found.reliance, found.run.labels),
        "Swapped deliveries": reliance_report.swap_table(found.reliance.swaps),
    }
    _tell(reliance_report.plain(found, files), reliance_report.sentences(found), tables, files, as_json)
