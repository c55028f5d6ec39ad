"""The command `curate run`: all stages in order."""

from pathlib import Path

import click

from curate.options import show, show_final, strict_option, workers_option
from imageledger import console


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be done with each stage, and why.")
@workers_option
@strict_option
@console.everywhere
def run(project: Path | None, dry_run: bool, workers: int | None, strict: bool) -> None:
    """Run all stages in the order given by imageledger.toml, continuing where an earlier run stopped.

    It ends with what the files alone reveal about the class, family by family; `audit shortcuts` explains each family.
    """
    from curate.manifest import file_alone
    from curate.manifest.work import settings_of
    from curate.run import work
    from curate.run.plan import plan, remarks
    from imageledger.config import open_project

    opened = open_project(project)
    if dry_run:
        console.table(plan(opened), title="what curate run would do")
        return
    for line in remarks(opened):
        console.say(line)
    for outcome in work.run(opened, workers=workers, track=console.track):
        if outcome.stage == "manifest":
            show_final(opened, outcome, settings_of(opened), workers=workers)
        else:
            show(outcome, strict=strict)
    if "manifest" in opened.declared.order:
        final = opened.manifest("manifest")
        if probes := file_alone.families_alone(opened, final, console.track):
            console.table(file_alone.rows(probes), title="What the files alone give away (AUC; 0.5 is nothing)")
            console.say("audit shortcuts explains each family and says what to do.")
        else:
            console.say("There are too few pictures of each class to say what their files give away.")
