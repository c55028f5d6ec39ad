"""The command `audit slices`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import _found, _tell, _warn, output_option
from imageledger import console


@click.command()
@click.argument("run", required=False)
@output_option
@console.json_option
@console.everywhere
def slices(run: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Find out on which kinds of pictures a model is wrong more often.

    RUN is the name of a run (default: the one finished last). Within each class its judged pictures are sliced by
    source and generator, and cut into thirds by size, brightness, skin tone as pictured, retouching and softness
    of the matte. Each slice is compared with the rest of its class (Fisher's exact test), corrected for all slices
    that are looked at; the worst comes first, and what cannot be shown is said to be not shown. All judged pictures
    are used: after train cross-validate those are all pictures, else the few of the validation split. Needs no
    torch. Writes slices.csv and slices.png.

    \b
    audit slices                                     the run finished last
    audit slices first --json | jq '.slices[0]'
    """
    from audit.slices import report as slices_report
    from audit.slices import work as slices_run

    opened, folder = _found(project, run)
    found = slices_run.look(opened, folder, track=lambda rows, total: console.track(rows, total, "measuring"))
    _warn(found.warnings)
    files = slices_report.write(found, output or folder / "audit")
    shown = slices_report.table(found)
    more = f", the {len(shown)} worst" if len(shown) < len(found.slices) else ""
    tables = {f"{len(found.slices)} slices of {found.pictures} pictures{more}": shown}
    _tell(slices_report.plain(found, files), slices_report.sentences(found), tables, files, as_json)
