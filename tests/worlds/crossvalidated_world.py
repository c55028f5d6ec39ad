"""A cross-validated run as train cross-validate leaves it behind, written by hand: nothing is trained."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from imageledger import manifest
from imageledger.config import Project
from imageledger.record import OK, Record
from train.runs import CROSS_VALIDATION, Prediction, Run, write_predictions

FOLDS = 5


def rows_of(project: Project) -> list[Record]:
    return [row for row in manifest.read(project.manifest("manifest")) if row.status == OK]


def fold_of(number: int) -> int:
    return 1 + number % FOLDS


def said(row: Record, probability: float, split: str, fold: int | None) -> Prediction:
    true = min(max(probability if row.label == "ai" else 1 - probability, 1e-7), 1.0)
    return Prediction(
        source=row.source, member=row.member, file=row.file, label=row.label, split=split, probability=probability,
        loss=float(-np.log(true)), predicted="ai" if probability >= 0.5 else "real", fold=fold,
    )  # fmt: skip


def leave(
    project: Project,
    probability: Callable[[Record], float],
    name: str = "crossed",
    folds: Sequence[int] | None = None,
    **changes,
) -> Path:
    """Write the run with its folds/REPEAT-FOLD/ (without weights); `folds` says which one holds each row out."""
    rows = rows_of(project)
    held = list(folds) if folds is not None else [fold_of(number) for number in range(len(rows))]
    path, folder = project.manifest("manifest"), project.runs / name
    run = Run(
        name=name, manifest=str(path.relative_to(project.root)), manifest_digest=manifest.digest(path),
        labels=("real", "ai"), settings={"arch": "squeezenet1_1", "size": 64}, kind=CROSS_VALIDATION,
    )  # fmt: skip
    shares = [probability(row) for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    replace(run, **changes).save(folder)
    write_predictions(folder, [said(*one) for one in zip(rows, shares, ["valid"] * len(rows), held, strict=True)])
    for fold in sorted(set(held)):
        part = folder / "folds" / f"1-{fold}"
        part.mkdir(parents=True, exist_ok=True)
        replace(run, kind="split", name=f"{name}/1-{fold}").save(part)
        splits = ["valid" if one == fold else "train" for one in held]
        write_predictions(part, [said(*one, None) for one in zip(rows, shares, splits, strict=True)])
    return folder
