"""The command `curate manifest`: it parses, calls one function and prints."""

from pathlib import Path
from typing import Any

import click

from curate.options import families, from_option, save_option, show_final, workers_option
from imageledger import console


def _families(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Read the families to match on: names between commas, or "off" for none."""
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    return () if names == ("off",) else names


@click.command("manifest")
@click.option("--per-class", type=int, help="Pictures of each label [default: 100].")
@click.option("--valid-fraction", type=float, help="Share of each label for validation [default: 0.2].")
@click.option("--seed", type=int, help="Seed of every random choice [default: 42].")
@click.option(
    "--match",
    shell_complete=families,
    metavar="FAMILIES|off",
    callback=_families,
    help="Probe families in which the classes should agree, such as tone,face-geometry "
    "[default: every family but those of names].",
)
@click.option(
    "--export", type=click.Path(path_type=Path), metavar="DIR", help="Also write {train,valid}/{label}/ here."
)
@save_option
@from_option
@workers_option
@console.json_option
@console.everywhere
def manifest_(
    project: Path | None,
    source: Path | None,
    save: bool,
    export: Path | None,
    workers: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Choose the final dataset: equally many pictures of each label, split into train and valid.

    Where there are more candidates than places, the choice brings the classes together in what probes of the file tell
    of them, so that a classifier wins less by it. The candidates are divided into halves before, so that each half
    judges what the other chose: the command reports that figure, what the choice cost, and where the classes cannot be
    matched. Sources contribute as evenly as possible, and no cluster or group is on both
    sides of the split. The remaining pictures become unused. With too few candidates the command says how many are
    missing and why, and writes nothing. It writes final.jsonl, and final.csv for spreadsheets and pandas.

    \b
    curate manifest                      100 of each label, 80 for training and 20 for validation
    curate manifest --match off          chosen by a hash of content and seed: new pictures replace few others
    curate manifest --match tone,matte   agree in these families only
    curate manifest --export faces       also a folder tree of hard links, for fastai's
                                         ImageDataLoaders.from_folder(DIR)
    """
    from curate.manifest import export as exports
    from curate.manifest import work as stage
    from curate.manifest.matched import Selection
    from curate.saved import keep_or_say
    from imageledger import manifest
    from imageledger.config import open_project

    opened = open_project(project)
    chosen = stage.settings_of(opened, **options)
    selections: list[Selection] = []
    with opened.lock("curate manifest"):
        outcome = stage.choose(
            opened, chosen, source=source, workers=workers, track=console.track, hear=selections.append
        )
        exported = exports.export(manifest.read(outcome.path), opened.store, export) if export else 0
        known = selections[-1] if selections else None
        show_final(opened, outcome, chosen, selection=known, workers=workers, as_json=as_json)
    keep_or_say(opened, "manifest", chosen, stage.settings_of(opened), save=save)
    if export:
        console.say(f"{exported} pictures exported to {export}")
