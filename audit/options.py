"""The audit commands that ask how far a model can be trusted: reliance, calibration, robustness, slices, labels."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imageledger import console

if TYPE_CHECKING:
    from imageledger.config import Project

output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Where the files go (default: data/runs/NAME/audit/).",
)  # fmt: skip


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
