"""Compare recipes on a sample: how much of the shortcuts each leaves, and how much of a known signal each keeps.

Two numbers are known because they are planted: a generator's trace in half of the real pictures
(`audit.recipes.trace`), and an old JPEG in half of the AI ones, which were the same pictures otherwise. Both halves
take turns, and the AUCs of the two turns are averaged. The other numbers compare the classes as they are, so they
also hold what no recipe can or should remove.
"""

import heapq
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit.recipes import trace
from curate.evidence.probe import ALL, probe
from curate.normalize import recipes
from curate.normalize.recipes import FORENSIC, PLAIN, Recipe
from curate.normalize.work import believed, shorter_sides
from curate.nuisance import Seen, Values, family
from curate.pictures import pixels
from curate.pictures.faces import find_face
from curate.pictures.pixels import Box, CannotDecode
from imageledger import manifest
from imageledger.config import Project
from imageledger.engines.local import cores, ordered_map
from imageledger.errors import ManifestError
from imageledger.record import OK, Record, groups_of
from imageledger.store import Store
from imageledger.types import Floats

Track = Callable[[Iterable[Any], int], Iterable[Any]]
Row = dict[str, Any]
Describe = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

SHOWN = {"jpeg_history": "JPEG", "resampling": "resampling", "face_geometry": "face", "tone": "tone"}
"""Families with a column of their own, and its name."""

JOINT = (*SHOWN, "chroma", "border", "thumbnail")
"""All families that survive in the pixels of a picture that has no matte yet."""

OLD_QUALITY = 70
"""Quality of the old JPEG that is planted; many pictures have 75 already, and another 75 would change nothing."""

LEAST = 10
"""Fewer pictures of a label than this cannot be compared."""

NETWORK_SIDE = 224
"""Side in pixels of the pictures that the network is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One line of the table: a recipe (None leaves size and frame alone) and the encoding at its end.

    `size` is the largest, until `fitted` has replaced it by what 95 % of the sample of each label allow.
    """

    name: str
    recipe: Recipe | None = None
    size: int = recipes.MOST
    format: str = "jpeg"
    quality: int = 90


