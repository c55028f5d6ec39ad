"""The train commands that bring a model out into the world: predict and export."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imageledger import console

if TYPE_CHECKING:
    from train.models.open_model import Opened


@click.command()
@click.argument("model")
@click.argument("paths", nargs=-1, required=True, metavar="PATH|DIR|-...")
@click.option(
    "--matte-model",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The cut-out model of your own that the training pictures went through; it is known by its sha256.",
)
@click.option("--no-stability", is_flag=True, help="Leave out the five re-encodings: six times as fast.")
@click.option("--workers", type=click.IntRange(1), help="Processes that prepare pictures  [default: all cores].")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a picture.")
@console.everywhere
def predict(
    project: Path | None,
    model: str,
    paths: tuple[str, ...],
    matte_model: Path | None,
    no_stability: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Say of new pictures what a model makes of them, and how far to trust it.

    MODEL is the name of a run, its folder, or what train export made (a folder or a zip; with model.onnx in it,
    torch is not needed). Each picture goes through exactly the normalize and whiten steps of the pictures that the
    model was trained on, then through the network, whose answer is calibrated if audit calibration has been run.
    A DIR stands for all pictures below it, and - for paths on standard input, one a line.

    \b
    train predict portraits-resnet18-1 new/*.jpg
    train predict ai-or-real.zip downloads/ --json > said.jsonl
    find . -name '*.webp' | train predict ai-or-real.zip - --json

    A picture that cannot be read, or that the steps refuse (too small, no sound matte), is a row with the reason and
    gets no verdict. The verdict is "unsure" within the band of the calibration. Stability tells how many of five
    re-encodings of the picture (JPEG 95, 85, 75, WebP, 0.9 of its size) change sides. A verdict about one picture
    is no proof: the model card says on what the model was trained and how often it errs.
    """
    from imageledger.errors import RunError
    from train.models import open_model as opening
    from train.predict import work as judging

    files = judging.pictures_in(_named(paths))
    if not files:
        raise RunError("there is no picture to look at", "name pictures, folders that hold some, or - for a list")
    opened = opening.opened(model, project, matte_model, lambda rows, n: console.track(rows, n, "training pictures"))
    for line in _about(opened):
        console.say(line)
    rows, seen = [], Counter[str]()
    found = judging.judge(opened, files, stability=not no_stability, workers=workers)
    for row in console.track(found, len(files), "predict", refused=lambda row: row["status"] != "ok"):
        seen[row["verdict"] or row["status"]] += 1
        if as_json:
            console.result(json.dumps(row))
        else:
            rows.append(_in_words(row))
    if not as_json:
        console.table(rows)
    noun = "picture" if len(files) == 1 else "pictures"
    console.say(f"{len(files)} {noun}: {', '.join(f'{count} {what}' for what, count in seen.most_common())}")
    if seen["unreadable"] == len(files):
        raise RunError(
            "none of these could be read", "the reasons stand above; JPEG, PNG, WebP, TIFF and more are read"
        )


def _named(paths: Iterable[str]) -> list[str]:
    """Return the paths that were given, those on standard input in the place of "-"."""
    named: list[str] = []
    for path in paths:
        if path == "-":
            lines = sys.stdin.buffer.read().splitlines()
            named += [os.fsdecode(line) for line in lines if line.strip()]
        else:
            named.append(path)
    return named


def _about(opened: "Opened") -> Iterable[str]:
    from imageledger import manifest
    from train import views
    from train.models.open_model import RESIZED_ONLY

    package = opened.package
    done = [f"{step['did'].partition('@')[0]} ({_settings(step['settings'])})" for step in package.steps.plain()]
    side = views.side(package.views)
    sees = f"at {side} px" if side else f"on {views.count(package.views)} squares of each picture"
    yield f"{package.name}: {', '.join([*done, f'{package.backbone} {sees}'])}"
    if not done:
        yield RESIZED_ONLY
    if package.calibration is None:
        yield (
            "Not calibrated: probabilities are what the network says, which is often too sure of itself. "
            "audit calibration RUN fits a temperature and the band in which to say nothing."
        )
    elif package.calibration.rough:
        yield f"The calibration rests on {package.calibration.n} pictures only: it is rough."
    here = manifest.versions_of(package.made_with)
    if other := [name for name, version in package.made_with.items() if here.get(name, version) != version]:
        told = ", ".join(f"{name} {package.made_with[name]} (here {here[name]})" for name in other)
        yield f"The training pictures were made with {told}: the same steps may give slightly other pixels."


def _settings(settings: Any) -> str:
    known = ("recipe", "size", "region", "face_size", "matting", "model")
    return ", ".join(f"{name} {settings[name]}" for name in known if name in settings)


def _in_words(row: dict[str, Any]) -> dict[str, str]:
    from rich.markup import escape  # a stranger's model names the label in the head of the table

    stability = row["stability"]
    steady = (
        f"{stability['of'] - stability['flips']} of {stability['of']}, ±{stability['spread'] / 2:.2f}"
        if stability
        else ""
    )
    return {
        "picture": row["picture"],
        escape(f"P({row['positive']})"): "" if row["probability"] is None else f"{row['probability']:.3f}",
        "verdict": row["verdict"] or row["status"],
        "holds": steady,
        "beware": "; ".join(row["warnings"]) or row["reason"],
    }
