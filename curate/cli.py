"""The curate commands: each parses, calls one function and prints."""

from pathlib import Path
from typing import Any

import click

from imageledger import console

from_option = click.option(
    "--from", "source", type=click.Path(path_type=Path, dir_okay=False), help="Read this manifest instead."
)
workers_option = click.option("--workers", type=click.IntRange(1), help="Processes to use (default: all cores).")
strict_option = click.option("--strict", is_flag=True, help="Exit 3 when a picture could not be read.")


@click.group(cls=console.Door)
def main() -> None:
    """Bring portraits from many sources into one clean, balanced dataset.

    The stages run in this order, each reading the manifest of the one before it:
    fetch, normalize, dedupe, whiten, manifest. `curate run` does them all.
    """
