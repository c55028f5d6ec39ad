"""The command `train compare`: it parses, calls one function and prints."""

from pathlib import Path

import click

from imageledger import console
from imageledger.completion import run_names


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN OTHER...", shell_complete=run_names)
@click.option("--seed", type=click.IntRange(0), help="Seed of the bootstrap.  [default: the project's, 42]")
@console.json_option
@console.everywhere
def compare(runs: tuple[str, ...], seed: int | None, as_json: bool, project: Path | None) -> None:
    """Compare runs on the pictures that both judged.

    Every other run is compared with the first, on pictures that neither trained on. Pictures are paired by source,
    member and pixels, so that an easy picture is easy for both. McNemar's exact test counts the pictures on which
    only one of the two is right; the intervals come from a bootstrap of whole groups. With several runs, Holm's
    method corrects the p-values. Where no difference is shown, the command says how large a difference that many
    pictures could have shown.

    Compare runs of train cross-validate: they judge every picture. With --repeats, the difference is the mean over
    the repeats: what one model of each recipe is worth, with a narrower interval.

    \b
    Examples:
      train compare fine-tuned frozen
      train compare fine-tuned frozen other --json | jq '.[].conclusion'
    """
    from imageledger.config import open_project
    from train.compare import report, work

    comparisons = work.compare(open_project(project), runs, seed=seed)
    if as_json:
        console.table(report.as_json(comparisons), as_json=True)
    else:
        console.table(report.in_words(comparisons), title=f"against {comparisons[0].first}, on the same pictures")
        for comparison in comparisons:
            console.result(report.conclusion(comparison))
    for remark in (remark for comparison in comparisons for remark in report.remarks(comparison)):
        console.say(remark)
