"""`train run` without its console: refuse what cannot work, train, and leave a finished run folder or none."""

import csv
import io
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imageledger import manifest
from imageledger.config import Project
from imageledger.engines.local import cores
from imageledger.errors import ConfigError, RunError
from imageledger.store import write_whole
from train import pictures as listing
from train.config import IMAGENET, SCRATCH, UNUSED, TrainSettings
from train.evaluation.metrics import score
from train.pictures import Picture
from train.runs import Run, write_predictions

if TYPE_CHECKING:
    from train.recipes import Trained

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


def task(project: Project, path: Path | None, folder: Path | None) -> Task:
    """List the pictures of a manifest (default: the project's final one) or a folder; RunError refuses them."""
    labels = project.declared.labels
    if folder is None:
        path = path or project.manifest("manifest")
        found = listing.from_manifest(path, project.store, labels)
        return Task(pictures=found, manifest=_within(project, path), digest=manifest.digest(path),
                    cache=project.root / "data" / "features")  # fmt: skip
    name = _within(project, folder)
    found = listing.from_folder(folder, f"folder:{name}", labels)
    return Task(pictures=found, digest=listing.folder_digest(found), folder=folder, folder_name=name)


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

    That is a manifest's bytes, settings, versions, threads, device, and the numbers of a protocol. Raises ModelError,
    ConfigError and MissingExtra for settings that cannot be met here.
    """
    from train.network import devices, logs

    logs.refuse(settings)
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
    tell: Callable[..., None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
    *,
    figures: bool = True,
) -> Run:
    """Train on a task, write everything but run.json into a folder, and return what run.json shall hold."""
    from train.network import backbones, weights
    from train.recipes import recipe_named

    backbone = backbones.find(settings.arch)
    body = weights.of_body(settings.weights, backbone, say)
    made = recipe_named(settings.recipe).train(
        todo.pictures, labels, settings, backbone, body, tell=tell, folder=todo.folder, cache=todo.cache,
        place=folder, say=say,
    )  # fmt: skip
    metrics = score(made.predictions, labels)
    write_predictions(folder, made.predictions)
    _write(folder, made)
    if figures:
        made.draw(folder / "figures", metrics["valid"]["confusion"])
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
        devices=max(settings.gpus, 1),
        precision=settings.precision,
        versions=versions_of(settings),
        metrics=metrics,
        early_stopping=made.early_stopping,
    )


def file_alone(project: Project, todo: Task, say: Callable[[str], None]) -> dict[str, Any]:
    """Probe the manifest for what the files alone give away; a folder has no records to measure."""
    if not todo.manifest:
        return {}
    from curate.evidence import file_alone as evidence

    say("probing what the file alone gives away")
    return evidence.file_alone(project, project.root / todo.manifest)


def _write(folder: Path, made: "Trained") -> None:
    from safetensors.torch import save

    write_whole(folder / "weights.safetensors", save(dict(made.state)))
    table = io.StringIO()
    rows = csv.DictWriter(table, [spec.name for spec in fields(made.history[0])], lineterminator="\n")
    rows.writeheader()
    rows.writerows(asdict(row) for row in made.history)
    write_whole(folder / "history.csv", table.getvalue().encode())


def located(project: Project, settings: TrainSettings) -> TrainSettings:
    """A weights file named in imageledger.toml lies beside it; one named as an option, in the working directory."""
    beside = project.root / settings.weights
    if settings.weights in (IMAGENET, SCRATCH) or Path(settings.weights).is_file() or not beside.is_file():
        return settings
    return replace(settings, weights=str(beside))


def stated(settings: TrainSettings) -> dict[str, Any]:
    """Return settings as run.json holds them, with what they come to: schedule, transforms, digest of the weights."""
    from train.network import weights
    from train.recipes import recipe_named

    return {
        **{name: value for name, value in asdict(settings).items() if name not in UNUSED[settings.recipe]},
        "weights_digest": weights.digest_of(settings.weights),
        **recipe_named(settings.recipe).stated(settings),
    }


def versions_of(settings: TrainSettings) -> dict[str, str]:
    """Return the versions of Python and of the packages that a training depends on."""
    packages = (*PACKAGES, "timm") if settings.arch.startswith("timm:") else PACKAGES
    return {"python": platform.python_version(), **manifest.versions_of(packages)}


def _within(project: Project, path: Path) -> str:
    """Write a path as seen from the project folder; one that lies elsewhere stays absolute."""
    whole = path.resolve()
    return whole.relative_to(project.root).as_posix() if whole.is_relative_to(project.root) else str(whole)
