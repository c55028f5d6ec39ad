"""The command `curate manifest`: it parses, calls one function and prints."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from curate.options import from_option, workers_option
from imageledger import console


def _families(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Read the families to match on: names between commas, or "off" for none."""
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    return () if names == ("off",) else names


def _measuring(rows: Iterable[Any], total: int) -> Iterable[Any]:
    return console.track(rows, total, "measuring")


@click.command("manifest")
@click.option("--per-class", type=int, help="Pictures of each label [default: 100].")
@click.option("--valid-fraction", type=float, help="Share of each label for validation [default: 0.2].")
@click.option("--seed", type=int, help="Seed of all chance [default: 42].")
@click.option(
    "--match",
    metavar="FAMILIES|off",
    callback=_families,
    help="Nuisance features in which the classes should agree [default: tone,resampling,geometry,matte,face_geometry].",
)
@click.option(
    "--export", type=click.Path(path_type=Path), metavar="DIR", help="Also write {train,valid}/{label}/ here."
)
@from_option
@workers_option
@console.json_option
@console.everywhere
def manifest_(
    project: Path | None, source: Path | None, export: Path | None, workers: int | None, as_json: bool, **options: Any
) -> None:
    """Choose the final dataset: equally many pictures of each label, split into train and valid.

    Where there are more candidates than places, those are chosen whose classes agree in brightness, sharpness,
    crop and silhouette, so that a classifier cannot win by these; it is said what that changed, what it cost,
    and where the classes cannot be matched. Sources give as evenly as that allows, and no cluster or group
    stands on both sides. The rest become unused. Where there are too few, the command says how many are missing
    and why, and writes nothing. Beside final.jsonl it writes final.csv, for spreadsheets and pandas.

    \b
    curate manifest                      100 of each label, 80 to train on and 20 to validate with
    curate manifest --match off          chosen by a hash of content and seed alone: new pictures move few others
    curate manifest --match tone,matte   agree in these families only
    curate manifest --export faces       also a folder tree of hard links, for fastai's
                                         ImageDataLoaders.from_folder(DIR)
    """
    from curate.manifest import export as exports
    from curate.manifest import report as match_report
    from curate.manifest import work as stage
    from imageledger import manifest
    from imageledger.config import open_project, settings

    opened = open_project(project)
    declared = {name: getattr(opened.declared, name) for name in ("per_class", "valid_fraction", "seed")}
    chosen = settings(stage.FinalSettings, {**declared, **opened.tables.get("manifest", {})}, options)
    with opened.lock("curate manifest"):
        outcome = stage.finish(opened, chosen, source=source, workers=workers, track=_measuring)
        exported = exports.export(manifest.read(outcome.path), opened.store, export) if export else 0
        candidates = stage.candidates(manifest.read(outcome.path))
        told = match_report.explain(opened, candidates, chosen, workers=workers, track=_measuring)
    for title, rows in {} if as_json else told.tables.items():
        console.table(rows, title=title)
    for line in told.lines:
        console.say(line)
    console.report(outcome, as_json=as_json, more={"matching": told.tables, "said": told.lines})
    console.say(stage.summary(manifest.read(outcome.path)))
    if export:
        console.say(f"{exported} pictures exported to {export}")
