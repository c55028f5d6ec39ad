"""Mattes, worst first, and pictures before and after whitening. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from audit.report.dataset.groups import Undone, labels_of
from audit.report.subject import Subject
from curate.faces.words import by_matte, lost_said
from curate.history import whitened
from curate.look.judge import worst_mattes
from curate.matting import compositing
from curate.matting.judge import LEAST_EDGE, LEAST_KEPT
from imageledger.record import Record
from imageledger.types import Key

EACH = 4
"""Mattes shown of each class and kind, and pictures of each class before and after."""

MOST = 12
"""At most so many of each kind, however many labels there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Some mattes: those refused, or the most doubtful of those kept."""

    title: str
    records: Sequence[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutouts:
    """What was judged of the mattes, the worst of each class, and ordinary pictures before and after."""

    kinds: Sequence[Kind]
    before_after: Sequence[Record]
    said: Sequence[str]
    region: str
    matting: str
    medians: Mapping[str, Mapping[str, float]]
    undone: Sequence[Undone]

    @property
    def rules(self) -> str:
        """When a matte is refused, in words."""
        return (
            f"A matte is refused where the colours on both sides of its edge differ by less than {LEAST_EDGE:g} "
            f"(CIELAB), where it keeps less than {LEAST_KEPT:.0%} of the part between eyes and mouth, has a hole in "
            "the face, several large pieces, or covers almost nothing or everything."
        ).replace("%", " %")

    def data(self) -> Mapping[str, Any]:
        """Return the judged numbers of the mattes that stand on the page, and the medians by class."""
        return {
            "region": self.region, "matting": self.matting, "medians": {k: dict(v) for k, v in self.medians.items()},
            "said": list(self.said),
            "worst": [
                {"title": kind.title, "name": record.name, "reason": record.reason, "judged": judged(record)}
                for kind in self.kinds
                for record in kind.records
            ],
        }  # fmt: skip


def cutouts_of(subject: Subject) -> Cutouts:
    """Choose the mattes to show: of each class some that were refused, and the most doubtful that stayed."""
    if "whiten" not in subject.stages:
        undone = [Undone(sentence="Nobody has been cut out and laid on white yet.", command="curate whiten")]
        return Cutouts(kinds=[], before_after=[], said=[], region="", matting="", medians={}, undone=undone)
    tried = [record for record in subject.rows if record.found("whiten")]
    seen: dict[str, list[Record]] = {}
    for record in tried:
        seen.setdefault(record.label, []).append(record)
    stated = tried[0].stated("whiten") if tried else {}
    kinds = _kinds(subject)
    stand = {record.key for kind in kinds for record in kind.records}
    return Cutouts(
        kinds=kinds, before_after=_ordinary(subject, stand), said=lost_said(seen, "Mattes refused", by_matte),
        region=str(stated.get("region", "")), matting=_with(stated), medians=_medians(seen), undone=[],
    )  # fmt: skip


def judged(record: Record) -> dict[str, float]:
    """Return what was judged of a matte: face kept (0..1), contrast, coverage (0..1), pieces, softness (0..1)."""
    note = whitened(record)
    numbers = {"kept": note.kept, "contrast": note.contrast, "coverage": note.coverage, "pieces": note.pieces,
               "softness": note.softness}  # fmt: skip
    return {name: float(value) for name, value in numbers.items() if value is not None}


def judged_in_words(record: Record) -> list[str]:
    """Say what was judged of a matte in few words."""
    note = whitened(record)
    words = []
    if note.contrast is not None:
        words.append(f"contrast at the edge {note.contrast:.1f}")
    if note.kept is not None:
        words.append(f"face kept {100 * note.kept:.0f} %")
    if note.coverage is not None:
        words.append(f"covers {100 * note.coverage:.0f} %")
    if note.pieces is not None and note.pieces != 1:
        words.append(f"{note.pieces} pieces")
    return words


def laid_on_white(image: Image.Image, matte: Image.Image) -> Image.Image | None:
    """Lay a person on white as whiten does, for a picture that it refused; None where the two do not fit."""
    if image.size != matte.size:
        return None
    alpha = np.asarray(matte.convert("L"))
    return compositing.white_composite(image, alpha, compositing.standard_edge(alpha))


def _kinds(subject: Subject) -> list[Kind]:
    """Gather the worst mattes of all classes: those refused, and those that stayed."""
    order = labels_of(subject)
    found = worst_mattes(subject.rows, 2 * EACH * len(order))
    chosen = [record for section in found for record in section.records]
    refused = _few(sorted(filter(by_matte, chosen), key=_contrast), order)
    kept = _few([record for record in chosen if not by_matte(record)], order)
    titles = ("Refused", "Kept: those with the least difference of colour across the edge")
    return [Kind(title=title, records=rows) for title, rows in zip(titles, (refused, kept), strict=True) if rows]


def _few(records: Sequence[Record], order: Sequence[str]) -> list[Record]:
    """Keep the first EACH of every class, in the order of the classes."""
    return [one for label in order for one in [record for record in records if record.label == label][:EACH]][:MOST]


def _contrast(record: Record) -> float:
    contrast = whitened(record).contrast
    return np.inf if contrast is None else contrast


def _ordinary(subject: Subject, stand: Collection[Key]) -> list[Record]:
    """Choose by lot, the same for the same pictures, some of each class that were whitened and are in use.

    Those that `stand` on the page already come last.
    """
    shown = []
    for label in labels_of(subject):
        own = [record for record in subject.chosen if record.label == label and record.found("whiten")]
        shown += sorted(own, key=lambda record: (record.key in stand, record.origin, record.key))[:EACH]
    return shown[:MOST]


def _medians(seen: Mapping[str, Sequence[Record]]) -> dict[str, dict[str, float]]:
    medians = {}
    for label, records in sorted(seen.items()):
        numbers = [judged(record) for record in records]
        names = dict.fromkeys(name for row in numbers for name in row)
        medians[label] = {name: float(np.median([row[name] for row in numbers if name in row])) for name in names}
    return medians


def _with(stated: Mapping[str, Any]) -> str:
    names = [str(stated[name]) for name in ("matting", "model") if stated.get(name)]
    return ", ".join(names)
