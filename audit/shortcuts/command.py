"""The command `audit shortcuts`: it parses, calls one function and prints."""

from pathlib import Path

import click

from imageledger import console


@click.command()
@click.argument("manifest", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--stage", type=click.Choice(["fetched", "normalized", "whitened", "final", "model-input", "all"]),
              help="Which pictures to look at (default: the final ones, or the furthest made).")  # fmt: skip
@click.option("--family", "families", multiple=True, metavar="NAME",
              help="Measure this family alone; may be given several times (default: all of container, metadata, "
              "geometry, jpeg-history, resampling, chroma, tone, border, matte, face-geometry, thumbnail, "
              "naming).")  # fmt: skip
@click.option("--seed", type=int, help="Fixes folds, trees and permutations (default: the project's seed).")
@click.option("--permutations", type=click.IntRange(100), help="Shuffled labels to compare with.  [default: 2000]")
@click.option("--most", type=click.IntRange(10), help="Pictures of each label to look at, at most.  [default: 3000]")
@click.option("--fail-on", type=click.Choice(["shortcut"]),
              help="End with exit code 3 when any family, or all together, is a shortcut: a gate for CI.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Where the files go (default: data/audit/shortcuts/).")  # fmt: skip
@console.json_option
@console.everywhere
def shortcuts(
    manifest: Path | None, stage: str | None, families: tuple[str, ...], seed: int | None, permutations: int | None,
    most: int | None, fail_on: str | None, output: Path | None, as_json: bool,
    project: Path | None,
) -> None:  # fmt: skip
    """Tell whether the classes can be told apart without looking at a face.

    Measures numbers that have nothing to do with the face, in named families (container, JPEG history, tone,
    matte, ...), and lets small classifiers see nothing else. Each family, and all together, gets an AUC with its
    95 % interval, a permutation p-value and one of three verdicts: SHORTCUT, CLEAN, or INCONCLUSIVE with the
    number of pictures that would decide. MANIFEST is any manifest file (default: the project's). Writes
    shortcuts.csv, shortcuts.json, shortcuts.png and shortcuts.html, one self-contained page that shows what gives
    each family away, six example pictures, and what to do.

    \b
    audit shortcuts                             the final pictures
    audit shortcuts --stage all                 how the shortcuts fall from stage to stage
    audit shortcuts --family tone --family jpeg-history
    audit shortcuts --fail-on shortcut          exit code 3 when there is one
    audit shortcuts --self-test                 is the audit right about itself?
    """
    import json

    from audit.shortcuts import report as shortcut_report
    from audit.shortcuts import words as shortcut_words
    from audit.shortcuts import work as audits
    from imageledger.config import open_project

    opened = open_project(project)
    asked = audits.Asked.of(opened, families, seed, permutations, most)
    audit = audits.look(
        opened, asked, source=manifest, stage=stage, say=console.say,
        track=lambda doing: lambda rows, total: console.track(rows, total, doing),
    )  # fmt: skip
    files = shortcut_report.write(opened, audit, output or opened.root / "data" / "audit" / "shortcuts")
    if as_json:
        console.result(json.dumps(shortcut_words.plain(audit, files), ensure_ascii=False, indent=2))
    else:
        for rows, title in shortcut_words.tables(audit):
            console.table(rows, title=title)
        for sentence in shortcut_words.spoken(audit):
            console.result(sentence)
        for path in files.values():
            console.result(path)
    if fail_on:
        audit.refuse_shortcuts()
