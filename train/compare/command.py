"""The command `train compare`: it parses, calls one function and prints."""

from pathlib import Path

import click

from imageledger import console


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN OTHER...")
@click.option("--seed", type=click.IntRange(0), help="Draws the bootstrap.  [default: the project's, 42]")
@console.json_option
@console.everywhere
def compare(runs: tuple[str, ...], seed: int | None, as_json: bool, project: Path | None) -> None:
    """Tell whether one run is better than another, on the pictures that both judged without training on them.

    Every other run is compared with the first. Pictures are paired by source, member and pixels, so that an easy
    picture is easy for both: McNemar's exact test asks who is right where they disagree, the intervals draw whole
    groups again. With several runs the p-values are corrected after Holm. Where nothing is shown, it says how large a
    difference so many pictures could have shown. Runs of train cross-validate judge all pictures: compare those. With
    --repeats the difference is the mean over repeats, what one model of each recipe is worth, and surer.

    \b
    Examples:
      train compare seed strong
      train compare seed strong other --json | jq '.[].conclusion'
    """
    from imageledger.config import open_project
    from train.compare import judge as comparing
    from train.compare import work as sides

    opened = open_project(project)
    read = sides.read(opened, runs)
    for warning in dict.fromkeys(warning for answers in read for warning in answers.warnings):
        console.say(f"Warning: {warning}")
    found = comparing.compare(read, seed=opened.declared.seed if seed is None else seed)
    if as_json:
        console.table(comparing.plain(found), as_json=True)
    else:
        console.table(comparing.in_words(found), title=f"against {found[0].first}, on the same pictures")
        for one in found:
            console.result(comparing.conclusion(one))
    for remark in (remark for one in found for remark in comparing.remarks(one)):
        console.say(remark)
