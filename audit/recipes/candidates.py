"""What recipes do to a sample: how much of the shortcuts each leaves, and how much of a known signal each keeps.

Two signals are known because they are planted: a generator's trace in half of the real pictures
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
from curate.evidence.probe import probe
from curate.evidence.verdict import ALL
from curate.faces.detector import Detector
from curate.normalize import recipes
from curate.normalize.recipes import FORENSIC, PLAIN, Recipe
from curate.normalize.settings import settings_of
from curate.normalize.size import shorter_sides
from curate.normalize.work import believed, finder_of
from curate.nuisance import family
from curate.nuisance.seen import Seen, Values
from curate.pictures import pixels
from curate.pictures.pixels import Box, CannotDecode
from imageledger import manifest
from imageledger.config import Project
from imageledger.engines.local import cores, ordered_map
from imageledger.errors import ManifestError
from imageledger.intervals import with_interval
from imageledger.record import OK, Record, groups_of
from imageledger.store import Store
from imageledger.types import Floats, Row, Track, untracked

Describe = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

SHOWN = {"jpeg_history": "JPEG", "resampling": "resampling", "face_geometry": "face", "tone": "tone"}
"""Families with their own column, and its name."""

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
class Result:
    """What one picture shows after one candidate, and what it shows where something had been planted before."""

    values: Mapping[str, Values]
    spectrum: NDArray[np.float32]
    traced: NDArray[np.float32] | None
    old: Values | None
    features: NDArray[Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One picture of the sample: whether a face was found, and a result per candidate; None where it is too small."""

    record: Record
    face: bool = False
    results: Sequence[Result | None] = ()


def compare(
    project: Project,
    *,
    source: Path | None = None,
    sample: int = 100,
    weights: str = "",
    candidates: Sequence[Candidate] | None = None,
    workers: int | None = None,
    track: Track = untracked,
) -> tuple[list[Row], str]:
    """Run candidates on `sample` pictures per label; return a row for each, and a remark on the faces found.

    Nothing is written. Raises ManifestError when a label has fewer than LEAST pictures that can be decoded, and
    MissingExtra when weights are given and torch is absent.
    """
    describe = _extractor(weights) if weights else None
    workers = workers or cores()
    records = sampled(manifest.read(source or project.before("normalize")), sample)
    _refuse_too_few(records, project)
    negative, positive = project.declared.labels
    chosen = [fitted(candidate, records, project.store) for candidate in candidates or CANDIDATES]
    negatives = (record for record in records if record.label == negative)
    strength = trace.calibrated(_images(negatives, project.store))
    finder = finder_of(project, settings_of(project))
    work = partial(
        tried, candidates=chosen, store=project.store, finder=finder, strength=strength, traced=negative,
        network=bool(weights),
    )  # fmt: skip
    done = track(
        ordered_map(work, ((record, None) for record in records), workers=workers), len(records), "trying recipes"
    )
    pictures = [_described(picture, describe) for picture in done if picture.results]
    _refuse_too_few([picture.record for picture in pictures], project)
    rows = []
    for number, candidate in enumerate(chosen):
        kept = [(each.record, result) for each in pictures if (result := each.results[number])]
        rows.append(_row(candidate, kept, positive, workers))
    return rows, _faces(pictures)


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
                "curate fetch SOURCE fetches more",
            )


def sampled(records: Iterable[Record], each: int) -> list[Record]:
    """Choose `each` of the `ok` records of every label, by their content, so that the choice never depends on order."""
    by_label: dict[str, list[Record]] = {}
    for record in records:
        if record.status == OK:
            by_label.setdefault(record.label, []).append(record)
    chosen = (heapq.nsmallest(each, rows, key=lambda record: (record.origin, record.key)) for rows in by_label.values())
    return sorted((record for rows in chosen for record in rows), key=lambda record: record.key)


def tried(
    record: Record,
    *,
    candidates: Sequence[Candidate],
    store: Store,
    finder: Detector,
    strength: float,
    traced: str,
    network: bool,
) -> Tried:
    """Decode one picture, plant something in a copy, and measure both after every candidate."""
    try:
        picture = pixels.decode(store.read(record.file))
    except CannotDecode:
        return Tried(record=record)
    seed, face = pixels.pixel_digest(picture.image), finder.largest(picture.image)
    kept = believed(face, picture, finder)
    is_traced = record.label == traced
    other = trace.planted(picture.image, strength * trace.share(seed)) if is_traced else _old(picture.image)

    def result(candidate: Candidate) -> Result | None:
        if candidate.recipe and min(picture.image.size) < candidate.recipe.needs(candidate.size):
            return None
        box = (
            recipes.square(candidate.recipe, picture.image.size, kept.box if kept else None, candidate.size, seed)
            if candidate.recipe
            else None
        )
        moved = face.within(box, candidate.size) if face and box else face
        at = {"box": moved.box, "points": moved.points} if moved else {"box": None}
        seen = replace(_made(picture.image, box, candidate), **at)
        copy = _made(other, box, candidate)
        side = (NETWORK_SIDE, NETWORK_SIDE)
        return Result(
            values={name: family(name).measure(seen) for name in JOINT},
            spectrum=trace.spectrum(seen.image),
            traced=trace.spectrum(copy.image) if is_traced else None,
            old=None if is_traced else family("jpeg_history").measure(copy),
            features=np.asarray(seen.image.resize(side, Image.Resampling.BILINEAR)) if network else None,
        )

    return Tried(record=record, face=face is not None, results=[result(candidate) for candidate in candidates])


