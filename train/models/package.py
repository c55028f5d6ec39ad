"""An exported model: a folder or a zip of a few known files, and model.json, which says everything about them.

What is read may come from strangers: every name, size, type and range is checked, nothing is unpacked to disk, and
nothing in it can name a file outside. Knows no torch.
"""

import hashlib
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from imageledger import seal
from imageledger.errors import ModelError, RunError
from train import views
from train.evaluation.temperature import Calibration
from train.models import steps as applying
from train.models.novelty import Familiar
from train.models.steps import Steps
from train.runs import Run

SCHEMA = 1
JSON, WEIGHTS, ONNX, CARD = "model.json", "weights.safetensors", "model.onnx", "model-card.md"
MOST_BYTES = {JSON: 4 << 20, CARD: 4 << 20, WEIGHTS: 4 << 30, ONNX: 2 << 30}
"""The files of an exported model, and how large each may be."""

MOST_MEMBERS = 16
MOST_RATIO = 100
"""A member of a zip that grows more than this is a bomb: weights hardly shrink at all, and text by ten."""

LEAST_SIDE, MOST_SIDE = 32, 2048
SIZES: Mapping[str, Sequence[tuple[str, float, float]]] = {
    views.RESIZE: (("size", LEAST_SIDE, MOST_SIDE),),
    views.CROPS: (("across", 1, 5), ("share", 0.1, 1.0), ("most", LEAST_SIDE, MOST_SIDE)),
}
"""The numbers that say how views are made, and between what they may lie; whole ones where the ends are."""

AGAIN = "train export makes a new one"

FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "schema": int, "name": str, "recipe": str, "backbone": str, "labels": list, "views": dict, "steps": list,
    "threshold": (int, float), "calibration": (dict, type(None)), "familiar": (dict, type(None)), "manifest": dict,
    "made_with": dict, "versions": dict, "checked": dict, "files": dict,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """All that has to be known to use a model, but for its numbers: the contents of model.json.

    `views` says how a picture becomes inputs of the network, in 0..1, and by which `mean` and `std` these are then
    normalised (within model.onnx); the probabilities of several views are averaged. `steps` come before that.
    `labels` are (negative, positive); a calibrated P(positive) above `threshold` means the positive one. `manifest`
    tells dataset, digest and pictures; `made_with` the packages that made the pixels, `versions` those that trained.
    `checked` says how far model.onnx was from torch on how many pictures; `files` tell bytes and sha256 of each.
    """

    name: str
    recipe: str
    backbone: str
    labels: tuple[str, str]
    views: Mapping[str, Any]
    steps: Steps
    threshold: float = 0.5
    calibration: Calibration | None = None
    familiar: Familiar | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    made_with: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    checked: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write model.json with its seal: indented, the same for the same model."""
        values: dict[str, Any] = {"schema": SCHEMA}
        for name in list(FIELDS)[1:]:
            value = getattr(self, name)
            if isinstance(value, Steps):
                value = value.plain()
            elif isinstance(value, Calibration | Familiar):
                value = asdict(value)
            values[name] = value
        return json.dumps(seal.sealed(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def of_json(cls, content: bytes, where: str) -> Self:
        """Read model.json; raise ModelError, naming what is wrong, for anything that is not what it must be."""
        try:
            values = json.loads(content.decode("utf-8"), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{where} is not JSON: {error}", AGAIN) from error
        try:
            return cls(**_checked(seal.opened(values)))
        except (ValueError, TypeError, OverflowError) as error:
            raise ModelError(f"{where}: {error}", AGAIN) from error

    def as_run(self) -> Run:
        """Return the run that `train.network.predicting` builds the network of."""
        settings = {"recipe": self.recipe, "arch": self.backbone, "views": self.views}
        return Run(name=self.name, labels=self.labels, settings=settings)


@dataclass(frozen=True, slots=True)
class Exported:
    """An exported model that has been found and whose model.json is sound."""

    path: Path
    package: Package

    @property
    def has_onnx(self) -> bool:
        """Whether it can be run without torch."""
        return ONNX in self.package.files

    def read(self, name: str) -> bytes:
        """Return the bytes of one of its files; raise ModelError when they are not those that model.json names."""
        expected = self.package.files.get(name)
        if expected is None:
            raise ModelError(f"{self.path} holds no {name}", AGAIN)
        content = _content(self.path, name)
        if len(content) != expected["bytes"] or hashlib.sha256(content).hexdigest() != expected["sha256"]:
            raise ModelError(
                f"{name} in {self.path} is damaged, or belongs to another model: its sha256 is not the one in {JSON}",
                f"copy it again; {AGAIN}",
            )
        return content


def looks_exported(path: Path) -> bool:
    """Tell whether a path is meant as an exported model."""
    return path.suffix.lower() == ".zip" or (path / JSON).is_file()


def read(path: Path) -> Exported:
    """Open an exported model, a folder or a zip; raise ModelError for anything that is none."""
    if not path.exists():
        raise ModelError(f"there is no {path}", "train export RUN -o FILE.zip makes one")
    return Exported(path=path, package=Package.of_json(_content(path, JSON), f"{JSON} in {path}"))


def facts(content: bytes) -> dict[str, Any]:
    """Return bytes and sha256 of a file, as model.json names them."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _content(path: Path, name: str) -> bytes:
    most = MOST_BYTES[name]
    if path.is_file():
        return _member(path, name, most)
    file = path / name
    try:
        if not file.is_file():
            raise ModelError(f"{path} holds no {name}", AGAIN)
        if file.stat().st_size > most:
            raise ModelError(
                f"{file} has {file.stat().st_size / 1e6:,.0f} MB, where {most / 1e6:,.0f} is the most", AGAIN
            )
        return file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}", "check who may read it") from error


