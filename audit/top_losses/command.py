"""The command `audit top-losses`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import output_option, show
from imageledger import console
from imageledger.completion import labels, run_names


@click.command("top-losses")
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--actual", metavar="LABEL", shell_complete=labels,
              help="What the pictures are (default: the negative class, real).")  # fmt: skip
@click.option("--predicted", metavar="LABEL", shell_complete=labels,
              help="What the model called them (default: the other class).")  # fmt: skip
@click.option("--split", type=click.Choice(["valid", "train", "all"]), default="valid", show_default=True,
              help="Which pictures to list; the model has learned those of train.")  # fmt: skip
@click.option("-k", "most", type=click.IntRange(1), help="List at most so many (default: 20; with --all, no limit).")
@click.option("--all", "everything", is_flag=True, help="List the pictures of both classes, right and wrong, by loss.")
@output_option
@console.json_option
@console.everywhere
def top_losses(
    run: str | None, actual: str | None, predicted: str | None, split: str, most: int | None, everything: bool,
    output: Path | None, as_json: bool, project: Path | None,
) -> None:  # fmt: skip
    """Show the real portraits that the model called AI, highest loss first.

    RUN is the name of a training run (default: the last finished run). In a cross-validated run every picture was
    judged by a model that had not seen it, and all of them count. Prints how often each class was mistaken, with 95 %
    intervals, whether the difference is more than chance, and the table. Writes top-losses.csv, top-losses.png (what
    the model saw, and the original beside it) and top-losses.html, a self-contained page with the whole chain of each
    picture back to the file in its source. Where the terminal can show pictures, the sheet stands in it too.

    \b
    audit top-losses                            the real portraits called ai
    audit top-losses first --actual ai          the AI portraits called real
    audit top-losses --all -k 50                the 50 highest losses, right or wrong
    audit top-losses --json | jq .fisher_p      a number for a script
    """
    from audit.top_losses import work
    from imageledger.config import open_project

    if everything and (actual or predicted):
        raise click.UsageError("--all takes every picture; leave out --actual and --predicted")
    settings = work.TopLossesSettings(actual=actual, predicted=predicted, split=split, k=most, all=everything)
    report = work.top_losses(open_project(project), run, settings=settings, track=console.track)
    show(report, output, as_json=as_json, inline=True)
