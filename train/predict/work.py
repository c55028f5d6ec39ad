"""Ask a model about new pictures: one row per picture, with how sure it is and what to beware of."""

import io
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from curate.normalize.size import TOO_SMALL
from curate.pictures.formats import claims_picture, sniff, what_is
from curate.sources import HEAD, BadMember, refuse_large
from curate.sources.choose import is_hidden
from imageledger.engines.local import cores, ordered_map
from imageledger.errors import RunError
from imageledger.record import OK, REJECTED, UNREADABLE
from imageledger.types import Row
from train.models import novelty
from train.models.novelty import Familiar
from train.models.open_model import Opened
from train.models.package import Package
from train.models.steps import Applied, Applier

logger = logging.getLogger(__name__)

ENCODINGS: Mapping[str, Mapping[str, Any]] = {
    "JPEG 95": {"format": "JPEG", "quality": 95},
    "JPEG 85": {"format": "JPEG", "quality": 85},
    "JPEG 75": {"format": "JPEG", "quality": 75},
    "WebP 85": {"format": "WEBP", "quality": 85},
    "0.9 of the size": {"format": "PNG", "compress_level": 1},
}
"""Ways to send a picture on that change nothing about what it shows. Each begins at the decoded original."""

SHRUNK = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One picture, ready for the network: what became of it and of its re-encodings, and its numbers."""

    name: str
    applied: Applied
    again: Sequence[Image.Image] = field(default_factory=tuple)
    numbers: Sequence[float] = ()
    fine: float = math.nan


def pictures_in(places: Iterable[str]) -> list[Path]:
    """Return the files that paths stand for, in order: a file is itself, a folder all pictures below it.

    In a folder, hidden files and files that neither are nor claim to be pictures are left out. A path where nothing
    is stays in the list: it becomes a row with the reason. Raises RunError when no file is left.
    """
    pictures = []
    for place in map(Path, places):
        if place.is_dir():
            inside = sorted(path for path in place.rglob("*") if not is_hidden(path.relative_to(place).as_posix()))
            files = [path for path in inside if path.is_file() and (claims_picture(path.name) or _head(path))]
            logger.info("%s: %d pictures", place, len(files))
            pictures += files
        else:
            pictures.append(place)
    if not pictures:
        raise RunError("there is no picture to look at", "name pictures, folders that hold some, or - for a list")
    return pictures


def predict(
    model: Opened, paths: Sequence[Path], *, stability: bool = True, workers: int | None = None
) -> Iterator[Row]:
    """Yield one row per picture, in order, as JSON values; a bad picture is a row with status and reason.

    "probability" is the calibrated P(positive), 0..1, "uncalibrated" the network's own, "verdict" a label or "unsure";
    all are None unless "status" is ok. "stability" tells how the probability holds over re-encodings.
    """
    work = partial(prepared, applier=model.applier, familiar=model.package.familiar, stability=stability)
    jobs: Iterator[tuple[Path, Prepared | None]] = ((path, None) for path in paths)
    for ready in ordered_map(work, jobs, workers=workers or cores()):
        images = [image for image in (ready.applied.image, *ready.again) if image is not None]
        try:
            answers = model.ask(images) if images else []
        except RunError as error:  # of `train.views`, for a picture that is too small for them
            ready, answers = replace(ready, applied=Applied(status=REJECTED, reason=error.what)), []
        yield row_of(model.package, ready, answers, stability)


def prepared(path: Path, *, applier: Applier, familiar: Familiar | None, stability: bool) -> Prepared:
    """Read one picture and make of it, and of its re-encodings, what training would have made. Runs in a worker."""
    try:
        content = _read(path)
    except _Unread as why:
        return Prepared(name=str(path), applied=Applied(status=UNREADABLE, reason=str(why)))
    applied = applier(content)
    if applied.image is None or applied.original is None:
        return Prepared(name=str(path), applied=replace(applied, original=None), fine=_fine(applied, familiar))
    again = [applier(other).image for other in re_encoded(applied.original)] if stability else []
    numbers = novelty.numbers_of(content, applied.image, applied.face, applied.looked) if familiar else ()
    return Prepared(
        name=str(path),
        applied=Applied(image=applied.image, face=applied.face, looked=applied.looked),
        again=[image for image in again if image is not None],
        numbers=numbers,
        fine=_fine(applied, familiar),
    )


def re_encoded(original: Image.Image) -> Iterator[bytes]:
    """Yield the original in every one of ENCODINGS."""
    for name, options in ENCODINGS.items():
        image = original
        if name == "0.9 of the size":
            smaller = [max(1, round(SHRUNK * side)) for side in original.size]
            image = original.resize((smaller[0], smaller[1]), Image.Resampling.LANCZOS)
        target = io.BytesIO()
        try:
            image.save(target, **options)
        except (OSError, ValueError):  # WebP holds no more than 16,383 pixels a side
            continue
        yield target.getvalue()


def row_of(package: Package, picture: Prepared, answers: Sequence[float], stability: bool) -> Row:
    """Put together what is printed of one picture; `answers` is P(positive) of it and of its re-encodings."""
    shares = [package.calibration.of(share) if package.calibration else share for share in answers]
    applied = picture.applied
    return {
        "picture": picture.name,
        "status": applied.status,
        "reason": applied.reason,
        "positive": package.labels[-1],
        "probability": _short(shares[0]) if shares else None,
        "verdict": verdict(package, shares[0]) if shares else None,
        "uncalibrated": _short(answers[0]) if answers else None,
        "calibrated": package.calibration is not None,
        "stability": _stability(package, shares) if stability and shares else None,
        "warnings": list(_warnings(package, picture, shares)),
    }


def verdict(package: Package, share: float) -> str:
    """Return the label that a P(positive) is enough for, or "unsure" where a calibration says so."""
    if package.calibration is not None:
        return package.calibration.verdict(share, package.labels)
    return package.labels[share > package.threshold]


def _stability(package: Package, shares: Sequence[float]) -> Row:
    sides = [share > package.threshold for share in shares]
    flips = sum(side != sides[0] for side in sides[1:])
    of = len(shares) - 1
    low, high = min(shares), max(shares)
    return {"of": of, "flips": flips, "flip_share": flips / of if of else None, "low": _short(low),
            "high": _short(high), "spread": _short(high - low)}  # fmt: skip


def _warnings(package: Package, picture: Prepared, shares: Sequence[float]) -> Iterator[str]:
    applied, familiar = picture.applied, package.familiar
    if applied.reason.startswith(TOO_SMALL):
        yield applied.reason
    elif applied.reason.startswith("matte"):
        yield f"matte rejected: {applied.reason.partition(': ')[2]}"
    if (applied.looked and applied.status == OK and applied.face is None) or "no face" in applied.reason:
        yield "no face"
    if familiar is not None and familiar.fine is not None and picture.fine < familiar.fine:
        yield "upscaled: less fine detail than any training picture has"
    if familiar and picture.numbers and (away := familiar.distance(picture.numbers)) > familiar.limit:
        yield f"far from the training pictures: distance {away:.1f}; 99 % of them lie within {familiar.limit:.1f}"
    if shares and (flips := _stability(package, shares)["flips"]):
        yield f"unstable: {flips} of {len(shares) - 1} re-encodings change sides"


def _fine(applied: Applied, familiar: Familiar | None) -> float:
    if applied.original is None or familiar is None or familiar.fine is None:
        return math.nan
    return novelty.fine_of(applied.original)


class _Unread(Exception):
    """A file that cannot be read; the message is the reason for its row."""


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise _Unread("no such file" if not path.exists() else "not a file")
        refuse_large(path.stat().st_size)
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise _Unread(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except BadMember as error:
        raise _Unread(str(error)) from error
    if not sniff(content[:HEAD]) and not claims_picture(path.name):
        raise _Unread(f"not a picture: {what_is(content[:HEAD])}")
    return content


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEAD))
    except OSError:
        return ""


def _short(share: float) -> float:
    return float(f"{share:.6g}")
