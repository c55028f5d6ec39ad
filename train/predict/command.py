"""The command `train predict`: it parses, calls one function and prints."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from imageledger import console
from imageledger.completion import run_names


@click.command()
@click.argument("model", shell_complete=run_names)
@click.argument("paths", nargs=-1, required=True, metavar="PATH|DIR|-...")
@click.option(
    "--matte-model",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Your own cut-out model, if the training pictures went through one; its sha256 must match.",
)
@click.option("--no-stability", is_flag=True, help="Skip the five re-encodings: six times as fast.")
@click.option("--workers", type=click.IntRange(1), help="Processes that prepare pictures.  [default: all cores]")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON per picture.")
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
    """Ask a model about new pictures, and how far to trust it.

    MODEL is the name of a run, its folder, or what train export wrote (a folder or a zip; if it holds model.onnx,
    torch is not needed). Each picture goes through exactly the normalize and whiten steps of the training pictures,
    then through the network. The probability is calibrated if audit calibration has been run. A DIR stands for all
    pictures below it; with -, paths are read from standard input, one per line.

    \b
    Examples:
      train predict portraits-resnet18-1 new/*.jpg
      train predict ai-or-real.zip downloads/ --json > answers.jsonl
      find . -name '*.webp' | train predict ai-or-real.zip - --json

    A picture that cannot be read, or that a step rejects (too small, no sound matte), gets a row with the reason and
    no verdict. The verdict is "unsure" within the band of the calibration. Stability counts how many of five
    re-encodings of the picture (JPEG 95, 85, 75, WebP, 0.9 of its size) change sides. A verdict about one picture
    is no proof: the model card says what the model was trained on and how often it errs.
    """
    from imageledger.errors import GateFailed, RunError
    from train.models import open_model
    from train.predict import report, work

    files = work.pictures_in(_named(paths))
    opened = open_model.opened(model, project, matte_model, console.track)
    for line in report.about(opened):
        console.say(line)
    rows, seen = [], Counter[str]()
    answers = work.predict(opened, files, stability=not no_stability, workers=workers)
    for row in console.track(answers, len(files), "predict", refused=lambda row: row["status"] != "ok"):
        seen[row["verdict"] or row["status"]] += 1
        if as_json:
            console.result(json.dumps(row))
        else:
            rows.append(report.in_words(row))
    if not as_json:
        console.table(rows)
    noun = "picture" if len(files) == 1 else "pictures"
    console.say(f"{len(files)} {noun}: {', '.join(f'{count} {what}' for what, count in seen.most_common())}")
    if seen["unreadable"] == len(files):
        raise RunError("no picture could be read", "the reasons stand above; JPEG, PNG, WebP, TIFF and more are read")
    if seen["unreadable"] + seen["rejected"] == len(files):
        raise GateFailed(
            "no picture got an answer: each is unreadable, or was rejected by a step of the training pictures",
            "the reasons stand above; for small pictures, curate normalize with a smaller --size, and train again",
        )


def _named(paths: Iterable[str]) -> list[str]:
    """Return the paths that were given, those on standard input in the place of "-"."""
    named: list[str] = []
    for path in paths:
        if path == "-":
            lines = [os.fsdecode(line) for line in sys.stdin.buffer.read().split(b"\n") if line.strip()]
            named += [line if Path(line).exists() else line.removesuffix("\r") for line in lines]
        else:
            named.append(path)
    return named
