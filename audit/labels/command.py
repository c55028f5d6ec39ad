"""The command `audit labels`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import _found, _tell, _warn, output_option
from imageledger import console


@click.command()
@click.argument("run", required=False)
@click.option("-k", "most", type=click.IntRange(1), default=20, show_default=True, help="How many to print.")
@click.option("--who", default="", metavar="NAME", help="Sign the proposed decisions with your name.")
@click.option("--with-file", is_flag=True, help="Ask the files as fetched as well: whose are they like?")
@output_option
@console.json_option
@console.everywhere
def labels(
    run: str | None, most: int, who: str, with_file: bool, output: Path | None, as_json: bool, project: Path | None
) -> None:  # fmt: skip
    """Rank the labels that are most likely wrong, as decisions waiting for a person.

    RUN is the name of a cross-validated run (default: the one finished last): train cross-validate judges every
    picture by a model that had not seen it, and cleanlab's confident learning compares that with the labels. A
    picture that the model finds hard looks like a wrong label to it, so nothing is changed: labels.html shows the
    suspects, and labels-proposed.jsonl has one decision a line, to be copied into decisions.jsonl by whoever
    has looked. With --with-file a picture is also suspected whose file, as fetched, is like those of the other class:
    that finds what was filed under the wrong label, and vouches for nothing. Needs the package cleanlab. Writes
    labels.csv, labels.html and labels-proposed.jsonl.

    \b
    audit labels                                     the run finished last
    audit labels crossed --who ana                   proposals signed by ana
    audit labels crossed --with-file                 and what was filed wrongly
    sed -n '1p;3p' data/runs/crossed/audit/labels-proposed.jsonl >> manifests/portraits/decisions.jsonl
    """
    from audit.labels import report as labels_report
    from audit.labels import work as labels

    opened, folder = _found(project, run)
    found = labels.look(
        opened, folder, with_file=with_file, track=lambda rows, total: console.track(rows, total, "measuring")
    )  # fmt: skip
    _warn(found.warnings)
    entries = labels_report.open_pictures(
        opened, found, lambda rows, total: console.track(rows, total, "opening pictures")
    )
    files = labels_report.write(opened, found, entries, output or folder / "audit", who)
    shown = labels_report.table(found, most)
    tables = {f"the {len(shown)} most suspicious of {len(found.suspects)}": shown}
    _tell(
        labels_report.plain(opened, found, files),
        labels_report.sentences(found, labels.within(opened, files["jsonl"])),
        tables,
        files,
        as_json,
    )
