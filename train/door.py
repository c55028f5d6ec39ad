"""The Python calls of train: what `imageledger.Dataset` reaches through the entry point `imageledger.door`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imageledger.config import Project
from imageledger.errors import ConfigError, RunError
from imageledger.types import Row, Track
from train.config import TrainSettings, train_settings
from train.runs import CROSS_VALIDATION, HOLD_OUT, Run, find_run, read_predictions
from train.training import task as training
from train.training.task import Task


def train(
    project: Project, *, track: Track, manifest: Path | str | None, folder: Path | str | None, name: str | None,
    **options: Any,
) -> Path:  # fmt: skip
    """Train on one split and return the run's folder."""
    from train.run import work

    todo, settings, named = _asked(project, manifest, folder, name, "", options)
    return work.train(project, todo, settings, named)[0]


def cross_validate(
    project: Project, *, track: Track, manifest: Path | str | None, folder: Path | str | None, folds: int,
    repeats: int, name: str | None, **options: Any,
) -> Path:  # fmt: skip
    """Train a model per fold and one on all pictures, and return the run's folder."""
    from train.cross_validate import work

    plan = work.Plan(folds=folds, repeats=repeats)
    todo, settings, named = _asked(project, manifest, folder, name, "folds", options)
    return work.cross_validate(project, todo, settings, plan, named)[0]


def hold_out(
    project: Project, *, track: Track, manifest: Path | str | None, by: str, name: str | None, **options: Any
) -> Path:
    """Train without each generator or source in turn, and return the run's folder."""
    from train.hold_out import work

    todo, settings, named = _asked(project, manifest, None, name, "without", options)
    return work.hold_out(project, todo, settings, by, named)[0]


def compare(project: Project, *, track: Track, runs: Sequence[str], seed: int | None) -> list[Row]:
    """Compare runs with the first one; return a row per comparison."""
    from train.compare import judge, work

    answers = work.read(project, runs)
    return judge.plain(judge.compare(answers, seed=project.declared.seed if seed is None else seed))


def predict(
    project: Project, *, track: Track, model: str, paths: Sequence[str], matte_model: Path | str | None,
    stability: bool, workers: int | None,
) -> list[Row]:  # fmt: skip
    """Ask a model about new pictures; return a row per picture."""
    from train.models import open_model
    from train.predict import work

    files = work.pictures_in(paths)
    if not files:
        raise RunError("there is no picture to look at", "name pictures, or folders that hold some")
    opened = open_model.opened(
        model, project.root, _path(matte_model), lambda rows, total: track(rows, total, "training pictures")
    )
    return list(track(work.judge(opened, files, stability=stability, workers=workers), len(files), "predict"))


def export(
    project: Project, *, track: Track, run: str | None, onnx: bool, output: Path | str | None
) -> Path:  # fmt: skip
    """Write a run's model as one zip or folder, and return its path."""
    from train.export import work

    folder = find_run(project, run)
    target = _path(output) or Path(f"{folder.name}.zip")
    return work.export(
        project, folder, target, onnx=onnx, track=lambda rows, total: track(rows, total, "training pictures")
    ).path


def facts(project: Project, *, track: Track, folder: Path) -> Run:
    """Return what run.json holds."""
    return Run.load(folder)


def predictions(project: Project, *, track: Track, folder: Path) -> list[Row]:
    """Return what a run's model said of each picture, a row each."""
    return [asdict(prediction) for prediction in read_predictions(folder)]


def summary(project: Project, *, track: Track, folder: Path) -> list[Row]:
    """Return what a run came to: a row per figure, each with its interval in words."""
    from train.evaluation import evaluate, metrics, unseen

    run = Run.load(folder)
    if run.kind == CROSS_VALIDATION:
        return list(evaluate.in_words(run.evaluation))
    return list(unseen.rows(run) if run.kind == HOLD_OUT else metrics.in_words(run.metrics))


def _asked(
    project: Project, manifest: Path | str | None, folder: Path | str | None, name: str | None, protocol: str,
    options: dict[str, Any],
) -> tuple[Task, TrainSettings, str]:  # fmt: skip
    if manifest and folder:
        raise ConfigError("pictures are named twice", "give a manifest or a folder, not both")
    if options["weights"] is not None:
        options["weights"] = str(options["weights"])
    settings = train_settings(project, options)
    named = training.run_name(project, settings, name, protocol)
    return training.task(project, _path(manifest), _path(folder)), settings, named


def _path(path: Path | str | None) -> Path | None:
    return None if path is None else Path(path)