def _member(path: Path, name: str, most: int) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _refuse_members(path, [member.filename for member in members[: MOST_MEMBERS + 1]])
            entry = {member.filename: member for member in members}.get(name)
            if entry is None:
                raise ModelError(f"{path} holds no {name}", AGAIN)
            if entry.file_size > min(most, MOST_RATIO * entry.compress_size + (1 << 20)):
                raise ModelError(
                    f"{name} in {path} would grow from {entry.compress_size:,} to {entry.file_size:,} bytes",
                    f"no model does; {AGAIN}",
                )
            with archive.open(entry) as file:
                content = file.read(most + 1)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise ModelError(f"{path} is not a sound zip file: {error}", f"copy it again; {AGAIN}") from error
    except Exception as error:  # zlib, lzma and bz2 have errors of their own
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{name} in {path} cannot be unpacked: {error}", f"copy it again; {AGAIN}") from error
    if len(content) > most:
        raise ModelError(f"{name} in {path} has more than {most:,} bytes", "do not use this file")
    return content


def _refuse_members(path: Path, names: list[str]) -> None:
    strange = [name for name in names if name not in MOST_BYTES]
    if strange or len(names) > MOST_MEMBERS or len(set(names)) < len(names):
        what = f"holds {strange[0]!r}" if strange else "holds a file twice, or too many"
        raise ModelError(
            f"{path} {what}, as no exported model does",
            f"its files are {', '.join(MOST_BYTES)}, without a folder; {AGAIN}",
        )


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number that JSON can hold")


def _checked(values: Any) -> dict[str, Any]:
    """Check every field and return what Package takes; ValueError, TypeError or ModelError say what is wrong."""
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        seen = values.get("schema") if isinstance(values, dict) else None
        raise ValueError(f"schema {seen!r}, where {SCHEMA} is expected; is it from a newer version of imageledger?")
    if set(values) != set(FIELDS):
        odd = sorted(set(values) ^ set(FIELDS))[0]
        raise ValueError(f"{odd!r} is {'missing' if odd in FIELDS else 'unknown'}")
    for name, kind in FIELDS.items():
        if not isinstance(values[name], kind) or isinstance(values[name], bool):
            raise ValueError(f"{name} is {values[name]!r}"[:200])
    given = {name: value for name, value in values.items() if name != "schema"}
    given["labels"] = _labels(given["labels"])
    given["steps"] = applying.of_plain(given["steps"])
    if not 0 < given["threshold"] < 1:
        raise ValueError(f"threshold is {given['threshold']}, not between 0 and 1")
    _refuse_views(given["views"])
    _refuse_files(given["files"])
    _refuse_texts(given)
    for name, kind in (("calibration", Calibration), ("familiar", Familiar)):
        if given[name] is not None:
            try:
                given[name] = kind.of_json(given[name])  # type: ignore[attr-defined]
            except (ValueError, TypeError, RunError) as error:
                raise ValueError(f"{name}: {error}") from error
    return given


def _labels(labels: list[Any]) -> tuple[str, str]:
    if len(labels) != 2 or not all(isinstance(label, str) and label.isprintable() and label for label in labels):
        raise ValueError("labels must be two names, the positive class last")
    return labels[0], labels[1]


def _refuse_views(stated: Mapping[str, Any]) -> None:
    if stated.get("kind") not in views.KINDS:
        raise ValueError(f"views of the kind {stated.get('kind')!r}; known: {', '.join(views.KINDS)}")
    for name, least, most in SIZES[stated["kind"]]:
        if type(stated.get(name)) not in (int, type(least)) or not least <= stated[name] <= most:
            raise ValueError(f"views: {name} of {stated.get(name)!r}, not between {least} and {most}")
    if stated["kind"] == views.CROPS and type(stated.get("flip")) is not bool:
        raise ValueError(f"views: flip is {stated.get('flip')!r}, not true or false")
    for name in ("mean", "std"):
        numbers = stated.get(name)
        if (
            not isinstance(numbers, list)
            or len(numbers) != 3
            or not all(_number(number) for number in numbers)
            or (name == "std" and min(numbers) <= 0)
        ):
            raise ValueError(f"views: {name} is {numbers!r}, not three numbers")


def _refuse_files(files: Mapping[str, Any]) -> None:
    for name, facts in files.items():
        if name not in MOST_BYTES or name == JSON or not isinstance(facts, dict) or set(facts) != {"bytes", "sha256"}:
            raise ValueError(f"files: {name!r} is {facts!r}"[:200])
        sound = isinstance(facts["sha256"], str) and applying.SHA256.fullmatch(facts["sha256"])
        if type(facts["bytes"]) is not int or not 0 < facts["bytes"] <= MOST_BYTES[name] or not sound:
            raise ValueError(f"files: {name!r} is {facts!r}"[:200])
    if not {WEIGHTS, ONNX} & set(files):
        raise ValueError("files names neither weights nor an ONNX model")


def _refuse_texts(given: Mapping[str, Any]) -> None:
    for name in ("name", "recipe", "backbone"):
        if not given[name].isprintable() or not 0 < len(given[name]) <= 200:
            raise ValueError(f"{name} is {given[name]!r}"[:200])
    for name in ("made_with", "versions"):
        if not all(isinstance(version, str) and len(version) <= 100 for version in given[name].values()):
            raise ValueError(f"{name} must hold versions")


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
