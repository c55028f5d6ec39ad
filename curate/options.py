"""Options that several curate commands share."""

from pathlib import Path

import click

from_option = click.option(
    "--from", "source", type=click.Path(path_type=Path, dir_okay=False), help="Read this manifest instead."
)
workers_option = click.option("--workers", type=click.IntRange(1), help="Processes to use (default: all cores).")
strict_option = click.option("--strict", is_flag=True, help="Exit 3 when a picture could not be read.")
