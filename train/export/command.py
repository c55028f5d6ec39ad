"""The command `train export`: it parses, calls one function and prints."""

from pathlib import Path

import click

from imageledger import console
from imageledger.completion import run_names


@click.command()
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--onnx", is_flag=True, help="Add model.onnx, which runs without torch.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.zip|DIR",
    help="Where to write it.  [default: RUN.zip]",
)
@console.everywhere
def export(project: Path | None, run: str | None, onnx: bool, output: Path | None) -> None:
    """Write a model as one zip or folder.

    RUN is the name of a run (default: the last one). What is written needs nothing else. It holds
    weights.safetensors, model.json (backbone, labels, steps, views, calibration, what the training pictures are like,
    digests) and model-card.md. It contains no pickle, and no path of this machine. --onnx adds model.onnx,
    which is first compared with torch on pictures of the run and refused if the two differ by more than 0.0001. The
    cut-out model of whiten is named by its sha256, and not included.

    \b
    Examples:
      train export
      train export portraits-resnet18-1 --onnx -o ai-or-real.zip
      train export portraits-resnet18-1 -o models/ai-or-real

    model.onnx takes "pixels" (n x 3 x side x side, float32, RGB in 0..1, after the steps and views of model.json)
    and gives "probabilities" (n x 2, in the order of the labels), not yet calibrated.
    """
    from imageledger.config import open_project
    from train.export import work

    written = work.export(open_project(project), run, output=output, onnx=onnx, track=console.track)
    for line in written.lines:
        console.say(line)
    console.result(written.path)
