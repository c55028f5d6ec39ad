"""Measure nuisance features of the pictures of a manifest, once per object, and keep the numbers by its name."""

import io
import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.evidence.faces import Faces
from curate.faces.detector import Detector
from curate.faces.face import Face
from curate.matting.compositing import standard_edge
from curate.nuisance import family
from curate.nuisance.seen import Seen, Values
from curate.pictures import pixels
from curate.pictures.pixels import CannotDecode
from imageledger import seal
from imageledger.config import Project
from imageledger.engines.local import cores, ordered_map
from imageledger.record import Record
from imageledger.store import Store, where_allowed
from imageledger.types import Track, untracked

FETCHED, NORMALIZED, WHITENED, FINAL, MODEL_INPUT = "fetched", "normalized", "whitened", "final", "model-input"
STAGES = (FETCHED, NORMALIZED, WHITENED, FINAL, MODEL_INPUT)
"""Where pictures can be looked at, in the order in which they are made."""

MODEL_SIDE = 224
"""Side in pixels to which the model input is shrunk, as `train run` does unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers of many pictures: row n of each array belongs to record n, its columns are named by family.

    Values are float64, NaN where a number does not apply.
    """

    records: Sequence[Record]
    columns: Mapping[str, Sequence[str]]
    values: Mapping[str, NDArray[np.float64]]

    def only(self, families: Sequence[str]) -> Self:
        """Return the table of some of the families."""
        columns = {name: self.columns[name] for name in families}
        return type(self)(self.records, columns, {name: self.values[name] for name in families})

    def take(self, rows: Sequence[int]) -> Self:
        """Return the table of some of the rows, in the order given."""
        kept = {name: values[list(rows)] for name, values in self.values.items()}
        return type(self)([self.records[row] for row in rows], self.columns, kept)


@dataclass(frozen=True, slots=True)
class _Look:
    """One picture to look at, and the families that are still to be measured on it."""

    record: Record
    at: str
    name: str
    place: float
    face: Face | Literal["unknown"] | None = "unknown"
    finder: str = ""
    wanted: tuple[str, ...] = ()

    def key(self, of: str) -> str:
        """What the numbers of a family are kept by: the object, with the matte or the detector that it goes by."""
        of_family = family(of)
        matte = self.record.matte if of_family.goes_by_matte else ""
        finder = self.finder if of_family.goes_by_face else ""
        return "+".join(part for part in (self.at, matte, finder) if part)


def measure(
    project: Project,
    records: Sequence[Record],
    families: Sequence[str],
    *,
    stage: str = FINAL,
    workers: int | None = None,
    track: Track = untracked,
) -> Table:
    """Measure families on the pictures of records as they were at a stage.

    "fetched" looks at the bytes as fetched, "model-input" at the picture shrunk to MODEL_SIDE, for which only the
    families of pixels mean anything. A picture that cannot be decoded gives NaN in every column.
    """
    families, side = _asked(families, records, stage)
    kept = {name: _Kept(project, name, side) for name in families if family(name).of != "name"}
    asked = stage == FETCHED and any(family(name).goes_by_face for name in families)
    faces = Faces.of_originals(project, records) if asked else Faces()
    looks = [_with_wanted(look, kept) for look in _looks(records, original=stage == FETCHED, faces=faces)]
    work = partial(_measure_one, store=project.store, side=side, finder=faces.finder)
    jobs: Iterator[tuple[_Look, Mapping[str, Values] | None]] = ((look, None if look.wanted else {}) for look in looks)
    results = ordered_map(work, jobs, workers=workers or cores())
    todo = sum(bool(look.wanted) for look in looks)
    tracked = track(results, len(looks), f"measuring {stage} pictures") if todo else results
    for look, values in zip(looks, tracked, strict=True):
        for name, row in values.items():
            kept[name].add(look.key(name), row)
    return _table(records, _rows(looks, families, kept))


def measured(project: Project, records: Sequence[Record], families: Sequence[str], *, stage: str = FINAL) -> Table:
    """Return the numbers that were measured before; NaN in every column for a picture that was not.

    Opens no picture and looks for no face, so it is quick. Families that go by the face have no numbers at "fetched".
    """
    families, side = _asked(families, records, stage)
    looks = list(_looks(records, original=stage == FETCHED, faces=Faces()))
    kept = {
        name: _Kept(project, name, side, only={look.key(name) for look in looks})
        for name in families if family(name).of != "name"
    }  # fmt: skip
    return _table(records, _rows(looks, families, kept))


def _asked(families: Sequence[str], records: Sequence[Record], stage: str) -> tuple[Sequence[str], int]:
    """Return the families that mean anything at a stage, and the side to shrink to, 0 for none."""
    if stage != MODEL_INPUT:
        return families, 0
    as_they_are = all((record.width, record.height) == (MODEL_SIDE, MODEL_SIDE) for record in records)
    pixels_only = [name for name in families if family(name).of == "pixels"]
    return pixels_only, 0 if as_they_are else MODEL_SIDE  # those of the size are measured once


def _rows(looks: Sequence[_Look], families: Sequence[str], kept: Mapping[str, "_Kept"]) -> dict[str, list[Values]]:
    return {
        name: [kept[name].of(look.key(name)) if name in kept else _named(look, name) for look in looks]
        for name in families
    }


