"""The command `train export`: it parses, calls one function and prints."""

from pathlib import Path

import click

from imageledger import console


@click.command()
@click.argument("run", required=False)
@click.option("--onnx", is_flag=True, help="Also write model.onnx, which runs without torch.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE.zip|DIR", help="Where to  [default: RUN.zip here]."
)
@console.everywhere
def export(project: Path | None, run: str | None, onnx: bool, output: Path | None) -> None:
    """Write a run's model (default: that of the last run) as one zip or folder that stands by itself.

    It holds weights.safetensors, model.json (backbone, labels, steps, views, calibration, what the training pictures
    are like, digests) and model-card.md; no pickle, and no path of this machine. With --onnx also model.onnx, which
    is compared with torch on pictures of the run and not written if it differs by more than 0.0001. The cut-out
    model of whiten is named by its sha256 and not included.

    \b
    train export
    train export portraits-resnet18-1 --onnx -o ai-or-real.zip
    train export portraits-resnet18-1 -o models/ai-or-real

    model.onnx takes "pixels" (n x 3 x side x side, float32, RGB in 0..1, after the steps and views of model.json)
    and gives "probabilities" (n x 2, in the order of the labels), not yet calibrated.
    """
    from imageledger.config import open_project
    from train.export import work as exporting
    from train.runs import find_run

    opened = open_project(project)
    folder = find_run(opened, run)
    target = output if output is not None else Path(f"{folder.name}.zip")
    written = exporting.export(
        opened, folder, target, onnx=onnx, track=lambda rows, n: console.track(rows, n, "training pictures")
    )
    for line in written.lines:
        console.say(line)
    console.result(written.path)
