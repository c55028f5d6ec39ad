"""The command `audit recipes`: it parses, calls one function and prints."""

from pathlib import Path

import click

from audit.options import output_option, show
from imageledger import console


@click.command()
@click.argument("manifest", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--sample", type=click.IntRange(10), default=100, show_default=True, help="Pictures of each label.")
@click.option("--weights", metavar="FILE", help="Probe the features of a network too: its weights (safetensors).")
@click.option("--workers", type=click.IntRange(1), help="Processes to use (default: all cores).")
@output_option
@console.json_option
@console.everywhere
def recipes(
    manifest: Path | None, sample: int, weights: str | None, workers: int | None, output: Path | None, as_json: bool,
    project: Path | None,
) -> None:  # fmt: skip
    """Try the recipes of `curate normalize` on a sample: how much shortcut each leaves, how much signal it keeps.

    MANIFEST is the manifest to draw the sample from (default: what normalize would read). No picture is
    changed. The table holds AUCs, 0.5 for nothing left and 1.0 for everything. Its columns: what still separates the
    classes without a look at the face (all such numbers jointly, and some families alone); an old JPEG planted in half
    of the AI pictures, which should fall to 0.5; and a faint generator trace planted in half of the real ones, which
    should stay near 0.9. Writes recipes.csv and recipes.html.

    \b
    audit recipes
    audit recipes --sample 200 --weights squeezenet1_1.safetensors
    """
    from audit.recipes import work
    from imageledger.config import open_project

    settings = work.RecipesSettings(sample=sample, weights=weights, workers=workers)
    report = work.recipes(open_project(project), manifest, settings=settings, track=console.track)
    show(report, output, as_json=as_json)
