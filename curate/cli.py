"""The curate commands, in the order in which they are used."""

import click

from curate.dedupe.command import dedupe
from curate.fetch.command import fetch
from curate.look.command import look
from curate.manifest.command import manifest_
from curate.normalize.command import normalize
from curate.run.command import run
from curate.whiten.command import whiten
from imageledger import console


@click.group(cls=console.Door, place=1)
def main() -> None:
    """Bring portraits from many sources into one clean, balanced dataset.

    The stages run in this order, each reading the manifest of the one before it:
    fetch, normalize, dedupe, whiten, manifest. `curate run` does them all. `curate look` shows what became of the
    pictures.
    """


main.add_command(fetch)
main.add_command(normalize)
main.add_command(dedupe)
main.add_command(whiten)
main.add_command(manifest_)
main.add_command(run)
main.add_command(look)
