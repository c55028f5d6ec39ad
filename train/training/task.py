"""One training: list its pictures, name its run, say on what it depends, and fill the folder of a finished run."""

import csv
import io
import logging
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.normalize.size import asked_of
from imageledger import manifest
from imageledger.config import Project
from imageledger.engines.local import cores
from imageledger.errors import ConfigError, RunError
from imageledger.store import write_whole
from imageledger.types import Track, untracked
from train import pictures as listing
from train.config import TrainSettings
from train.evaluation.beside_file import beside_file
from train.evaluation.metrics import score
from train.pictures import Picture, groups_by_key
from train.recipes import Trained, recipe_named
from train.runs import Prediction, Run, write_predictions
from train.table import Rounds

if TYPE_CHECKING:
    from train.network.fit import Tell

logger = logging.getLogger(__name__)

PACKAGES = ("imageledger", "torch", "torchvision", "fastai", "safetensors", "numpy", "pillow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be trained on: the pictures, and the manifest or folder they were listed from.

    `cache` is a folder for what a recipe need not compute again for the same objects.
    """

    pictures: Sequence[Picture]
    manifest: str = ""
    digest: str = ""
    folder: Path | None = None
    folder_name: str = ""
    cache: Path | None = None


def task(project: Project, path: Path | None = None, folder: Path | None = None) -> Task:
    """List the pictures of a manifest (default: the project's final one) or a folder.

    Raises RunError for pictures that cannot be trained on, ConfigError when they are named twice.
    """
    if path and folder:
        raise ConfigError("the pictures are named twice", "give a manifest or a folder, not both")
    labels = project.declared.labels
    if folder is None:
        path = path or project.manifest("manifest")
        pictures = listing.from_manifest(path, project.store, labels)
        if said := asked_of(next((record for record in manifest.read(path) if record.split), None)):
            logger.info(said)
        return Task(pictures=pictures, manifest=_within(project, path), digest=manifest.digest(path),
                    cache=project.root / "data" / "features")  # fmt: skip
    name = _within(project, folder)
    pictures = listing.from_folder(folder, f"folder:{name}", labels)
    return Task(pictures=pictures, digest=listing.folder_digest(pictures), folder=folder, folder_name=name)


def run_name(project: Project, settings: TrainSettings, wanted: str | None, protocol: str = "") -> str:
    """Return the name of a run: the wanted one, or DATASET-ARCH-N (DATASET-ARCH-PROTOCOL-N) with the next free N.

    Raises ConfigError for what cannot name a folder, RunError when a finished run has that name.
    """
    if wanted is None:
        stem = "-".join(filter(None, (project.dataset, settings.arch, protocol))).replace(":", "-").replace("/", "-")
        number = 1
        while (project.runs / f"{stem}-{number}").exists():
            number += 1
        return f"{stem}-{number}"
    if not wanted or wanted.startswith(".") or set(wanted) & set('/\\:*?"<>|'):
        raise ConfigError(f"{wanted!r} cannot name a run", "letters, digits, - and _ make good names")
    if (project.runs / wanted / "run.json").is_file():
        raise RunError(f"there is a finished run {wanted!r} already", "pick another --name, or delete that folder")
    return wanted


def job_of(kind: str, labels: Sequence[str], todo: Task, settings: TrainSettings, **protocol: Any) -> dict[str, Any]:
    """Return all that the result of a training depends on: only the same job carries on what another process began.

    That is a manifest's bytes, settings, versions, threads, device, and the numbers of a protocol. Raises ModelError
    and ConfigError for settings that cannot be met here.
    """
    from train.network import devices

    return {
        "device": str(devices.chosen(settings)),
        "kind": kind,
        "pictures": todo.digest,
        "settings": stated(settings),
        "versions": versions_of(settings),
        "labels": list(labels),
        "threads": cores(),
        **protocol,
    }


def fill(
    folder: Path,
    name: str,
    labels: Sequence[str],
    todo: Task,
    settings: TrainSettings,
    tell: "Tell",
    *,
    figures: bool = True,
) -> Run:
    """Train on a task, write everything but run.json into a folder, and return what run.json shall hold."""
    from train.network import backbones, weights

    backbone = backbones.find(settings.arch)
    made = recipe_named(settings.recipe).train(
        todo.pictures, labels, settings, backbone, weights.of_body(settings.weights, backbone), tell=tell,
        folder=todo.folder, cache=todo.cache, place=folder,
    )  # fmt: skip
    metrics = score(made.predictions, labels, groups_by_key(todo.pictures))
    write_predictions(folder, made.predictions)
    write_whole(folder / "weights.safetensors", weights.packed(made.state))
    _write_history(folder, made)
    if figures:
        made.draw(folder / "figures", metrics["valid"])
    return Run(
        name=name,
        manifest=todo.manifest,
        manifest_digest=todo.digest,
        folder=todo.folder_name,
        labels=(labels[0], labels[1]),
        settings=stated(settings),
        seed=settings.seed,
        workers=settings.workers,
        threads=made.threads,
        device=made.device,
        precision=settings.precision,
        versions=versions_of(settings),
        metrics=metrics,
        early_stopping=made.early_stopping,
    )


def file_alone(
    project: Project, todo: Task, predictions: Sequence[Prediction], rounds: Rounds | None = None, *,
    track: Track = untracked,
) -> dict[str, Any]:  # fmt: skip
    """Probe the manifest for what the files alone give away; a folder has no records to measure.

    "beside" compares the model with the probe, picture by picture (`train.evaluation.beside_file`).
    """
    if not todo.manifest:
        return {}
    from curate.manifest import file_alone as evidence

    found, right = evidence.file_alone(project, project.root / todo.manifest, track)
    positive, groups = project.declared.labels[-1], groups_by_key(todo.pictures)
    beside = beside_file(predictions, positive, groups, right, rounds=rounds, seed=project.declared.seed)
    return {**found, "beside": beside} if beside else found


def _write_history(folder: Path, made: Trained) -> None:
    table = io.StringIO()
    rows = csv.DictWriter(table, [spec.name for spec in fields(made.history[0])], lineterminator="\n")
    rows.writeheader()
    rows.writerows(asdict(row) for row in made.history)
    write_whole(folder / "history.csv", table.getvalue().encode())


def stated(settings: TrainSettings) -> dict[str, Any]:
    """Return settings as run.json holds them, with what they come to: schedule, transforms, digest of the weights."""
    from train.network import weights

    recipe = recipe_named(settings.recipe)
    return {
        **{name: value for name, value in asdict(settings).items() if name not in recipe.unused},
        "weights_digest": weights.digest_of(settings.weights),
        **recipe.stated(settings),
    }


def versions_of(settings: TrainSettings) -> dict[str, str]:
    """Return the versions of Python and of the packages that a training depends on."""
    packages = (*PACKAGES, "timm") if settings.arch.startswith("timm:") else PACKAGES
    return {"python": platform.python_version(), **manifest.versions_of(packages)}


def _within(project: Project, path: Path) -> str:
    """Write a path as seen from the project folder; one that lies elsewhere stays absolute."""
    whole = path.resolve()
    return whole.relative_to(project.root).as_posix() if whole.is_relative_to(project.root) else str(whole)
