"""Where the models looked in the pictures of a run: overlays and shares outside of face and person, kept by object."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from audit.pictures import Shown
from audit.report.mistakes.kept import Lines
from audit.report.mistakes.overlay import overlay
from curate.history import face_of
from curate.pictures import pixels
from curate.pictures.shown import show
from imageledger.errors import LedgerError
from imageledger.record import OBJECT_NAME, Record
from imageledger.store import Store, where_allowed, write_whole
from imageledger.types import Bools, Track
from train.answers import Answers

SHARES = "shares.jsonl"
"""The lines with the shares; the overlays lie beside it, each named by its object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Where a model looked in one picture.

    `outside_face` and `outside_person` are the shares of the evidence for the class called, 0..1, None where no face
    or matte says what is outside; the `…_area` are the shares of the picture that lie there.
    """

    outside_face: float | None
    face_area: float | None
    outside_person: float | None
    person_area: float | None


class Kept:
    """What was looked at before by the same models, with an overlay (PNG) for each."""

    def __init__(self, answers: Answers) -> None:
        self.lines = Lines(answers, SHARES)
        self.fresh: dict[str, bytes] = {}
        self.looked: dict[str, Looked] = dict(self._read())

    def add(self, name: str, looked: Looked, image: Image.Image) -> None:
        """Keep one picture's overlay and shares."""
        content = io.BytesIO()
        image.save(content, "PNG")
        self.looked[name], self.fresh[name] = looked, content.getvalue()
        with where_allowed(self.lines.folder):
            write_whole(self.lines.folder / overlay_name(name), content.getvalue())
        self.lines.add(name, asdict(looked))

    def overlay_of(self, name: str, missing: str = "not looked at") -> Shown:
        """Open the overlay of an object; where there is none, `missing` says why."""
        if name not in self.looked:
            return Shown(missing=missing)
        return show(self.fresh.get(name) or (self.lines.folder / overlay_name(name)).read_bytes())

    def _read(self) -> Iterator[tuple[str, Looked]]:
        for name, value in self.lines.values.items():
            try:
                looked = Looked(**{key: None if share is None else float(share) for key, share in value.items()})
            except (TypeError, ValueError, AttributeError):
                continue
            if (self.lines.folder / overlay_name(name)).is_file():
                yield name, looked


def attended(answers: Answers, rows: Sequence[int], store: Store, track: Track) -> tuple[Kept, str]:
    """Look at the pictures of some rows and keep what came out; return it with the reason where that cannot be had.

    Only pictures that still are what the model saw are looked at.
    """
    kept = Kept(answers)
    todo = [row for row in rows if answers.files[row] and answers.files[row] not in kept.looked
            and store.has(answers.files[row])]  # fmt: skip
    if not todo:
        return kept, ""
    try:
        from train.models.held_out import attend_held_out

        images = [pixels.decode(store.read(answers.files[row])).image for row in todo]
        maps = attend_held_out(answers, [answers.keys[row] for row in todo], images)
        for row, image, seen in zip(
            todo, images, track(maps, len(todo), "looking where the model looked"), strict=True
        ):
            record = answers.records[row]
            own = record if record and record.file == answers.files[row] else None
            face, person = _face(own, image.size), _person(own, image.size, store)
            kept.add(answers.files[row], Looked(
                outside_face=None if face is None else _share(seen.share(~face)),
                face_area=None if face is None else float((~face).mean()),
                outside_person=None if person is None else _share(seen.share(~person)),
                person_area=None if person is None else float((~person).mean()),
            ), overlay(image, seen.heat))  # fmt: skip
    except (ImportError, OSError, RuntimeError, pixels.CannotDecode, LedgerError) as error:
        return kept, str(error)
    return kept, ""


def overlay_name(name: str) -> str:
    """Return what the overlay of an object is called; raise ValueError for what is no object."""
    if not OBJECT_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an object")
    return f"{name.partition('.')[0]}.png"


def _share(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _face(record: Record | None, size: tuple[int, int]) -> Bools | None:
    face = face_of(record) if record else None
    if face is None:
        return None
    inside = np.zeros((size[1], size[0]), dtype=bool)
    left, top, right, bottom = face.box
    inside[max(0, top) : bottom, max(0, left) : right] = True
    return inside


def _person(record: Record | None, size: tuple[int, int], store: Store) -> Bools | None:
    """Return where the matte has the person, None without one that lies on the picture."""
    if record is None or not record.matte or not store.has(record.matte):
        return None
    with Image.open(io.BytesIO(store.read(record.matte))) as matte:
        return np.asarray(matte.convert("L")) >= 128 if matte.size == size else None
