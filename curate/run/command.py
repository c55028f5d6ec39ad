"""The command `curate run`: all stages in order."""

from pathlib import Path
from typing import cast

import click

from curate.options import strict_option, workers_option
from imageledger import console


@click.command()
@workers_option
@strict_option
@console.everywhere
@click.pass_context
def run(context: click.Context, project: Path | None, workers: int | None, strict: bool) -> None:
    """Run all stages in the order of imageledger.toml, carrying on where an earlier run stopped.

    Ends with what the files of the chosen pictures give away, family by family; `audit shortcuts` explains it.
    """
    from imageledger.config import open_project

    stages = cast(click.Group, context.parent.command if context.parent else context.command)
    opened = open_project(project)
    order = opened.declared.order
    for number, name in enumerate(order, 1):
        console.say(f"[{number}/{len(order)}] curate {name}")
        command = stages.commands[name]
        accepted = {option.name for option in command.params}
        given = {"project": project, "workers": workers, "strict": strict}
        context.invoke(command, **{key: value for key, value in given.items() if key in accepted})
    if "manifest" in order:
        from curate.evidence import file_alone as evidence

        found = evidence.families_alone(
            opened, opened.manifest("manifest"), lambda rows, total: console.track(rows, total, "measuring")
        )
        if found:
            console.table(evidence.rows(found), title="What the files alone give away (AUC; 0.5 is nothing)")
            console.say("audit shortcuts explains each of them and says what to do.")
        else:
            console.say("Too few pictures of each class to say what their files give away.")
