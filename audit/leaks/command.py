"""The command `audit leaks`: it parses, calls one function and prints."""

from pathlib import Path

import click

from imageledger import console


@click.command()
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

    from audit.leaks import report as leak_report
    from audit.leaks import work as leaks
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
