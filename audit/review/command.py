"""The command `audit review`: it parses, calls one function and prints."""

from pathlib import Path

import click

from imageledger import console


@click.command()
@click.argument("subject", required=False, metavar="[RUN|MANIFEST|STAGE]")
@click.option("--queue", metavar="NAME", help="Begin with this queue, such as misclassified, labels or pairs.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default="any that is free",
              help="The port of 127.0.0.1 to listen on.")  # fmt: skip
@click.option("--open", "open_", is_flag=True, help="Open the desk in your browser.")
@click.option("--who", default="", metavar="NAME", help="Who decides (default: your login name).")
@console.everywhere
def review(project: Path | None, subject: str | None, queue: str | None, port: int, open_: bool, who: str) -> None:
    """Look at pictures one by one and decide about them by key: keep, wrong label, leave out, bad matte, and so on.

    The desk is a page that this command serves to this machine alone; it ends with Ctrl-C. Each decision is a line in
    decisions.jsonl, on the disk before the page says so, and `curate run` applies it. Queues bring together what is
    worth a look: reals that the model called AI, suspected labels, conflicts, mattes, pictures without a face,
    near-duplicates, examples of shortcuts. Without a run the desk has all queues that need none.

    \b
    audit review                         the run finished last
    audit review my-run --queue labels   begin with the labels that may be wrong
    audit review normalized              the pictures as curate normalize left them
    audit review --who Ada --open        sign decisions as Ada, and open the browser
    """
    from audit.review import work
    from imageledger.config import open_project

    settings = work.ReviewSettings(queue=queue, port=port, open=open_, who=who)
    opened = open_project(project)
    made = work.review(opened, subject, settings=settings, hear=console.result)
    console.say(made)
