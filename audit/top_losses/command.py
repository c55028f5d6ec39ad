"""The command `audit top-losses`: it parses, calls one function and prints."""

from pathlib import Path

import click

from imageledger import console


@click.command("top-losses")
@click.argument("run", required=False)
@click.option("--actual", metavar="LABEL", help="What the pictures are (default: the negative class, real).")
@click.option("--predicted", metavar="LABEL", help="What the model called them (default: the other class).")
@click.option("--split", type=click.Choice(["valid", "train", "all"]), default="valid", show_default=True,
              help="Which pictures to look at; those of train were learned by heart.")  # fmt: skip
@click.option("-k", "most", type=click.IntRange(1), help="How many to list (default: 20; with --all, no limit).")
@click.option("--all", "everything", is_flag=True, help="List right and wrong ones of both classes, by loss.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Where the files go (default: data/runs/NAME/audit/).")  # fmt: skip
@console.json_option
@console.everywhere
def top_losses(
    run: str | None, actual: str | None, predicted: str | None, split: str, most: int | None, everything: bool,
    output: Path | None, as_json: bool, project: Path | None,
) -> None:  # fmt: skip
    """Show the real portraits that the model called AI, highest loss first.

    RUN is the name of a training run (default: the one finished last); of a cross-validated one all pictures are
    judged, each by a model that had not seen it. Prints how often each class was mistaken, with 95 % intervals,
    and whether the difference is more than chance; then the table. Writes top-losses.csv, top-losses.png (what the
    model saw, and the original beside it) and top-losses.html, one self-contained page with each picture's whole
    chain back to the file in its source.

    \b
    audit top-losses                            the real portraits called ai
    audit top-losses first --actual ai          the AI portraits called real
    audit top-losses --all -k 50                the 50 highest losses, right or wrong
    audit top-losses --json | jq .fisher_p      one number for a script
    """
    import json

    from audit import pictures
    from audit.top_losses import judge as losses
    from audit.top_losses import report as top_losses
    from audit.top_losses import work
    from imageledger.config import open_project
    from train.runs import Run, find_run, read_predictions

    if everything and (actual or predicted):
        raise click.UsageError("--all takes every picture; leave out --actual and --predicted")
    opened = open_project(project)
    folder = find_run(opened, run)
    trained = Run.load(folder)
    losses.refuse_split(trained, split)
    asked = losses.asked(trained.labels, actual, predicted, split, everything=everything)
    most = most or (None if everything else 20)
    ranking = losses.rank(read_predictions(folder), trained.labels, asked, most)
    audit = work.Audit(
        run=trained, wanted=asked, ranking=ranking, found=pictures.records_of(opened, trained, ranking.worst)
    )
    for warning in audit.found.warnings:
        console.say(f"Warning: {warning}")
    entries = work.open_pictures(opened, audit, lambda rows, total: console.track(rows, total, "opening pictures"))
    for reason, count in pictures.unshown(entries).items():
        console.say(f"Warning: {count} × {reason}")
    files = top_losses.write(audit, entries, output or folder / "audit")
    if as_json:
        console.result(json.dumps(top_losses.plain(audit, files), ensure_ascii=False, indent=2))
        return
    for sentence in audit.sentences:
        console.result(sentence)
    if ranking.worst:
        console.table(top_losses.table(audit), title=audit.cut)
    else:
        console.result(f"No picture matches: there are {audit.title} here.")
    for path in files.values():
        console.result(path)
