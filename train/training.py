"""`train run` without its console: refuse what cannot work, train, and leave a finished run folder or none."""

import csv
import io
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imageledger import manifest
from imageledger.config import Project
from imageledger.errors import BusyError, ConfigError, RunError
from imageledger.store import write_whole
from train import pictures as listing
from train.config import IMAGENET, SCRATCH, TrainSettings
from train.metrics import score
from train.pictures import Picture
from train.run import Run, write_predictions

if TYPE_CHECKING:
    from train.recipes import Trained

PACKAGES = ("imageledger", "torch", "torchvision", "fastai", "safetensors", "numpy", "pillow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be trained on: the pictures, and the manifest or folder they were listed from."""

    pictures: Sequence[Picture]
    manifest: str = ""
    digest: str = ""
    folder: Path | None = None
    folder_name: str = ""


def task(project: Project, path: Path | None, folder: Path | None) -> Task:
    """List the pictures of a manifest (default: the project's final one) or a folder; RunError refuses them."""
    labels = project.declared.labels
    if folder is None:
        path = path or project.manifest("manifest")
        found = listing.from_manifest(path, project.store, labels)
        return Task(pictures=found, manifest=_within(project, path), digest=manifest.digest(path))
    name = _within(project, folder)
    found = listing.from_folder(folder, f"folder:{name}", labels)
    return Task(pictures=found, digest=listing.folder_digest(found), folder=folder, folder_name=name)


def run_name(project: Project, settings: TrainSettings, wanted: str | None) -> str:
    """Return the name of a run: the wanted one, or DATASET-ARCH-N with the next free N.

    Raises ConfigError for what cannot name a folder, RunError when a finished run has that name.
    """
    if wanted is None:
        stem = f"{project.dataset}-{settings.arch}".replace(":", "-").replace("/", "-")
        number = 1
        while (project.runs / f"{stem}-{number}").exists():
            number += 1
        return f"{stem}-{number}"
    if not wanted or wanted.startswith(".") or set(wanted) & set('/\\:*?"<>|'):
        raise ConfigError(f"{wanted!r} cannot name a run", "letters, digits, - and _ make good names")
    if (project.runs / wanted / "run.json").is_file():
        raise RunError(f"there is a finished run {wanted!r} already", "pick another --name, or delete that folder")
    return wanted


def train(
    project: Project,
    todo: Task,
    settings: TrainSettings,
    name: str,
    tell: Callable[..., None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Path, Run]:
    """Train on a task, write the run's folder, and return it with the contents of run.json.

    The folder has its name only when it is whole. `tell` is called as fit.Tell describes, `say` with a sentence now
    and then. Raises ModelError for a backbone or weights that cannot be used, RunError when training fails.
    """
    settings = _located(project, settings)
    with _draft(project.runs, name) as draft:
        run = replace(fill(draft, name, project.declared.labels, todo, settings, tell, say),
                      file_alone=_file_alone(project, todo, say))  # fmt: skip
        run.save(draft)
    return project.runs / name, run


def fill(
    folder: Path,
    name: str,
    labels: Sequence[str],
    todo: Task,
    settings: TrainSettings,
    tell: Callable[..., None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> Run:
    """Train on a task, write everything but run.json into a folder, and return what run.json shall hold."""
    from train import backbones, weights
    from train.recipes import recipe

    backbone = backbones.find(settings.arch)
    body = weights.of_body(settings.weights, backbone, say)
    made = recipe(settings.recipe)(todo.pictures, labels, settings, backbone, body, tell=tell, folder=todo.folder)
    metrics = score(made.predictions, labels)
    write_predictions(folder, made.predictions)
    _write(folder, made, metrics["valid"]["confusion"])
    return Run(
        name=name,
        manifest=todo.manifest,
        manifest_digest=todo.digest,
        folder=todo.folder_name,
        labels=(labels[0], labels[1]),
        settings=_stated(settings),
        seed=settings.seed,
        workers=settings.workers,
        threads=made.threads,
        device=made.device,
        versions=_versions(settings),
        metrics=metrics,
    )


def _file_alone(project: Project, todo: Task, say: Callable[[str], None]) -> dict[str, Any]:
    """Probe the manifest for what the files alone give away; a folder has no records to measure."""
    if not todo.manifest:
        return {}
    from curate.evidence import file_alone

    say("probing what the file alone gives away")
    return file_alone(project, project.root / todo.manifest)


def _write(folder: Path, made: "Trained", confusion: Any) -> None:
    from safetensors.torch import save

    write_whole(folder / "weights.safetensors", save(dict(made.state)))
    table = io.StringIO()
    rows = csv.DictWriter(table, [spec.name for spec in fields(made.history[0])], lineterminator="\n")
    rows.writeheader()
    rows.writerows(asdict(row) for row in made.history)
    write_whole(folder / "history.csv", table.getvalue().encode())
    made.draw(folder / "figures", confusion)


@contextmanager
def _draft(runs: Path, name: str) -> Iterator[Path]:
    """Hand out a folder to write to, and give it its real name at the end; nothing is kept of a failure."""
    from filelock import FileLock, Timeout

    runs.mkdir(parents=True, exist_ok=True)
    draft = runs / f".{name}.part"
    try:
        with FileLock(runs / f".{name}.lock", timeout=0):
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            try:
                yield draft
                shutil.rmtree(runs / name, ignore_errors=True)
                os.replace(draft, runs / name)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    except Timeout as error:
        raise BusyError(f"another process is training run {name!r}", "pick another --name") from error


def _located(project: Project, settings: TrainSettings) -> TrainSettings:
    """A weights file named in imageledger.toml lies beside it; one named as an option, in the working directory."""
    beside = project.root / settings.weights
    if settings.weights in (IMAGENET, SCRATCH) or Path(settings.weights).is_file() or not beside.is_file():
        return settings
    return replace(settings, weights=str(beside))


def _stated(settings: TrainSettings) -> dict[str, Any]:
    from train import fit, loaders, weights

    return {
        **asdict(settings),
        "weights_digest": weights.digest_of(settings.weights),
        "schedule": fit.schedule(settings),
        "transforms": list(loaders.TRANSFORMS),
    }


def _versions(settings: TrainSettings) -> dict[str, str]:
    packages = (*PACKAGES, "timm") if settings.arch.startswith("timm:") else PACKAGES
    return {"python": platform.python_version(), **manifest.versions_of(packages)}


def _within(project: Project, path: Path) -> str:
    """Write a path as seen from the project folder; one that lies elsewhere stays absolute."""
    whole = path.resolve()
    return whole.relative_to(project.root).as_posix() if whole.is_relative_to(project.root) else str(whole)
