"""The audit commands, in the order in which they are used."""

import click

from audit.calibration.command import calibration
from audit.foreign.command import foreign
from audit.labels.command import labels
from audit.leaks.command import leaks
from audit.recipes.command import recipes
from audit.reliance.command import reliance
from audit.report.command import report
from audit.review.command import review
from audit.robustness.command import robustness
from audit.self_test.command import self_test
from audit.shortcuts.command import shortcuts
from audit.slices.command import slices
from audit.top_losses.command import top_losses
from imageledger import console


@click.group(cls=console.Door, place=3)
def main() -> None:
    """Look hard at what a model got wrong, from the files that its training left behind.

    No audit needs torch or the model itself, but for robustness, foreign and one part of reliance: they read
    data/runs/NAME/ and manifests.
    """


main.add_command(report)
main.add_command(review)
main.add_command(top_losses)
main.add_command(shortcuts)
main.add_command(leaks)
main.add_command(reliance)
main.add_command(calibration)
main.add_command(robustness)
main.add_command(foreign)
main.add_command(slices)
main.add_command(labels)
main.add_command(recipes)
main.add_command(self_test)
