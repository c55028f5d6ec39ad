"""What the audit commands share: options, and the one way to print a report."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imageledger import console

if TYPE_CHECKING:
    from audit.findings import Report

output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write the files here (default: data/runs/NAME/audit/, of a dataset data/audit/).",
)  # fmt: skip


def show(
    report: "Report", output: Path | None = None, *, as_json: bool = False, gate: bool = False, inline: bool = False
) -> None:
    """Write the files of a report and print it: one object for scripts, or sentences, tables and files for people.

    With `inline`, its picture stands in the terminal, where that can show pictures. Raises GateFailed when `gate` is
    set and the audit found more than a gate allows.
    """
    for warning in report.warnings:
        console.say(f"Warning: {warning}")
    files = report.write(output)
    if as_json:
        data = report.data
        if isinstance(data, Mapping) and (files or report.stale):
            data = {**data, "files": {kind: str(path) for kind, path in files.items()}}
        console.data(data)
    else:
        for sentence in report.sentences:
            console.result(sentence)
        for title, rows in report.tables.items():
            if rows:
                console.table(rows, title=title)
        if inline and "png" in files:
            _show_inside(files["png"])
        for path in files.values():
            console.result(path)
        if report.next_step:
            console.say(f"Next: {report.next_step}")
    if gate and report.refusal:
        from imageledger.errors import GateFailed

        raise GateFailed(*report.refusal)


def _show_inside(path: Path) -> None:
    from PIL import Image

    from imageledger.terminal import screen

    with Image.open(path) as picture:
        screen.show(picture)
