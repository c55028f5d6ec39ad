"""A training run as a folder of files: settings and figures in run.json, one line per picture in predictions.jsonl.

Knows no torch, so that audits read runs where torch cannot be had.
"""

import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self, get_origin

from imageledger import seal
from imageledger.config import Project
from imageledger.errors import LedgerError, RunError, StoreError
from imageledger.foreign import json_of
from imageledger.record import SPLITS
from imageledger.store import write_whole

SPLIT, CROSS_VALIDATION, HOLD_OUT = "split", "cross-validation", "hold-out"
"""What kinds of run there are: one split, one model per fold, one model per generator or source that is held out."""

VALID = SPLITS[2]

FOLDS = "folds"
"""The folder, within that of a run, where each of its several trainings has one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A model's answer for one picture: probability of the positive label (0..1) and cross-entropy loss (nats).

    `fold` numbers, from 1, the fold (of the first repeat) that held the picture out, so that a model which had not
    seen it spoke; None without folds.
    """

    source: str
    member: str
    file: str = ""
    label: str
    split: str
    probability: float
    loss: float
    predicted: str
    fold: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The key of the record it belongs to."""
        return self.source, self.member


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The contents of run.json."""

    name: str
    manifest: str = ""
    manifest_digest: str = ""
    folder: str = ""
    labels: tuple[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 42
    workers: int = 0
    threads: int = 0
    device: str = "cpu"
    precision: str = "full"
    versions: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    file_alone: Mapping[str, Any] = field(default_factory=dict)
    """What `curate.manifest.file_alone` measured: what nuisance features reach without a face."""
    early_stopping: Mapping[str, Any] = field(default_factory=dict)
    """Which epoch an inner split of the training pictures chose: "epoch" of "epochs", "loss", "pictures" in it."""
    kind: str = SPLIT
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    """What `train.evaluation.evaluate.evaluate` says of the pictures that the model had not seen."""

    def save(self, folder: Path) -> None:
        """Write run.json, whole or not at all."""
        write_whole(folder / "run.json", (json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n").encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read run.json; raise RunError when it is missing or does not hold a run."""
        path = folder / "run.json"
        try:
            values = json_of(content_of(folder, path.name))
            values["labels"] = tuple(values["labels"])
            values.pop("devices", None)  # of runs of older versions, which could train on several GPUs
            run = cls(**values)
            run._refuse_types()
            return run
        except FileNotFoundError as error:
            raise RunError(f"{folder} is not a finished run: it has no run.json", "train run makes one") from error
        except (ValueError, TypeError, KeyError) as error:
            raise RunError(f"{path} is damaged: {error}", "train the run again") from error

    def _refuse_types(self) -> None:
        if len(self.labels) != 2 or not all(isinstance(label, str) for label in self.labels):
            raise ValueError(f"labels are {self.labels!r}"[:200])
        for spec in fields(self):
            value, wanted = getattr(self, spec.name), get_origin(spec.type) or spec.type
            if not isinstance(value, wanted) or isinstance(value, bool):  # type: ignore[arg-type]
                raise ValueError(f"{spec.name} is {value!r}"[:200])
        if self.kind not in (SPLIT, CROSS_VALIDATION, HOLD_OUT):
            raise ValueError(f"{self.kind!r} is not a kind of run"[:200])


def cross_validated(runs: Path, digest: str) -> str:
    """Return the name of a cross-validated run of the manifest with this digest; "" where there is none."""
    for path in sorted(runs.glob("*/run.json")):
        with suppress(LedgerError):
            run = Run.load(path.parent)
            if digest and (run.kind, run.manifest_digest) == (CROSS_VALIDATION, digest):
                return run.name
    return ""


def find_run(project: Project, name: str | None) -> Path:
    """Return the folder of a run by name, or of the run finished last; raise RunError when there is none."""
    if name:
        for folder in (project.runs / name, Path(name)):
            if (folder / "run.json").is_file():
                return folder
        known = ", ".join(sorted(path.parent.name for path in project.runs.glob("*/run.json"))) or "none yet"
        raise RunError(f"there is no finished run {name!r}", f"runs here: {known}; train run makes one")
    finished = sorted(project.runs.glob("*/run.json"), key=lambda path: (path.stat().st_mtime, path))
    if not finished:
        raise RunError(f"there is no finished run in {project.runs}", "train run makes one")
    return finished[-1].parent


def content_of(folder: Path, name: str) -> bytes:
    """Return the bytes of a file of a run; raise RunError when they do not match the seal of the run.

    A run that was made before runs were sealed is read as it is. Raises FileNotFoundError for a file that is missing.
    """
    try:
        return seal.read(folder / name)
    except StoreError as error:
        raise RunError(error.what, error.hint) from error


def fold_folder(folder: Path, fold: int, repeat: int = 1) -> Path:
    """Return where the training of one fold lies within a run: a run folder of its own, but for figures."""
    return folder / FOLDS / f"{repeat}-{fold}"


def write_predictions(folder: Path, predictions: Iterable[Prediction]) -> None:
    """Write predictions.jsonl, in the order given (that of the manifest)."""
    lines = (json.dumps(_row(prediction), ensure_ascii=False) for prediction in predictions)
    write_whole(folder / "predictions.jsonl", "".join(f"{line}\n" for line in lines).encode())


def read_predictions(folder: Path) -> Iterator[Prediction]:
    """Read predictions.jsonl; raise RunError, with the line number, for anything that is not a prediction.

    Raises RunError, too, when the file does not match the seal of the run.
    """
    path = folder / "predictions.jsonl"
    if not path.is_file():
        raise RunError(f"{path} is missing", "train the run again")
    known = {spec.name for spec in fields(Prediction)}
    for number, line in enumerate(io.BytesIO(content_of(folder, path.name)), 1):
        try:
            row = json_of(line)
            prediction = Prediction(**{name: value for name, value in row.items() if name in known})
            _refuse_types(prediction)
            if type(prediction.probability) not in (int, float) or not 0 <= prediction.probability <= 1:
                raise ValueError(f"{prediction.probability!r} is no probability of 0..1")
            if type(prediction.loss) not in (int, float) or not 0 <= prediction.loss < math.inf:
                raise ValueError(f"{prediction.loss!r} is no loss")
            yield prediction
        except (ValueError, TypeError, AttributeError) as error:
            raise RunError(f"{path}:{number} is not a prediction: {error}", "train the run again") from error


def _refuse_types(prediction: Prediction) -> None:
    texts = (prediction.source, prediction.member, prediction.file, prediction.label, prediction.predicted)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("names and labels must be text")
    if prediction.split not in SPLITS:
        raise ValueError(f"{prediction.split!r} is not a split"[:200])
    if prediction.fold is not None and type(prediction.fold) is not int:
        raise ValueError(f"fold is {prediction.fold!r}"[:200])


def _row(prediction: Prediction) -> dict[str, Any]:
    row = asdict(prediction)
    if prediction.fold is None:
        del row["fold"]
    return row