BEGIN = '{"object": "'
"""How a line of measured numbers begins; the key follows."""


def measured_before(
    project: Project, records: Sequence[Record], families: Sequence[str], *, stage: str = FINAL
) -> tuple[Table, Mapping[str, NDArray[np.bool_]]]:
    """Return the numbers that were measured before of records at a stage, and per family of which records they were.

    Nothing is measured now: where nothing was kept, the numbers are NaN. Families of names keep none.
    """
    looks = list(_looks(records, original=stage == FETCHED, faces=Faces()))
    numbers = {name: _Kept(project, name, 0) for name in families}
    rows = {name: [known.of(look.key(name)) for look in looks] for name, known in numbers.items()}
    there = {name: np.array([look.key(name) in known.values for look in looks]) for name, known in numbers.items()}
    return _table(records, rows), there


class _Kept:
    """The numbers of one family that were measured before: a file of lines {object, values} that only grows.

    With `only`, the lines of other keys are passed over unread.
    """

    def __init__(self, project: Project, name: str, side: int, only: Collection[str] | None = None) -> None:
        self.only = only
        chosen = family(name)
        size = f"-{side}px" if side else ""
        self.path = project.root / "data" / "measured" / f"{name}@{chosen.version}{size}.jsonl"
        self.torn = ""
        self.values: dict[str, Values] = dict(self._read())

    def of(self, key: str) -> Values:
        return self.values.get(key, {})

    def add(self, key: str, values: Values) -> None:
        self.values[key] = values
        plain = {name: value if math.isfinite(value) else None for name, value in values.items()}
        with where_allowed(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as lines:
                lines.write(self.torn + seal.line_of({"object": key, "values": plain}) + "\n")
        self.torn = ""

    def _read(self) -> Iterator[tuple[str, Values]]:
        if not self.path.is_file():
            return
        with self.path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self.torn = "" if line.endswith("\n") else "\n"
                if self.only is not None and line.removeprefix(BEGIN).partition('"')[0] not in self.only:
                    continue
                try:
                    row = seal.of_line(line)
                    if set(row) != {"object", "values"} or not isinstance(row["object"], str):
                        continue
                    yield row["object"], {k: math.nan if v is None else float(v) for k, v in row["values"].items()}
                except (ValueError, OverflowError, KeyError, TypeError, AttributeError):
                    continue  # what was torn by a kill, or is damaged, is measured again


def _looks(records: Sequence[Record], *, original: bool, faces: Faces) -> Iterator[_Look]:
    """Say which object to look at, what it is called at this stage, and where it stands in its source."""
    sizes = Counter(record.source for record in records)
    seen: Counter[str] = Counter()
    for record in records:
        place = seen[record.source] / max(sizes[record.source] - 1, 1) if original else 0.0
        seen[record.source] += 1
        at = record.origin if original else record.file
        face, finder = faces.at(record, at)
        yield _Look(record=record, at=at, name=record.name if original else at, place=place, face=face, finder=finder)


def _with_wanted(look: _Look, kept: Mapping[str, _Kept]) -> _Look:
    wanted = (name for name, numbers in kept.items() if look.key(name) not in numbers.values)
    return replace(look, wanted=tuple(wanted))


def _measure_one(look: _Look, *, store: Store, side: int, finder: Detector | None) -> Mapping[str, Values]:
    try:
        content = store.read(look.at)
        image = pixels.decode(content).image
    except CannotDecode:
        return {}
    alpha = _alpha(look, store, image.size)
    face = look.face
    if face == "unknown" and finder and any(family(name).goes_by_face for name in look.wanted):
        face = finder.largest(image)
    if side and image.size != (side, side):
        face = face.scaled(side / image.width, side / image.height) if isinstance(face, Face) else face
        image = image.resize((side, side), Image.Resampling.BILINEAR)
        alpha = None if alpha is None else np.asarray(Image.fromarray(alpha).resize((side, side)))
    box, points = (face.box, face.points) if isinstance(face, Face) else (face, None)
    seen = Seen(content=content, image=image, name=look.name, place=look.place, alpha=alpha, box=box, points=points)
    return {name: {key: float(value) for key, value in family(name).measure(seen).items()} for name in look.wanted}


def _named(look: _Look, name: str) -> Values:
    """Measure a family that looks at the name alone: no picture needs to be opened, and nothing is kept."""
    return family(name).measure(Seen(content=b"", image=Image.new("RGB", (1, 1)), name=look.name, place=look.place))


def _alpha(look: _Look, store: Store, size: tuple[int, int]) -> NDArray[np.uint8] | None:
    """Return the alpha that a person was laid on white with; none for an original, which had not been cut out yet."""
    if not look.record.matte or look.at != look.record.file:
        return None
    alpha = Image.open(io.BytesIO(store.read(look.record.matte))).convert("L")
    return standard_edge(np.asarray(alpha)) if alpha.size == size else None


def _table(records: Sequence[Record], rows: Mapping[str, Sequence[Values]]) -> Table:
    columns = {name: sorted({key for row in measured for key in row}) for name, measured in rows.items()}
    values = {
        name: np.array(
            [[row.get(key, math.nan) for key in columns[name]] for row in measured], dtype=np.float64
        ).reshape(len(records), len(columns[name]))
        for name, measured in rows.items()
    }
    return Table(records=records, columns=columns, values=values)
