"""What the audit commands share: options, and the one way to print a report."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imageledger import console

if TYPE_CHECKING:
    from audit.findings import Report
    from imageledger.config import Project

output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write the files here (default: data/runs/NAME/audit/).",
)  # fmt: skip


def show(report: "Report", output: Path | None = None, *, as_json: bool = False, gate: bool = False) -> None:
    """Write the files of a report and print it: one object for scripts, or sentences, tables and files for people.

    Raises GateFailed when `gate` is set and the audit found more than a gate allows.
    """
    for warning in report.warnings:
        console.say(f"Warning: {warning}")
    files = report.write(output)
    if as_json:
        data = dict(report.data)
        if files or report.stale:
            data["files"] = {kind: str(path) for kind, path in files.items()}
        console.result(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        for sentence in report.sentences:
            console.result(sentence)
        for title, rows in report.tables.items():
            if rows:
                console.table(rows, title=title)
        for path in files.values():
            console.result(path)
    if gate and report.refusal:
        from imageledger.errors import GateFailed

        raise GateFailed(*report.refusal)


def _found(project: Path | None, run: str | None) -> "tuple[Project, Path]":
    """Open the project and find a run of it by name, or the one finished last."""
    from imageledger.config import open_project
    from train.runs import find_run

    opened = open_project(project)
    return opened, find_run(opened, run)


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        console.say(f"Warning: {warning}")


def _tell(
    plain: Mapping[str, Any], sentences: Sequence[str], tables: Mapping[str, Sequence[Mapping[str, Any]]],
    files: Mapping[str, Path], as_json: bool,
) -> None:  # fmt: skip
    """Print what an audit found: one object for scripts, or sentences, tables by title and files for people."""
    import json

    if as_json:
        console.result(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    for sentence in sentences:
        console.result(sentence)
    for title, rows in tables.items():
        if rows:
            console.table(rows, title=title)
    for path in files.values():
        console.result(path)
