"""The audit commands: each parses, calls one function and prints."""

from pathlib import Path

import click

from audit import cli_runs
from imageledger import console


@click.group(cls=console.Door)
def main() -> None:
    """Look hard at what a model got wrong, from the files that its training left behind.

    No audit needs torch or the model itself, but for robustness and one part of reliance: they read
    data/runs/NAME/ and manifests.
    """


@main.command("top-losses")
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

    from audit import losses, pictures, top_losses
    from imageledger.config import open_project
    from train.run import Run, find_run, read_predictions

    if everything and (actual or predicted):
        raise click.UsageError("--all takes every picture; leave out --actual and --predicted")
    opened = open_project(project)
    folder = find_run(opened, run)
    trained = Run.load(folder)
    losses.refuse_split(trained, split)
    asked = losses.asked(trained.labels, actual, predicted, split, everything=everything)
    most = most or (None if everything else 20)
    ranking = losses.rank(read_predictions(folder), trained.labels, asked, most)
    audit = top_losses.Audit(
        run=trained, wanted=asked, ranking=ranking, found=pictures.records_of(opened, trained, ranking.worst)
    )
    for warning in audit.found.warnings:
        console.say(f"Warning: {warning}")
    entries = top_losses.open_pictures(
        opened, audit, lambda rows, total: console.track(rows, total, "opening pictures")
    )
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


@main.command()
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
@click.option("--self-test", is_flag=True, help="Plant known shortcuts, and none, and see what is found; no audit.")
@click.option("--quick", is_flag=True, help="With --self-test: fewer pictures, plants and empty sets.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Where the files go (default: data/audit/shortcuts/).")  # fmt: skip
@console.json_option
@console.everywhere
def shortcuts(
    manifest: Path | None, stage: str | None, families: tuple[str, ...], seed: int | None, permutations: int | None,
    most: int | None, fail_on: str | None, self_test: bool, quick: bool, output: Path | None, as_json: bool,
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

    from audit import shortcut_report, shortcut_words
    from audit import shortcuts as audits
    from imageledger.config import open_project

    if self_test or quick:
        _self_test(project, seed, quick=quick, alone=not self_test, as_json=as_json)
        return
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


def _self_test(project: Path | None, seed: int | None, *, quick: bool, alone: bool, as_json: bool) -> None:
    """Run the self-test of the audit of shortcuts; raises GateFailed when it is not right about itself."""
    import json

    from audit import selftest
    from imageledger.config import find_root, open_project
    from imageledger.engines.local import cores
    from imageledger.errors import ConfigError, GateFailed

    if alone:
        raise click.UsageError("--quick goes with --self-test")
    try:
        root = find_root((project or Path.cwd()).resolve())
    except ConfigError:
        if project:
            raise
        opened = None  # outside a project the test draws its own portraits
    else:
        opened = open_project(root)
    report = selftest.run(
        opened, quick=quick, seed=42 if seed is None else seed, workers=cores(),
        track=lambda rows, total: console.track(rows, total, "self-test"),
    )  # fmt: skip
    if as_json:
        told = {"plants": report.rows(), "sentences": report.sentences, "passed": report.passed}
        console.result(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        console.table(report.rows())
        for sentence in report.sentences:
            console.result(sentence)
    if not report.passed:
        raise GateFailed("the audit of shortcuts was not right about itself", "the lines above say where")


@main.command()
@click.argument("manifest", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--distance", type=click.IntRange(0, 24),
              help="How many of the 64 bits of a hash candidates may differ in.  [default: 12]")  # fmt: skip
@click.option("--fail-on", type=click.Choice(["leak"]), help="End with exit code 3 when a pair leaks: a gate for CI.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Where the files go (default: data/audit/).")  # fmt: skip
@console.json_option
@console.everywhere
def leaks(
    manifest: Path | None, distance: int | None, fail_on: str | None, output: Path | None, as_json: bool,
    project: Path | None,
) -> None:  # fmt: skip
    """Find pictures that stand on both sides of the split, or under both labels.

    MANIFEST is any manifest (default: the project's final.jsonl); one without a split is compared across the
    labels alone. Finds the same original, near-duplicates, mirrored copies (from the recorded hashes; every
    candidate is looked into) and pictures of one declared group, and says which sources hold only one class:
    then the classes differ by source, and no audit can tell the face from the source. Pairs go into leaks.csv
    and leaks.png.

    \b
    audit leaks                          the final manifest
    audit leaks --fail-on leak           exit code 3 when anything leaks
    audit leaks other/final.jsonl --json | jq .pairs
    """
    import json

    from audit import leak_report, leaks
    from imageledger import manifest as manifests
    from imageledger.config import open_project
    from imageledger.errors import GateFailed

    opened = open_project(project)
    path = manifest or opened.manifest("manifest")
    found = leaks.find(
        manifests.read(path), opened.store, distance=leaks.DISTANCE if distance is None else distance,
        watch=lambda pairs, total: console.track(pairs, total, "looking into pairs"),
    )  # fmt: skip
    files = leak_report.write(found, opened.store, output or opened.root / "data" / "audit")
    for warning in leak_report.warnings(found):
        console.say(f"Warning: {warning}")
    if as_json:
        console.result(json.dumps(leak_report.plain(found, str(path), files), ensure_ascii=False, indent=2))
    else:
        for sentence in leak_report.sentences(found):
            console.result(sentence)
        if found.leaks:
            console.table(leak_report.table(found))
        for file in files.values():
            console.result(file)
    if fail_on and (found.leaks or found.unchecked):
        raise GateFailed(*leak_report.refusal(found))


main.add_command(cli_runs.reliance)
main.add_command(cli_runs.calibration)
main.add_command(cli_runs.robustness)
main.add_command(cli_runs.slices)
main.add_command(cli_runs.labels)
