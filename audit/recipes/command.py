"""The command `audit recipes`: it parses, calls one function and prints."""

from pathlib import Path

import click

from imageledger import console


@click.command()
@click.argument("manifest", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--sample", type=click.IntRange(10), default=100, show_default=True, help="Pictures of each label.")
@click.option("--weights", metavar="FILE", help="A network's weights (safetensors), whose features are probed too.")
@click.option("--workers", type=click.IntRange(1), help="Processes to use (default: all cores).")
@console.json_option
@console.everywhere
def recipes(
    manifest: Path | None, sample: int, weights: str | None, workers: int | None, as_json: bool, project: Path | None
) -> None:
    """Try the recipes of `curate normalize` on a sample: how much shortcut each leaves, how much signal it keeps.

    MANIFEST is the manifest to draw the sample from (default: what normalize would read). Nothing is written. The
    table holds AUCs, 0.5 for nothing left and 1.0 for everything: what still separates the classes without a look at
    the face (all such numbers together, and some families alone), an old JPEG that was planted in half of the AI
    pictures (should become 0.5), and a faint generator trace that was planted in half of the real ones (should stay
    near 0.9).

    \b
    audit recipes
    audit recipes --sample 200 --weights squeezenet1_1.safetensors
    """
    from audit.recipes import work
    from imageledger.config import open_project

    rows, remark = work.compare(
        open_project(project), source=manifest, sample=sample, weights=weights or "", workers=workers,
        track=lambda looks, total: console.track(looks, total, "recipes"),
    )  # fmt: skip
    console.table(rows, as_json=as_json, title=f"AUC left and kept, up to {sample} pictures a label")
    console.say(remark)
