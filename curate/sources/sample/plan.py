"""Which pictures `sample:` holds and what is wrong with some of them: decided from the seed, without drawing any."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from curate.sources.sample.pipelines import AI, REAL
from imageledger.record import DUPLICATE, OK, REJECTED, UNREADABLE

PICTURES_PER_CLASS = 170

CLEAN = ""
WRONG_EXTENSION = "wrong extension"
ROTATED = "turned by EXIF"
CMYK = "CMYK"
PALETTE = "palette"
ALPHA = "alpha"
SIXTEEN_BIT = "16 bits"
TORN = "torn file"
EMPTY = "empty file"
WEB_PAGE = "web page"
BYTE_COPY = "byte copy"
RECOMPRESSED = "recompressed copy"
MIRRORED = "mirrored copy"
CONFLICT = "under both labels"
WRONG_LABEL = "wrong label"
TOO_SMALL = "too small"

SUSPECT = "suspect"
"""Not a status: curation cannot recognise such a picture, only an audit can point at it."""

PLANTED_PER_CLASS: Mapping[str, int] = {
    WRONG_EXTENSION: 3, ROTATED: 3, CMYK: 2, PALETTE: 2, ALPHA: 2, SIXTEEN_BIT: 2, TORN: 3, EMPTY: 1, WEB_PAGE: 1,
    BYTE_COPY: 2, RECOMPRESSED: 3, MIRRORED: 1, CONFLICT: 1, WRONG_LABEL: 3, TOO_SMALL: 2,
}  # fmt: skip

EXPECTED: Mapping[str, str] = {
    WRONG_EXTENSION: OK, ROTATED: OK, CMYK: OK, PALETTE: OK, ALPHA: OK, SIXTEEN_BIT: OK, TORN: UNREADABLE,
    EMPTY: UNREADABLE, WEB_PAGE: UNREADABLE, BYTE_COPY: DUPLICATE, RECOMPRESSED: DUPLICATE, MIRRORED: DUPLICATE,
    CONFLICT: REJECTED, WRONG_LABEL: SUSPECT, TOO_SMALL: REJECTED,
}  # fmt: skip
"""What curation should make of each problem; `ok` means handled without losing the picture."""

COPIES = (BYTE_COPY, RECOMPRESSED, MIRRORED)
SHORT_SIDE = (430, 590)
SHORT_SIDE_TOO_SMALL = (200, 330)
SHORT_SIDE_TO_COPY = 512
"""Copies are made smaller; those of originals from this size on are still large enough to be kept."""

SHAPES = ((4, 4), (4, 5), (3, 4), (5, 4))
CELL = 64
"""The sides of a generated picture are multiples of so many pixels."""

FORMATS: Mapping[str, tuple[str, ...]] = {REAL: ("JPEG",) * 14 + ("PNG",), AI: ("JPEG",) * 4 + ("PNG",)}
QUALITY: Mapping[str, tuple[int, int]] = {REAL: (86, 92), AI: (92, 97)}
SUFFIXES: Mapping[str, str] = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}
DISGUISES = (("PNG", "jpg"), ("WEBP", "png"), ("JPEG", "png"))
ORIENTATIONS = (6, 3, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One planned file: what is drawn, by which pipeline (`how`), how it is written, and what is wrong with it.

    `turn` picks among the variants of a problem; `of` names the member that this one was copied from.
    """

    name: str
    label: str
    how: str
    chance: int
    size: tuple[int, int]
    format: str
    quality: int
    problem: str = CLEAN
    turn: int = 0
    of: str = ""


def chance(*parts: object) -> int:
    """Return the number, below 2**63, that belongs to these words: the first bits of their sha256."""
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@lru_cache(maxsize=8)
def plan(seed: int) -> Mapping[str, Shot]:
    """Return all planned files by name, sorted; takes milliseconds."""
    shots = [shot for label in (REAL, AI) for shot in _shots(seed, label)]
    originals = {label: _originals(shots, label) for label in (REAL, AI)}
    settled = [_settled(shot, originals) for shot in shots]
    return {shot.name: shot for shot in sorted(settled, key=lambda shot: shot.name)}


def _shots(seed: int, label: str) -> Iterator[Shot]:
    rng = np.random.Generator(np.random.PCG64(chance("plan", seed, label)))
    problems = [(problem, turn) for problem, count in PLANTED_PER_CLASS.items() for turn in range(count)]
    problems += [(CLEAN, turn) for turn in range(PICTURES_PER_CLASS - len(problems))]
    other = AI if label == REAL else REAL
    for number, place in enumerate(rng.permutation(len(problems)).tolist(), 1):
        problem, turn = problems[place]
        how = other if problem == WRONG_LABEL else label
        size = _size(rng, how, SHORT_SIDE_TOO_SMALL if problem == TOO_SMALL else SHORT_SIDE)
        format, quality = FORMATS[how][int(rng.integers(len(FORMATS[how])))], int(rng.integers(*QUALITY[how]))
        format, suffix = _written(problem, turn, format)
        yield Shot(
            name=f"{label}/{number:04}.{suffix}", label=label, how=how,
            chance=chance("sitter", seed, label, number), size=size, format=format, quality=quality,
            problem=problem, turn=turn,
        )  # fmt: skip


def _size(rng: np.random.Generator, how: str, sides: tuple[int, int]) -> tuple[int, int]:
    short = int(rng.integers(sides[0] // 2, sides[1] // 2)) * 2
    wide, high = SHAPES[int(rng.integers(len(SHAPES)))]
    width, height = (round(short * side / min(wide, high)) for side in (wide, high))
    return (width, height) if how == REAL else (round(width / CELL) * CELL, round(height / CELL) * CELL)


def _written(problem: str, turn: int, format: str) -> tuple[str, str]:
    """Return the format and the suffix of a file."""
    if problem == WRONG_EXTENSION:
        return DISGUISES[turn % len(DISGUISES)]
    if problem == PALETTE:
        format = ("PNG", "GIF")[turn % 2]
    elif problem in (ALPHA, SIXTEEN_BIT):
        format = "PNG"
    elif problem == TORN:
        format = ("JPEG", "PNG")[turn % 3 == 2]
    elif problem in (ROTATED, CMYK, EMPTY, WEB_PAGE, *COPIES, CONFLICT):
        format = "JPEG"
    return format, SUFFIXES[format]


def _originals(shots: list[Shot], label: str) -> list[Shot]:
    """Return the large clean photographs-to-be of a label that may be copied."""
    fit = (shot for shot in shots if shot.problem == CLEAN and shot.label == label and shot.format == "JPEG")
    return [shot for shot in fit if min(shot.size) >= SHORT_SIDE_TO_COPY]


def _settled(shot: Shot, originals: Mapping[str, list[Shot]]) -> Shot:
    """Return the shot with what it is a copy of filled in; every copy has an original of its own."""
    if shot.problem in COPIES:
        before = sum(PLANTED_PER_CLASS[kind] for kind in COPIES[: COPIES.index(shot.problem)])
        of = originals[shot.label][before + shot.turn]
    elif shot.problem == CONFLICT:
        other = AI if shot.label == REAL else REAL
        of = originals[other][sum(PLANTED_PER_CLASS[kind] for kind in COPIES) + shot.turn]
    else:
        return shot
    return replace(shot, of=of.name, how=of.how, chance=of.chance, size=of.size, quality=of.quality)
