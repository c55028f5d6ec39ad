"""One trained run on normalised drawn portraits, made once for all tests of predict and export; it must not change."""

import io
import json
import shutil
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from drawn import encoded, fetched, portrait
from PIL import ImageOps

from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize
from imageledger import manifest, seal
from imageledger.config import Project, open_project

SIDE, SIZE = 160, 64
EACH = 34
TOML = 'dataset = "faces"\nlabels = ["camera", "machine"]\n'


def original(label: str, number: int):
    """Draw a portrait; those of machines are a little darker."""
    image = portrait(number, SIDE)[0]
    return image if label == "camera" else ImageOps.autocontrast(image).point(lambda value: value * 0.8)


def trained(factory) -> tuple[Project, Path]:
    """Return a project whose manifest went through normalize, and the folder of a run on it."""
    return _trained(factory.getbasetemp() / "trained-model")


def exported(factory) -> Path:
    """Return the run exported with ONNX, as a zip."""
    return _exported(factory.getbasetemp() / "trained-model")


@cache
def _trained(root: Path) -> tuple[Project, Path]:
    from train.config import TrainSettings
    from train.models import card as model_card
    from train.training import task as training

    root.mkdir()
    (root / "imageledger.toml").write_text(TOML, encoding="utf-8")
    project = open_project(root)
    fetched(project, {f"{label}/{n}": encoded(original(label, n), "PNG") for label in ("camera", "machine")
                      for n in range(EACH)})  # fmt: skip
    normalize(project, NormalizeSettings(detector="cascade", size=SIZE), workers=1)
    rows = list(manifest.read(project.manifest("normalize")))
    rows = [replace(row, split="valid" if int(row.member.rpartition("/")[2]) % 6 == 0 else "train") for row in rows]
    manifest.write(project.manifest("manifest"), rows)
    settings = TrainSettings(arch="squeezenet1_1", weights="none", epochs=3, size=48, batch_size=8)
    folder = project.runs / "first"
    folder.mkdir(parents=True)
    todo = training.task(project, None, None)
    run = training.fill(folder, "first", project.declared.labels, todo, settings, lambda *_: None, figures=False)
    run.save(folder)
    model_card.write(project, run, folder)
    seal.write(folder)
    return project, folder


@cache
def _exported(root: Path) -> Path:
    from train.export import work as exporting

    project, folder = _trained(root)
    return exporting.export(project, folder, output=project.root / "model.zip", onnx=True).path


def unpacked(path: Path, target: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target)
    return target


def copied(path: Path, target: Path) -> Path:
    return Path(shutil.copytree(path, target))


def pictures(folder: Path, count: int = 3) -> list[Path]:
    """Write portraits that no manifest holds."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        paths.append(folder / f"new{number}.png")
        original(("camera", "machine")[number % 2], 100 + number).save(paths[-1])
    return paths


def originals(project: Project, folder: Path) -> dict[str, float]:
    """Return, for every picture of a run, where its original lies and what the run said of it."""
    from train.runs import read_predictions

    known = {row.key: row for row in manifest.read(project.manifest("manifest"))}
    return {str(project.store.path(known[row.key].origin)): row.probability for row in read_predictions(folder)}


def edited(path: Path, target: Path, **changes) -> Path:
    """Copy an exported zip with other values in its model.json; None takes a field away."""
    with zipfile.ZipFile(path) as archive:
        files = {one.filename: archive.read(one) for one in archive.infolist()}
    values = json.loads(files["model.json"])
    del values["seal"]
    for name, value in changes.items():
        if value is None:
            del values[name]
        else:
            values[name] = value
    return zipped(target, {**files, "model.json": json.dumps(values).encode()})


def zipped(target: Path, files: dict[str, bytes]) -> Path:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    target.write_bytes(whole.getvalue())
    return target
