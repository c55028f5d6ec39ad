"""What several curate commands share: options, the display of progress, and what a stage did, printed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imageledger import console

if TYPE_CHECKING:
    from curate.manifest.matched import Selection
    from curate.manifest.work import ManifestSettings
    from imageledger.config import Project
    from imageledger.stage import Outcome

from_option = click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Manifest to read (default: that of the stage before).",
)
workers_option = click.option("--workers", type=click.IntRange(1), help="Processes to use (default: all cores).")
save_option = click.option("--save", is_flag=True, help="Keep these options in imageledger.toml.")
strict_option = click.option("--strict", is_flag=True, help="Exit 3 when a picture could not be read.")


def families(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Complete the last of one or more families, separated by commas."""
    from curate.nuisance import FAMILIES
    from curate.nuisance.spelling import spelled

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{spelled(name)}" for name in FAMILIES if spelled(name).startswith(last)]


def show(
    outcome: "Outcome", *, as_json: bool = False, strict: bool = False, more: Mapping[str, Any] | None = None
) -> None:
    """Show what a stage did: counts per label and status, the reasons that are new, and where the manifest lies.

    With `more`, what a stage reports besides, JSON is an object that holds the counts as "pictures". Raises GateFailed
    when `strict` is set and pictures could not be read.
    """
    from imageledger.errors import GateFailed
    from imageledger.reasons import lines
    from imageledger.record import UNREADABLE

    rows = outcome.rows()
    if as_json and more is not None:
        whole = {"pictures": rows, **more, "manifest": str(outcome.path)}
        console.data(whole)
    else:
        console.table(rows, as_json=as_json)
    for line in lines(outcome.reasons):
        console.say(line)
    console.say(f"{outcome.stage}: {outcome.worked} worked on, {outcome.reused} reused")
    if not as_json:
        console.result(outcome.path)
    if strict and (unreadable := outcome.tally.total(UNREADABLE)):
        raise GateFailed(f"{unreadable} pictures could not be read, and --strict is set", "their rows hold the reasons")


def show_final(
    project: "Project",
    outcome: "Outcome",
    chosen: "ManifestSettings",
    *,
    selection: "Selection | None" = None,
    workers: int | None = None,
    as_json: bool = False,
) -> None:
    """Show the final dataset, and what the matching changed and cost; `selection` is the choice, where it is known."""
    from dataclasses import replace

    from curate.manifest import report, work
    from curate.manifest.given import was_given
    from imageledger import manifest

    candidates = work.candidates(manifest.read(outcome.path))
    if was_given(outcome.path):
        chosen = replace(chosen, match=())
    matching = report.explain(project, candidates, chosen, selection=selection, workers=workers, track=console.track)
    for title, rows in {} if as_json else matching.tables.items():
        console.table(rows, title=title)
    for line in matching.lines:
        console.say(line)
    show(outcome, as_json=as_json, more={"matching": matching.tables, "said": matching.lines})
    console.say(work.summary(manifest.read(outcome.path)))
