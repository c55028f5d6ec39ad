"""The curate commands: each parses, calls one function and prints."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from curate.cli_pictures import normalize, whiten
from curate.options import from_option, strict_option, workers_option
from imageledger import console


@click.group(cls=console.Door)
def main() -> None:
    """Bring portraits from many sources into one clean, balanced dataset.

    The stages run in this order, each reading the manifest of the one before it:
    fetch, normalize, dedupe, whiten, manifest. `curate run` does them all.
    """


@main.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--label", help="The label of everything in the sources named.")
@click.option("--labels", metavar="GLOB=LABEL,…", help="Labels by path, such as 'real/**=real,fake/**=ai'.")
@click.option("--limit", type=click.IntRange(0), help="Take this many pictures of each label [default: 0, all].")
@click.option("--generator", help="What made the AI pictures, such as stylegan2; for evaluation by generator.")
@click.option("--workers", type=click.IntRange(1), help="Files to read or download at once [default: 8].")
@strict_option
@console.json_option
@console.everywhere
def fetch(
    project: Path | None, sources: tuple[str, ...], workers: int | None, strict: bool, as_json: bool, **options: Any
) -> None:
    """Fetch pictures from their sources; without SOURCE, from all that the project declares.

    A SOURCE is kaggle:owner/slug[@version], folder:PATH, zip:PATH or sample:[seed]. It is added to
    imageledger.toml once it has been fetched, and the rows of the other sources stay as they are. Pictures
    are known by their content, not by their names. Downloads are kept sealed and are carried on after a cut;
    of a Kaggle dataset over 1 GB, --limit downloads only the files it takes.

    \b
    curate fetch folder:my-photos --label real
    curate fetch kaggle:hamzaboulahia/hardfakevsrealfaces --labels 'real/**=real,fake/**=ai'
    curate fetch kaggle:xhlulu/140k-real-and-fake-faces@2 --limit 400 \\
        --labels '**/real/**=real,**/fake/**=ai' --generator stylegan
    curate fetch                         all declared sources again; what is unchanged is not read again

    In --labels, * stays within a folder and ** crosses folders; the first pattern that matches counts, and
    files that match none are skipped. Kaggle takes its credentials from where the kaggle command has them
    (KAGGLE_API_TOKEN, ~/.kaggle/); public datasets need none.
    """
    from curate import fetch as stage
    from curate.sources.entries import located, named, parse_options
    from imageledger.config import open_project

    if not sources and any(value is not None for value in options.values()):
        raise click.UsageError("--label, --labels, --limit and --generator belong to a SOURCE named beside them")
    opened = open_project(project)
    chosen = parse_options(options)
    entries = [named(located(source, opened, Path.cwd()), opened, **chosen) for source in sources]
    with opened.lock("curate fetch"), console.aloud("curate"):
        outcome = stage.fetch(opened, entries, workers=workers, track=console.progress_of("fetch"))
    console.report(outcome, as_json=as_json, strict=strict)


main.add_command(normalize)


@main.command()
@click.option("--distance", type=int, help="Bits of the 64-bit hash in which candidates may differ [default: 6].")
@from_option
@console.json_option
@console.everywhere
def dedupe(project: Path | None, source: Path | None, distance: int | None, as_json: bool) -> None:
    """Find copies of the same picture and keep the best of each.

    Exact copies have the same bytes or the same decoded pixels. Near-duplicates (resized, recompressed,
    recoloured, slightly cropped, mirrored) are found by perceptual hash and then verified inside the picture,
    so that people who merely look alike are never merged. The largest original stays, then the least
    compressed one; the others become duplicates and name it. A picture under both labels is a conflict:
    all its rows are rejected, and named here. decisions.jsonl beside the manifests may overrule all this.

    \b
    curate dedupe                        candidates up to 6 bits apart
    curate dedupe --distance 12          finds stronger crops, and takes longer
    """
    from curate import dedupe as stage
    from imageledger import manifest
    from imageledger.config import open_project, settings

    opened = open_project(project)
    chosen = settings(stage.DedupeSettings, opened.tables.get("dedupe", {}), {"distance": distance})
    with opened.lock("curate dedupe"):
        outcome = stage.dedupe(
            opened, chosen, source=source, watch=lambda pairs, total: console.track(pairs, total, "dedupe: pairs")
        )
    console.report(outcome, as_json=as_json)
    for line in stage.remarks(opened, manifest.read(outcome.path)):
        console.say(line)


main.add_command(whiten)


def _families(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Read the families to match on: names between commas, or "off" for none."""
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    return () if names == ("off",) else names


def _measuring(rows: Iterable[Any], total: int) -> Iterable[Any]:
    return console.track(rows, total, "measuring")


@main.command("manifest")
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
    from curate import final as stage
    from curate import match_report
    from imageledger import manifest
    from imageledger.config import open_project, settings

    opened = open_project(project)
    declared = {name: getattr(opened.declared, name) for name in ("per_class", "valid_fraction", "seed")}
    chosen = settings(stage.FinalSettings, {**declared, **opened.tables.get("manifest", {})}, options)
    with opened.lock("curate manifest"):
        outcome = stage.finish(opened, chosen, source=source, workers=workers, track=_measuring)
        exported = stage.export(manifest.read(outcome.path), opened.store, export) if export else 0
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


@main.command()
@workers_option
@strict_option
@console.everywhere
@click.pass_context
def run(context: click.Context, project: Path | None, workers: int | None, strict: bool) -> None:
    """Run all stages in the order of imageledger.toml, carrying on where an earlier run stopped.

    Ends with what the files of the chosen pictures give away, family by family; `audit shortcuts` explains it.
    """
    from imageledger.config import open_project

    opened = open_project(project)
    order = opened.declared.order
    for number, name in enumerate(order, 1):
        console.say(f"[{number}/{len(order)}] curate {name}")
        command = main.commands[name]
        accepted = {option.name for option in command.params}
        given = {"project": project, "workers": workers, "strict": strict}
        context.invoke(command, **{key: value for key, value in given.items() if key in accepted})
    if "manifest" in order:
        from curate import evidence

        found = evidence.families_alone(
            opened, opened.manifest("manifest"), lambda rows, total: console.track(rows, total, "measuring")
        )
        if found:
            console.table(evidence.rows(found), title="What the files alone give away (AUC; 0.5 is nothing)")
            console.say("audit shortcuts explains each of them and says what to do.")
        else:
            console.say("Too few pictures of each class to say what their files give away.")
