"""Bring predictions together with their records and pictures: the part of the audits that reads files."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from curate.pictures.shown import Shown as Shown
from curate.pictures.shown import show_in_folder
from curate.pictures.shown import show_object as show_object
from imageledger.config import Project
from imageledger.record import Record
from imageledger.sheet import Cell, Frame
from imageledger.store import Store
from train.runs import Prediction, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ranked prediction with its record and pictures; `original` and `matte` are None where there can be none."""

    rank: int
    prediction: Prediction
    record: Record | None
    seen: Shown
    original: Shown | None = None
    matte: Shown | None = None
    notes: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The id of its place on the page."""
        return f"p{self.rank}"


def entry_of(project: Project, run: Run, rank: int, prediction: Prediction, record: Record | None) -> Entry:
    """Open the pictures of one prediction; whatever cannot be shown says so in its place, and nothing is raised."""
    if not prediction.file:
        seen = show_in_folder(project.root / run.folder, prediction.member) if run.folder else _NO_OBJECT
        return Entry(rank=rank, prediction=prediction, record=record, seen=seen)
    seen = show_object(project.store, prediction.file)
    if record is None:
        notes = ("This picture is no longer in the manifest, so its chain is unknown.",)
        return Entry(rank=rank, prediction=prediction, record=None, seen=seen, notes=notes)
    original = show_object(project.store, record.origin) if record.origin != prediction.file else None
    matte = show_object(project.store, record.matte) if record.matte else None
    return Entry(
        rank=rank, prediction=prediction, record=record, seen=seen, original=original, matte=matte,
        notes=tuple(_differences(prediction, record)),
    )  # fmt: skip


def cell_of(store: Store, prediction: Prediction, positive: str, share: float | None = None) -> Cell:
    """Show what a model saw of one picture, and what it answered; `share` stands in for its P(positive)."""
    seen = show_object(store, prediction.file) if prediction.file else _NO_OBJECT
    share = prediction.probability if share is None else share
    return Cell(
        frames=(Frame(picture=seen.image, missing=seen.missing),),
        title=prediction.member,
        lines=(f"{prediction.label}, P({positive}) {share:.2f}",),
    )


def unshown(entries: Iterable[Entry]) -> Counter[str]:
    """Count the pictures that could not be shown, by reason."""
    parts = (part for entry in entries for part in (entry.seen, entry.original, entry.matte) if part)
    return Counter(part.missing for part in parts if part.missing)


def _differences(prediction: Prediction, record: Record) -> Iterable[str]:
    if record.file != prediction.file:
        yield "The manifest now holds another picture here; this is the picture that the model saw."
    if record.label != prediction.label:
        yield f"The manifest now labels it {record.label}; the model was told {prediction.label}."


_NO_OBJECT = Shown(missing="the run names no picture")
