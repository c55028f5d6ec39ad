"""Write a run's model as files that stand by themselves; model.onnx only if it says what torch says."""

import io
import os
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from curate.pictures.pixels import CannotDecode
from imageledger.config import Project
from imageledger.errors import ConfigError, ModelError, RunError
from imageledger.extras import need
from imageledger.store import write_whole
from train import views
from train.models import card as model_card
from train.models import onnx_file
from train.models import open_model as opening
from train.models import package as packages
from train.models import steps as applying
from train.models.package import CARD, JSON, ONNX, WEIGHTS, Package
from train.runs import Run, read_predictions

if TYPE_CHECKING:
    from train.models.predicting import Model

Track = Callable[[Iterable[Any], int], Iterable[Any]]

COMPARED = 16
"""Pictures of the run on which model.onnx is compared with torch, as many of each class as there are."""

LARGEST_DIFFERENCE = 1e-4
DATED = (1980, 1, 1, 0, 0, 0)
"""A zip holds a time for each file; with this one, equal models give equal zips."""


EXAMPLE = 320
"""Side of the picture that a network of views of any size is shown when it is turned into ONNX."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where an exported model lies, and what a person should know about it."""

    path: Path
    lines: Sequence[str]


def export(
    project: Project, folder: Path, target: Path, *, onnx: bool = False, track: Track = lambda rows, _: rows
) -> Written:
    """Export the model of a run's folder to a zip (`target` ends in .zip) or a folder that does not exist yet.

    Raises RunError for a run without a model or whose pictures are gone, ModelError for an ONNX model that differs
    from torch, ConfigError for a target that is taken.
    """
    zipped = target.suffix.lower() == ".zip"
    if target.exists() and not (zipped and target.is_file()):
        raise ConfigError(f"{target} exists already", "name a new folder, or a .zip file, which is replaced")
    from train.models import predicting

    run = Run.load(folder)
    package = opening.described(project, folder, track)
    weights = (folder / WEIGHTS).read_bytes()
    model = predicting.built(run, weights, str(folder / WEIGHTS))
    package = replace(package, views={**package.views, "mean": list(model.mean), "std": list(model.std)})
    files, lines = {WEIGHTS: weights}, []
    if onnx:
        files[ONNX] = _onnx(model)
        package = replace(package, checked=_compared(project, folder, run, package, model, files[ONNX]))
        lines.append(
            f"model.onnx says what torch says on {package.checked['pictures']} pictures of the run, to within "
            f"{package.checked['largest_difference']:.1g}"
        )
    files[CARD] = model_card.text(run, model_card.about(project, run, folder)).encode()
    package = replace(package, files={name: packages.facts(content) for name, content in files.items()})
    (_zip if zipped else _folder)(target, {JSON: package.to_json().encode(), **files})
    if package.calibration is None:
        lines.append("It is not calibrated: audit calibration, then export again, adds temperature and unsure band.")
    if (matte := package.steps.matte_model) is not None:
        lines.append(f"Who uses it needs the cut-out model {matte[0]} (sha256 {matte[1]}), which is not included.")
    return Written(target, lines)


def _onnx(model: "Model") -> bytes:
    """Turn a network into ONNX: pixels in 0..1, normalised within, to probabilities; no path of this machine."""
    from train.network.fastai_seam import torch

    need("onnxscript", "train")
    proto = need("onnx", "train")

    class Whole(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.network = model.network.to("cpu")
            self.mean = torch.nn.Buffer(torch.tensor(model.mean).view(1, -1, 1, 1))
            self.std = torch.nn.Buffer(torch.tensor(model.std).view(1, -1, 1, 1))

        def forward(self, pixels: Any) -> Any:
            return self.network((pixels - self.mean) / self.std).softmax(dim=1)

    target, said = io.BytesIO(), io.StringIO()
    side = views.side(model.views)
    shown = torch.rand(2, 3, *(2 * (side or EXAMPLE,)), generator=torch.Generator().manual_seed(0))
    edges = {} if side else {axis: torch.export.Dim(name, min=32, max=2048) for axis, name in ((2, "h"), (3, "w"))}
    try:
        with redirect_stdout(said), warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of the exporter about itself
            torch.onnx.export(
                Whole().eval(), (shown,), target, dynamo=True, verbose=False, external_data=False,
                input_names=[onnx_file.PIXELS], output_names=[onnx_file.PROBABILITIES],
                dynamic_shapes={"pixels": {0: torch.export.Dim("n", min=1, max=4096), **edges}},
            )  # fmt: skip
    except Exception as error:  # every trouble of the exporter has a class of its own
        raise ModelError(
            f"this network cannot be turned into ONNX: {str(error).splitlines()[0][:200]}", "export without --onnx"
        ) from error
    whole = proto.load_from_string(target.getvalue())
    _forget_origins(whole)
    content: bytes = whole.SerializeToString(deterministic=True)
    return content


def _forget_origins(whole: Any) -> None:
    """Take out where in which source file each operator came from."""
    whole.ClearField("doc_string")
    whole.ClearField("metadata_props")
    whole.graph.ClearField("metadata_props")
    for kind in (
        whole.graph.node,
        whole.graph.value_info,
        whole.graph.initializer,
        whole.graph.input,
        whole.graph.output,
    ):
        for one in kind:
            one.ClearField("doc_string")
            one.ClearField("metadata_props")


def _compared(
    project: Project, folder: Path, run: Run, package: Package, model: "Model", content: bytes
) -> dict[str, Any]:
    """Ask both networks about pictures of the run; raise ModelError when they differ by more than allowed."""
    from train.models import predicting

    images = _pictures(project, folder, run)
    ask = onnx_file.ready(content, views.side(model.views), ONNX)
    torch_says = np.array(list(predicting.predict(model, images)))
    onnx_says = np.array([ask(views.of(image, package.views))[:, -1].mean() for image in images])
    difference = float(np.abs(torch_says - onnx_says).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise ModelError(
            f"model.onnx differs from torch by {difference:.2g} on pictures of the run, where {LARGEST_DIFFERENCE:g} "
            "is allowed", "nothing was written; export without --onnx",
        )  # fmt: skip
    return {"pictures": len(images), "largest_difference": float(f"{difference:.1e}")}


def _pictures(project: Project, folder: Path, run: Run) -> list[Image.Image]:
    """Open COMPARED pictures of a run, evenly spread over its rows, as training did."""
    rows = list(read_predictions(folder))
    places = sorted({round(place) for place in np.linspace(0, len(rows) - 1, min(COMPARED, len(rows)))})
    found = []
    for row in (rows[place] for place in places):
        path = project.store.path(row.file) if row.file else project.root / run.folder / row.member
        try:
            found.append(applying.opened(path.read_bytes()))
        except (OSError, CannotDecode) as error:
            raise RunError(f"{path}, on which model.onnx would be checked, cannot be read: {error}",
                           "curate run makes missing objects again; or export without --onnx") from error  # fmt: skip
    return found


def _folder(target: Path, files: dict[str, bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
    try:
        for name, content in files.items():
            (draft / name).write_bytes(content)
        draft.chmod(0o755)
        os.replace(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _zip(target: Path, files: dict[str, bytes]) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, DATED)
            member.compress_type = zipfile.ZIP_STORED if name in (WEIGHTS, ONNX) else zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    write_whole(target, whole.getvalue())
