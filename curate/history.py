"""What each stage noted of a picture, by type: the only place that writes and reads the keys of `Step.found`.

None means that the stage did not note it, because it did not apply or because the picture was set aside before.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar, get_args

from PIL import Image

from curate.faces.detector import key_of
from curate.faces.face import Face, Points
from curate.pictures.pixels import Box
from imageledger.errors import ManifestError
from imageledger.record import Record

NORMALIZE, FORENSIC, WHITEN, FACE, MATCH = "normalize", "forensic", "whiten", "face", "match"
"""What can have been done to the pictures of a dataset against shortcuts: stages, a recipe, a region, the matching."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What fetch noted: how many bytes the file has, and its true format."""

    bytes: int | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """What normalize noted of the original, and the square it kept.

    `size` is the upright original's (width, height); `tables` the sum of its luma quantisation table, 0 where there is
    none; `pixels` the digest of its pixels; `mirrored` the perceptual hash of its mirror image; `frames` how many it
    had, where more than one. `faces` is how many faces the original shows; `found_face` the largest and `found_points`
    its eyes, nose and mouth, in pixels of the original; `crop` the square kept. `face` and `points` are the same face
    in the picture made.
    """

    format: str | None = None
    mode: str | None = None
    size: tuple[int, int] | None = None
    tables: int | None = None
    pixels: str | None = None
    mirrored: str | None = None
    frames: int | None = None
    notes: tuple[str, ...] | None = None
    faces: int | None = None
    found_face: Box | None = None
    found_points: Points | None = None
    crop: Box | None = None
    face: Box | None = None
    points: Points | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whitened:
    """What whiten noted: of the matte its coverage (share of the picture), pieces, softness and raw range.

    `kept` is the share of the face that the matte kept, `contrast` how much the colours differ across its edge. Where
    the inner face was kept: `crop`, in pixels of the normalised picture, and `face` and `points`, in the one made.
    Where a person judged mattes: `refused` are those that did not do, `cut_by` what made the one used, `heard` the
    digest of what was said, and `accepted` the fault for which the matte would have been rejected.
    """

    coverage: float | None = None
    pieces: int | None = None
    softness: float | None = None
    raw: tuple[float, float] | None = None
    kept: float | None = None
    contrast: float | None = None
    crop: Box | None = None
    face: Box | None = None
    points: Points | None = None
    refused: tuple[str, ...] | None = None
    cut_by: str | None = None
    heard: str | None = None
    accepted: str | None = None


Note = TypeVar("Note", Fetched, Normalized, Whitened)


def noted(note: Fetched | Normalized | Whitened) -> dict[str, Any]:
    """Return a note as `Stage.step` takes it: in the order of its fields, without those that are None."""
    values = {spec.name: getattr(note, spec.name) for spec in fields(note)}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value is not None
    }


def fetched(record: Record) -> Fetched:
    """Return what fetch noted of a picture; raise ManifestError for what no fetch of ours writes."""
    return _read(record, "fetch", Fetched)


def normalized(record: Record) -> Normalized:
    """Return what normalize noted of a picture; raise ManifestError for what no normalize of ours writes."""
    return _read(record, "normalize", Normalized)


def whitened(record: Record) -> Whitened:
    """Return what whiten noted of a picture; raise ManifestError for what no whiten of ours writes."""
    return _read(record, "whiten", Whitened)


def looked_for_face(record: Record) -> bool:
    """Tell whether normalize has looked for a face in the picture."""
    return bool(record.found("normalize"))


def face_of(record: Record) -> Face | None:
    """Return the face in pixels of the picture as it is now, as whiten or normalize noted it."""
    after, before = whitened(record), normalized(record)
    noted_in = after if after.face else before
    return Face(box=noted_in.face, points=noted_in.points) if noted_in.face else None


def found_face_of(record: Record) -> Face | None:
    """Return the face in pixels of the original, as normalize noted it."""
    note = normalized(record)
    return Face(box=note.found_face, points=note.found_points) if note.found_face else None


def finder_key_of(record: Record) -> str:
    """Return the `Detector.key` of what looked for faces in the picture; "" where nobody did."""
    stated = record.stated("normalize")
    return key_of(str(stated.get("detector", "")), str(stated.get("face_sha256", "")))


def done_to(records: Iterable[Record], matched_on: Iterable[str] = ()) -> frozenset[str]:
    """Say what was done to all of some pictures: their stages, their recipe and region, and "match:FAMILY"."""
    each = [
        {step.did.partition("@")[0] for step in record.steps}
        | {str(record.stated(NORMALIZE).get("recipe", "")), str(record.stated(WHITEN).get("region", ""))}
        for record in records
    ]
    shared = set.intersection(*each) if each else set()
    return frozenset(shared - {""}) | {f"{MATCH}:{family}" for family in matched_on}


def made_by_normalize(record: Record) -> str:
    """Return the object that normalize made: what the step after it worked on."""
    after = [step.on for step in record.steps if step.did.startswith("whiten@")]
    return after[-1] if after else record.file


def on_original(matte: Image.Image, crop: Box, size: tuple[int, int]) -> Image.Image:
    """Undo the crop of normalize: lay a matte where it belongs on an original of `size` pixels, 0 elsewhere."""
    whole = Image.new("L", size, 0)
    left, top, right, bottom = crop
    whole.paste(matte.convert("L").resize((right - left, bottom - top), Image.Resampling.BILINEAR), (left, top))
    return whole


def _read(record: Record, stage: str, kind: type[Note]) -> Note:
    notes = record.found(stage)
    known = _TYPES[kind]
    values = {}
    for name, value in notes.items():
        read = _READ.get(known.get(name))
        if read is None:
            raise ManifestError(
                f"{record.name}: {stage} notes no {name!r}", "is this manifest from a newer version? update imageledger"
            )
        try:
            values[name] = read(value)
        except (TypeError, ValueError) as error:
            raise ManifestError(f"{record.name}: the {name!r} of {stage} cannot be {value!r}") from error
    return kind(**values)


def _one(*types: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) not in types:
            raise TypeError(value)
        return value

    return read


def _tuple(each: Callable[[Any], Any], count: int | None = None) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or count not in (None, len(value)):
            raise TypeError(value)
        return tuple(map(each, value))

    return read


_TYPES: Mapping[Any, Mapping[str, Any]] = {
    kind: {spec.name: next(iter(get_args(spec.type))) for spec in fields(kind)}
    for kind in (Fetched, Normalized, Whitened)
}
"""The type of each field of a note, without its None."""

_READ: Mapping[Any, Callable[[Any], Any]] = {
    int: _one(int),
    str: _one(str),
    float: _one(int, float),
    Box: _tuple(_one(int), 4),
    Points: _tuple(_one(int), 10),
    tuple[int, int]: _tuple(_one(int), 2),
    tuple[float, float]: _tuple(_one(int, float), 2),
    tuple[str, ...]: _tuple(_one(str)),
}
"""How a value is read, by the type of its field."""
