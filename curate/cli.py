"""The curate commands: each parses, calls one function and prints."""

from pathlib import Path
from typing import Any

import click

from imageledger import console

from_option = click.option(
    "--from", "source", type=click.Path(path_type=Path, dir_okay=False), help="Read this manifest instead."
)
workers_option = click.option("--workers", type=click.IntRange(1), help="Processes to use (default: all cores).")
strict_option = click.option("--strict", is_flag=True, help="Exit 3 when a picture could not be read.")


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


@main.command()
@click.option("--size", type=int, help="Side of the square pictures, in pixels [default: 512].")
@click.option("--format", "format_", type=click.Choice(["jpeg", "png"]), help="Format of all pictures [default: jpeg].")
@click.option("--quality", type=int, help="Quality of the one JPEG encoding [default: 90].")
@click.option("--require-face", is_flag=True, default=None, help="Reject pictures in which no face was found.")
@from_option
@workers_option
@strict_option
@console.json_option
@console.everywhere
def normalize(
    project: Path | None, source: Path | None, workers: int | None, strict: bool, as_json: bool, **options: Any
) -> None:
    """Bring every picture to one format and one size.

    The true format is found from the bytes; the picture is decoded whole, turned upright, brought to sRGB,
    cut to a square around the face (the middle where no face is found), shrunk and encoded once. Nothing is
    ever enlarged: pictures that are too small are rejected, and the size that would keep them is printed.

    \b
    curate normalize                     512 px JPEG at quality 90
    curate normalize --size 256          for small originals
    """
    from curate import normalize as stage
    from imageledger.config import open_project, settings

    opened = open_project(project)
    options["format"] = options.pop("format_")
    chosen = settings(stage.NormalizeSettings, opened.tables.get("normalize", {}), options)
    with opened.lock("curate normalize"):
        outcome = stage.normalize(
            opened, chosen, source=source, workers=workers, track=console.progress_of("normalize")
        )
    if hint := stage.advice(outcome, chosen.size):
        console.say(hint)
    console.report(outcome, as_json=as_json, strict=strict)


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


@main.command()
@click.option("--matting", type=click.Choice(["rembg", "grabcut"]), help="What cuts out [default: rembg].")
@click.option("--model", help="One of rembg's models [default: u2net_human_seg].")
@click.option("--model-path", type=click.Path(), help="A model file of your own (U2-Net's interface).")
@from_option
@workers_option
@strict_option
@console.json_option
@console.everywhere
def whiten(
    project: Path | None, source: Path | None, workers: int | None, strict: bool, as_json: bool, **options: Any
) -> None:
    """Cut every person out and put them on pure white.

    The matte is judged before it is believed; pictures with a flat, empty or torn matte are rejected with the
    reason. White pictures are PNG, so that white is exactly 255; the matte is kept as an object of its own.

    \b
    curate whiten                        rembg with u2net_human_seg (176 MB, downloaded once)
    curate whiten --model-path FILE      a model file of your own
    curate whiten --matting grabcut      no model and no download; rougher edges
    """
    from curate import whiten as stage
    from imageledger.config import open_project, settings

    opened = open_project(project)
    if options["model_path"]:
        options["model_path"] = str(Path(options["model_path"]).resolve())
    chosen = settings(stage.WhitenSettings, opened.tables.get("whiten", {}), options)
    with opened.lock("curate whiten"):
        outcome = stage.whiten(opened, chosen, source=source, workers=workers, track=console.progress_of("whiten"))
    console.report(outcome, as_json=as_json, strict=strict)


@main.command("manifest")
@click.option("--per-class", type=int, help="Pictures of each label [default: 100].")
@click.option("--valid-fraction", type=float, help="Share of each label for validation [default: 0.2].")
@click.option("--seed", type=int, help="Seed of all chance [default: 42].")
@click.option(
    "--export", type=click.Path(path_type=Path), metavar="DIR", help="Also write {train,valid}/{label}/ here."
)
@from_option
@console.json_option
@console.everywhere
def manifest_(project: Path | None, source: Path | None, export: Path | None, as_json: bool, **options: Any) -> None:
    """Choose the final dataset: equally many pictures of each label, split into train and valid.

    Pictures are chosen by a hash of their content and the seed, evenly over the sources of a label, and no
    cluster or group stands on both sides; new pictures move few others. The rest become unused. Where there
    are too few, the command says how many are missing and why, and writes nothing. Beside final.jsonl it
    writes final.csv, for spreadsheets and pandas.

    \b
    curate manifest                      100 of each label, 80 to train on and 20 to validate with
    curate manifest --export faces       also a folder tree of hard links, for fastai's
                                         ImageDataLoaders.from_folder(DIR)
    """
    from curate import final as stage
    from imageledger import manifest
    from imageledger.config import open_project, settings

    opened = open_project(project)
    declared = {name: getattr(opened.declared, name) for name in options}
    chosen = settings(stage.FinalSettings, {**declared, **opened.tables.get("manifest", {})}, options)
    with opened.lock("curate manifest"):
        outcome = stage.finish(opened, chosen, source=source)
        exported = stage.export(manifest.read(outcome.path), opened.store, export) if export else 0
    console.report(outcome, as_json=as_json)
    console.say(stage.summary(manifest.read(outcome.path)))
    if export:
        console.say(f"{exported} pictures exported to {export}")


@main.command()
@workers_option
@strict_option
@console.everywhere
@click.pass_context
def run(context: click.Context, project: Path | None, workers: int | None, strict: bool) -> None:
    """Run all stages in the order of imageledger.toml, carrying on where an earlier run stopped."""
    from imageledger.config import open_project

    order = open_project(project).declared.order
    for number, name in enumerate(order, 1):
        console.say(f"[{number}/{len(order)}] curate {name}")
        command = main.commands[name]
        accepted = {option.name for option in command.params}
        given = {"project": project, "workers": workers, "strict": strict}
        context.invoke(command, **{key: value for key, value in given.items() if key in accepted})
