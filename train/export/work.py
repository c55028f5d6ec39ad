"""Write a run's model as files that stand by themselves; model.onnx only if it agrees with torch."""

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from curate.pictures import pixels
from curate.pictures.pixels import CannotDecode
from imageledger.config import Project
from imageledger.errors import ConfigError, ModelError, RunError
from imageledger.store import sound, write_whole
from imageledger.types import Track, untracked
from train import views
from train.models import card, onnx_file, open_model
from train.models import package as packages
from train.models.package import CARD, JSON, ONNX, WEIGHTS, Package
from train.runs import Run, content_of, find_run, read_predictions

if TYPE_CHECKING:
    from train.network.predicting import Model

COMPARED = 16
"""Pictures of the run on which model.onnx is compared with torch, as many of each class as there are."""

LARGEST_DIFFERENCE = 1e-4
DATED = (1980, 1, 1, 0, 0, 0)
"""A zip holds a time for each file; with this one, equal models give equal zips."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where an exported model lies, and what a person should know about it."""

    path: Path
    lines: Sequence[str]


def export(
    project: Project,
    run: str | Path | None = None,
    *,
    output: Path | None = None,
    onnx: bool = False,
    track: Track = untracked,
) -> Written:
    """Export the model of a run (the last one by default) to a zip (`output` ends in .zip) or a new folder.

    The default is RUN.zip in the working directory. Raises RunError for a run without a model or whose pictures are
    gone, ModelError for an ONNX model that differs from torch, ConfigError for an output that is taken.
    """
    folder = run if isinstance(run, Path) else find_run(project, run)
    target = output if output is not None else Path(f"{folder.name}.zip")
    zipped = target.suffix.lower() == ".zip"
    if target.exists() and not (zipped and target.is_file()):
        raise ConfigError(f"{target} exists already", "name a new folder, or a .zip file, which is replaced")
    package, files = _files(project, folder, onnx, track)
    (_zip if zipped else _folder)(target, {JSON: package.to_json().encode(), **files})
    return Written(target, list(_remarks(package)))


def _files(project: Project, folder: Path, onnx: bool, track: Track) -> tuple[Package, dict[str, bytes]]:
    """Return what model.json says, and the other files by name."""
    from train.network import predicting

    made = Run.load(folder)
    package = open_model.described(project, folder, track)
    weights = content_of(folder, WEIGHTS)
    model = predicting.built(made, weights, str(folder / WEIGHTS))
    package = replace(package, views={**package.views, "mean": list(model.mean), "std": list(model.std)})
    files = {WEIGHTS: weights}
    if onnx:
        from train.network import to_onnx

        files[ONNX] = to_onnx.to_onnx(model)
        package = replace(package, checked=_compared(project, folder, made, package, model, files[ONNX]))
    files[CARD] = card.text(made, card.about(project, made, folder)).encode()
    return replace(package, files={name: packages.facts(content) for name, content in files.items()}), files


def _remarks(package: Package) -> Iterator[str]:
    if package.checked:
        yield (
            f"model.onnx agrees with torch on {package.checked['pictures']} pictures of the run, to within "
            f"{package.checked['largest_difference']:.1g}"
        )
    if package.calibration is None:
        yield "The model is not calibrated: audit calibration, then train export, adds a temperature and a band."
    if (matte := package.steps.matte_model) is not None:
        yield f"Whoever uses it needs the cut-out model {matte[0]} (sha256 {matte[1]}), which is not included."


def _compared(
    project: Project, folder: Path, run: Run, package: Package, model: "Model", content: bytes
) -> dict[str, Any]:
    """Ask both networks about pictures of the run; raise ModelError when they differ by more than allowed."""
    from train.network import predicting

    images = _pictures(project, folder, run)
    ask = onnx_file.ready(content, views.side(model.views), ONNX)
    by_torch = np.array(list(predicting.predict(model, images)))
    by_onnx = np.array([ask(views.of(image, package.views))[:, -1].mean() for image in images])
    difference = float(np.abs(by_torch - by_onnx).max())
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
    pictures = []
    for row in (rows[place] for place in places):
        path = project.store.path(row.file) if row.file else project.root / run.folder / row.member
        try:
            pictures.append(pixels.decode(sound(path)).image)
        except (OSError, CannotDecode) as error:
            raise RunError(f"{path}, on which model.onnx would be checked, cannot be read: {error}",
                           "curate run makes missing objects again; or export without --onnx") from error  # fmt: skip
    return pictures


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
