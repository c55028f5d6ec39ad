"""The Python calls of train: what `imageledger.Dataset` reaches through the entry point `imageledger.door`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imageledger.config import Project
from imageledger.errors import LedgerError, RunError
from imageledger.foreign import understood
from imageledger.types import Row, Track
from train.config import TrainSettings
from train.runs import CROSS_VALIDATION, HOLD_OUT, Run, read_predictions
from train.testing import check_recipe as check_recipe
from train.training.settings import train_settings


def train(
    project: Project, *, track: Track, manifest: Path | str | None, folder: Path | str | None, name: str | None,
    **options: Any,
) -> Path:  # fmt: skip
    """Train on one split and return the run's folder."""
    from train.run import work

    run = work.run(project, _path(manifest), folder=_path(folder), name=name, settings=_settings(project, options),
                   track=track)  # fmt: skip
    return project.runs / run.name


def cross_validate(
    project: Project, *, track: Track, manifest: Path | str | None, folder: Path | str | None, folds: int,
    repeats: int, name: str | None, **options: Any,
) -> Path:  # fmt: skip
    """Train a model per fold and one on all pictures, and return the run's folder."""
    from train.cross_validate import work

    run = work.cross_validate(
        project, _path(manifest), folder=_path(folder), folds=folds, repeats=repeats, name=name,
        settings=_settings(project, options), track=track,
    )  # fmt: skip
    return project.runs / run.name


def hold_out(
    project: Project, *, track: Track, manifest: Path | str | None, by: str, name: str | None, **options: Any
) -> Path:
    """Train without each generator or source in turn, and return the run's folder."""
    from train.hold_out import work

    run = work.hold_out(project, _path(manifest), by=by, name=name, settings=_settings(project, options), track=track)
    return project.runs / run.name


def compare(project: Project, *, track: Track, runs: Sequence[str], seed: int | None) -> list[Row]:
    """Compare runs with the first one; return a row per comparison."""
    from train.compare import report, work

    return report.as_json(work.compare(project, runs, seed=seed))


def predict(
    project: Project, *, track: Track, model: str, paths: Sequence[str], matte_model: Path | str | None,
    stability: bool, workers: int | None,
) -> list[Row]:  # fmt: skip
    """Ask a model about new pictures; return a row per picture."""
    from train.models import open_model
    from train.predict import work

    files = work.pictures_in(paths)
    opened = open_model.opened(model, project.root, _path(matte_model), track)
    return list(track(work.predict(opened, files, stability=stability, workers=workers), len(files), "predict"))


def export(
    project: Project, *, track: Track, run: str | None, onnx: bool, output: Path | str | None
) -> Path:  # fmt: skip
    """Write a run's model as one zip or folder, and return its path."""
    from train.export import work

    return work.export(project, run, output=_path(output), onnx=onnx, track=track).path


def facts(project: Project, *, track: Track, folder: Path) -> Run:
    """Return what run.json holds."""
    return Run.load(folder)


def predictions(project: Project, *, track: Track, folder: Path) -> list[Row]:
    """Return a run's answer for each picture, a row per picture."""
    return [asdict(prediction) for prediction in read_predictions(folder)]


def summary(project: Project, *, track: Track, folder: Path) -> list[Row]:
    """Return what a run came to: a row per figure, each with its interval in words."""
    from train.evaluation import evaluate, metrics, unseen

    run = Run.load(folder)
    with understood(f"{folder / 'run.json'}", "put it back from a copy, or train the run again", RunError):
        if run.kind == CROSS_VALIDATION:
            return list(evaluate.in_words(run.evaluation))
        return list(unseen.rows(run) if run.kind == HOLD_OUT else metrics.in_words(run.metrics))


def damages_of_export(path: Path) -> list[tuple[str, str]]:
    """Return what is damaged of an exported model, with what is wrong: a file that is not what model.json names."""
    from train.models import package

    try:
        exported = package.read(path)
        found = []
        for name in exported.package.files:
            try:
                exported.read(name)
            except LedgerError as error:
                found.append((f"{path}: {name}", error.what))
        return found
    except LedgerError as error:
        return [(str(path), error.what)]


def _settings(project: Project, options: dict[str, Any]) -> TrainSettings:
    if options["weights"] is not None:
        options["weights"] = str(options["weights"])
    return train_settings(project, options)


def _path(path: Path | str | None) -> Path | None:
    return None if path is None else Path(path)