CANDIDATES = (
    Candidate(name="none", format="png"),
    Candidate(name="none, JPEG 90"),
    Candidate(name="plain", recipe=PLAIN),
    Candidate(name="plain, 224 px", recipe=PLAIN, size=224),
    Candidate(name="forensic", recipe=FORENSIC),
    Candidate(name="forensic, PNG", recipe=FORENSIC, format="png"),
    Candidate(name="forensic, JPEG 75", recipe=FORENSIC, quality=75),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one picture shows after one candidate, and what it shows where something had been planted before."""

    values: Mapping[str, Values]
    spectrum: NDArray[np.float32]
    traced: NDArray[np.float32] | None
    old: Values | None
    features: NDArray[Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One picture of the sample: whether a face was found, and a look a candidate; None where it is too small."""

    record: Record
    face: bool = False
    looks: Sequence[Look | None] = ()


def compare(
    project: Project,
    *,
    source: Path | None = None,
    sample: int = 100,
    weights: str = "",
    candidates: Sequence[Candidate] | None = None,
    workers: int | None = None,
    track: Track = lambda rows, _: rows,
) -> tuple[list[Row], str]:
    """Run candidates on `sample` pictures a label; return a row for each, and a remark on the faces found.

    Nothing is written. Raises ManifestError when a label has fewer than LEAST pictures that can be decoded, and
    MissingExtra when weights are given and torch is absent.
    """
    describe = _extractor(weights) if weights else None
    workers = workers or cores()
    records = sampled(manifest.read(source or project.before("normalize")), sample)
    _refuse_too_few(records, project)
    negative, positive = project.declared.labels
    chosen = [fitted(one, records, project.store) for one in candidates or CANDIDATES]
    strength = trace.calibrated(_images((one for one in records if one.label == negative), project.store))
    work = partial(
        look_at, candidates=chosen, store=project.store, strength=strength, traced=negative, network=bool(weights)
    )
    done = track(ordered_map(work, ((record, None) for record in records), workers=workers), len(records))
    looked = [_described(one, describe) for one in done if one.looks]
    _refuse_too_few([one.record for one in looked], project)
    rows = [
        _row(one, [(each.record, look) for each in looked if (look := each.looks[number])], positive, workers)
        for number, one in enumerate(chosen)
    ]
    return rows, _faces(looked)


def _extractor(weights: str) -> Describe:
    """Return what turns pictures into features of a trained network; everything else here works without torch."""
    from train.network import frozen

    return frozen.extractor(weights)


def _refuse_too_few(records: Sequence[Record], project: Project) -> None:
    counted = Counter(record.label for record in records)
    for label in project.declared.labels:
        if counted[label] < LEAST:
            raise ManifestError(
                f"a comparison needs {LEAST} pictures of each label that can be decoded; {label} has {counted[label]}",
                "fetch more pictures with curate fetch",
            )


def sampled(records: Iterable[Record], each: int) -> list[Record]:
    """Choose `each` of the `ok` records of every label, by their content, so that the choice never depends on order."""
    by_label: dict[str, list[Record]] = {}
    for record in records:
        if record.status == OK:
            by_label.setdefault(record.label, []).append(record)
    chosen = (heapq.nsmallest(each, rows, key=lambda one: (one.origin, one.key)) for rows in by_label.values())
    return sorted((record for rows in chosen for record in rows), key=lambda one: one.key)


def look_at(
    record: Record, *, candidates: Sequence[Candidate], store: Store, strength: float, traced: str, network: bool
) -> Looked:
    """Decode one picture, plant something in a copy, and look at both after every candidate."""
    try:
        picture = pixels.decode(store.read(record.file))
    except CannotDecode:
        return Looked(record=record)
    seed, face = pixels.pixel_digest(picture.image), find_face(picture.image)
    kept = believed(face, picture)
    is_traced = record.label == traced
    other = trace.planted(picture.image, strength * trace.share(seed)) if is_traced else _old(picture.image)

    def look(one: Candidate) -> Look | None:
        if one.recipe and min(picture.image.size) < one.recipe.needs(one.size):
            return None
        box = recipes.square(one.recipe, picture.image.size, kept, one.size, seed) if one.recipe else None
        seen = replace(_made(picture.image, box, one), box=_moved(face, box, one.size))
        copy = _made(other, box, one)
        side = (NETWORK_SIDE, NETWORK_SIDE)
        return Look(
            values={name: family(name).measure(seen) for name in JOINT},
            spectrum=trace.spectrum(seen.image),
            traced=trace.spectrum(copy.image) if is_traced else None,
            old=None if is_traced else family("jpeg_history").measure(copy),
            features=np.asarray(seen.image.resize(side, Image.Resampling.BILINEAR)) if network else None,
        )

    return Looked(record=record, face=face is not None, looks=[look(one) for one in candidates])


def _made(image: Image.Image, box: Box | None, one: Candidate) -> Seen:
    cut = image if box is None else pixels.downscale(image, box, one.size)
    content = pixels.encode(cut, one.format, one.quality)
    return Seen(content=content, image=Image.open(io.BytesIO(content)).convert("RGB"))


def _old(image: Image.Image) -> Image.Image:
    """Return the picture as an old JPEG leaves it."""
    content = pixels.encode(image, "jpeg", OLD_QUALITY)
    return Image.open(io.BytesIO(content)).convert("RGB")


def _moved(face: Box | None, box: Box | None, size: int) -> Box | None:
    if face is None or box is None:
        return face
    return pixels.within(face, box, size) if pixels.mostly_within(face, box) else None


def fitted(one: Candidate, records: Sequence[Record], store: Store) -> Candidate:
    """Replace the size of a candidate by the largest up to it that 95 % of the sample of each label allow."""
    if one.recipe is None:
        return one
    sides = shorter_sides(records, store)
    return replace(one, size=min(one.size, recipes.largest_size(one.recipe, min(sides.values(), default=0))))


def _images(records: Iterable[Record], store: Store) -> Iterator[tuple[Image.Image, str]]:
    for record in records:
        with suppress(CannotDecode):
            image = pixels.decode(store.read(record.file)).image
            yield image, pixels.pixel_digest(image)


def _described(one: Looked, describe: Describe | None) -> Looked:
    """Replace the small pictures by what the network sees in them: they would fill the memory."""
    if describe is None:
        return one
    looks = [
        look and replace(look, features=describe(np.asarray(look.features)[None])[0].astype(np.float64))
        for look in one.looks
    ]
    return replace(one, looks=looks)


def _row(one: Candidate, seen: Sequence[tuple[Record, Look]], positive: str, workers: int) -> Row:
    """Return one line of the table: AUCs of what is left of the shortcuts, and of what is kept of the signals."""
    is_positive = np.array([record.label == positive for record, _ in seen])
    columns = {name: sorted(seen[0][1].values[name]) for name in JOINT}
    values = {name: _matrix([look.values[name] for _, look in seen], columns[name]) for name in JOINT}
    everything = {ALL: np.concatenate([values[name] for name in JOINT], axis=1)}
    names = {ALL: [f"{name}.{column}" for name in JOINT for column in columns[name]]}
    found = probe(
        {**names, **columns}, {**everything, **{name: values[name] for name in SHOWN}}, is_positive,
        groups_of(record for record, _ in seen), permutations=1, workers=workers, joint=False,
    )  # fmt: skip
    aucs = {each.family: each for each in found}
    spectra = [(look.spectrum, look.traced) for _, look in seen if look.traced is not None]
    history = [(look.values["jpeg_history"], look.old) for _, look in seen if look.old is not None]
    row: Row = {
        "recipe": one.name,
        "size": one.size if one.recipe else "",
        "n": len(seen),
        "joint": f"{aucs[ALL].auc:.2f} [{aucs[ALL].low:.2f}-{aucs[ALL].high:.2f}]",
        **{title: round(aucs[name].auc, 2) for name, title in SHOWN.items()},
        "old JPEG": round(
            trace.separable(*(_matrix(side, columns["jpeg_history"]) for side in zip(*history, strict=True))), 2
        ),
        "trace": round(trace.separable(*(np.array(side, dtype=float) for side in zip(*spectra, strict=True))), 2),
    }
    if features := [look.features for _, look in seen if look.features is not None]:
        row["network"] = round(trace.auc_of(np.stack(features), is_positive), 2)
    return row


def _matrix(rows: Sequence[Values], columns: Sequence[str]) -> Floats:
    return np.array([[row.get(column, np.nan) for column in columns] for row in rows], dtype=np.float64)


def _faces(looked: Sequence[Looked]) -> str:
    """Say in how many pictures of each label a face was found: where that differs, a crop on the face tells."""
    all_, found = Counter(one.record.label for one in looked), Counter(one.record.label for one in looked if one.face)
    return "Faces found: " + ", ".join(f"{label} {found[label] / all_[label]:.0%}" for label in sorted(all_))