def _made(image: Image.Image, box: Box | None, candidate: Candidate) -> Seen:
    cut = image if box is None else pixels.downscale(image, box, candidate.size)
    content = pixels.encode(cut, candidate.format, candidate.quality)
    return Seen(content=content, image=Image.open(io.BytesIO(content)).convert("RGB"))


def _old(image: Image.Image) -> Image.Image:
    """Return the picture as an old JPEG leaves it."""
    content = pixels.encode(image, "jpeg", OLD_QUALITY)
    return Image.open(io.BytesIO(content)).convert("RGB")


def fitted(candidate: Candidate, records: Sequence[Record], store: Store) -> Candidate:
    """Replace the size of a candidate by the largest up to it that 95 % of the sample of each label allow."""
    if candidate.recipe is None:
        return candidate
    sides = shorter_sides(records, store)
    return replace(
        candidate, size=min(candidate.size, recipes.largest_size(candidate.recipe, min(sides.values(), default=0)))
    )


def _images(records: Iterable[Record], store: Store) -> Iterator[tuple[Image.Image, str]]:
    for record in records:
        with suppress(CannotDecode):
            image = pixels.decode(store.read(record.file)).image
            yield image, pixels.pixel_digest(image)


def _described(picture: Tried, describe: Describe | None) -> Tried:
    """Replace the small pictures by what the network sees in them: they would fill the memory."""
    if describe is None:
        return picture
    results = [
        result and replace(result, features=describe(np.asarray(result.features)[None])[0].astype(np.float64))
        for result in picture.results
    ]
    return replace(picture, results=results)


def _row(candidate: Candidate, kept: Sequence[tuple[Record, Result]], positive: str, workers: int) -> Row:
    """Return one row: AUCs of what is left of the shortcuts, and of what is kept of the signals."""
    is_positive = np.array([record.label == positive for record, _ in kept])
    results = [result for _, result in kept]
    columns = {name: sorted(results[0].values[name]) for name in JOINT}
    values = {name: _matrix([result.values[name] for result in results], columns[name]) for name in JOINT}
    everything = {ALL: np.concatenate([values[name] for name in JOINT], axis=1)}
    names = {ALL: [f"{name}.{column}" for name in JOINT for column in columns[name]]}
    probes = probe(
        {**names, **columns}, {**everything, **{name: values[name] for name in SHOWN}}, is_positive,
        groups_of(record for record, _ in kept), permutations=1, workers=workers, joint=False,
    )  # fmt: skip
    aucs = {each.family: each for each in probes}
    spectra = [(result.spectrum, result.traced) for result in results if result.traced is not None]
    history = [(result.values["jpeg_history"], result.old) for result in results if result.old is not None]
    row: Row = {
        "recipe": candidate.name,
        "size": candidate.size if candidate.recipe else "",
        "n": len(results),
        "joint": with_interval(aucs[ALL].auc, aucs[ALL].low, aucs[ALL].high),
        **{title: round(aucs[name].auc, 2) for name, title in SHOWN.items()},
        "old JPEG": round(
            trace.separable(*(_matrix(side, columns["jpeg_history"]) for side in zip(*history, strict=True))), 2
        ),
        "trace": round(trace.separable(*(np.array(side, dtype=float) for side in zip(*spectra, strict=True))), 2),
    }
    if features := [result.features for result in results if result.features is not None]:
        row["network"] = round(trace.auc_of(np.stack(features), is_positive), 2)
    return row


def _matrix(rows: Sequence[Values], columns: Sequence[str]) -> Floats:
    return np.array([[row.get(column, np.nan) for column in columns] for row in rows], dtype=np.float64)


def _faces(pictures: Sequence[Tried]) -> str:
    """Say in how many pictures of each label a face was found: where that differs, a crop on the face tells."""
    counts = Counter(picture.record.label for picture in pictures)
    faces = Counter(picture.record.label for picture in pictures if picture.face)
    shares = ", ".join(f"{100 * faces[label] / counts[label]:.0f} % of {label}" for label in sorted(counts))
    return f"A face was found in {shares}."
