"""The command `audit self-test`: it parses, calls one function and prints."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.options import output_option, show
from imageledger import console

if TYPE_CHECKING:
    from imageledger.config import Project


@click.command("self-test")
@click.option("--quick", is_flag=True, help="Try fewer pictures, plants and empty sets.")
@click.option("--thorough", is_flag=True, help="Also plant in parts of a class and at half strength: half an hour.")
@output_option
@click.option("--seed", type=int, default=42, show_default=True, help="Fixes pictures, plants and permutations.")
@console.json_option
@console.everywhere
def self_test(quick: bool, thorough: bool, output: Path | None, seed: int, as_json: bool, project: Path | None) -> None:
    """Plant known shortcuts, and none, and count what `audit shortcuts` finds.

    Writes self-test.html (self-test-quick.html, self-test-thorough.html) into data/audit/self-test of the project, or
    into self-test. --thorough shows from which dose on a plant is found: in a tenth to the whole of one class, and at
    half its strength (doses.csv and doses.png). It also counts alarms on fresh pictures, on near-duplicates that nobody
    declared, and on pictures with a twin in the other class.

    Inside a project the plants go into its own pictures; outside a project, into drawn portraits. Exits with 3 when
    the audit misses a plant, or finds a shortcut where nothing was planted more often than it may.

    \b
    audit self-test --quick
    audit self-test --json | jq .passed
    """
    from audit.self_test import work

    settings = work.SelfTestSettings(quick=quick, thorough=thorough, seed=seed)
    report = work.self_test(_project_at(project), settings=settings, track=console.track)
    show(report, output, as_json=as_json, gate=True)


def _project_at(place: Path | None) -> "Project | None":
    """Open the project that was named, or the one around the working directory; None outside any."""
    from imageledger.config import find_root, open_project
    from imageledger.errors import ConfigError

    try:
        root = find_root((place or Path.cwd()).resolve())
    except ConfigError:
        if place:
            raise
        return None
    return open_project(root)
