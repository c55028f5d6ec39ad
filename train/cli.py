"""The train commands, in the order in which they are used."""

import click

from imageledger import console
from train.compare.command import compare
from train.cross_validate.command import cross_validate
from train.export.command import export
from train.hold_out.command import hold_out
from train.predict.command import predict
from train.run.command import run


@click.group(cls=console.Door, place=2)
def main() -> None:
    """Train a classifier on the final manifest, and keep every number it gave.

    A run is a folder in data/runs/: settings, history, weights, one prediction a picture, and figures.
    """


main.add_command(run)
main.add_command(cross_validate)
main.add_command(hold_out)
main.add_command(compare)
main.add_command(predict)
main.add_command(export)
