"""Print what is planted in `sample:` and what was found of it: python -m curate.sources.sample ADDRESS PREDICTIONS."""

import json
from pathlib import Path

import click

from curate.sources.sample import found, open_sample, write_truth
from imageledger import console, manifest
from imageledger.config import open_project


@click.command()
@click.argument("address")
@click.argument("predictions", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@console.everywhere
def main(project: Path | None, address: str, predictions: Path) -> None:
    """Write the problems planted in ADDRESS to truth.jsonl and print how many the stages and a model found.

    PREDICTIONS are those of a run. A picture whose label the model contradicts, in training or validation, counts as
    a suspect: it is mislabelled, or just hard.
    """
    opened = open_project(project)
    truth = open_sample(address, opened).truth()
    write_truth(opened.folder / "truth.jsonl", truth)
    rows = map(json.loads, predictions.read_text(encoding="utf-8").splitlines())
    suspects = {row["member"] for row in rows if row["predicted"] != row["label"]}
    console.table(found(truth, manifest.read(opened.manifest("manifest")), suspects), title="Planted problems")


main()
