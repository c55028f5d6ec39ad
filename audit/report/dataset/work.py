"""Gather what the report shows of the dataset: rows, kept numbers, and the few pictures that stand on the page."""

from collections.abc import Iterator, Mapping
from typing import Any

from audit.pictures import Shown, show_object
from audit.report.dataset.copies import Copies, Pair, copies_of
from audit.report.dataset.cutouts import Cutouts, cutouts_of, laid_on_white
from audit.report.dataset.files import Files, files_of
from audit.report.dataset.flow import flow_of
from audit.report.dataset.groups import Group, groups_of, labels_of
from audit.report.dataset.lost import Lost, lost_of
from audit.report.dataset.love import apart_of
from audit.report.dataset.origins import balance_of, faces_of, licences_of
from audit.report.dataset.section import CutoutShown, DatasetSection, PairShown
from audit.report.subject import Subject
from curate.evidence.measure import FETCHED, measured_before
from curate.history import made_by_normalize
from curate.look.pictures import where_they_differ
from imageledger import manifest
from imageledger.errors import ManifestError
from imageledger.manifest import Card
from imageledger.record import OK, Record
from imageledger.types import Floats, Track, untracked

SIDE, PAIRS = 160, 320
"""Longer side, in pixels, of the pictures that are opened, and of pairs, in which keypoints are looked for."""

Opened = Mapping[str, Shown]


def dataset(subject: Subject, *, track: Track = untracked) -> DatasetSection:
    """Describe the dataset of a report; only the pictures that are shown are opened.

    Raises ManifestError for rows whose notes no stage of ours writes.
    """
    groups = groups_of(subject)
    lost, cutouts = lost_of(subject), cutouts_of(subject)
    copies = copies_of(subject, _settings(subject, "dedupe"))
    paired = {record.origin for pair in copies.pairs for record in (pair.copy, pair.other) if record}
    names = list(dict.fromkeys(_names(lost, copies, cutouts)))
    opened = {
        name: show_object(subject.project.store, name, PAIRS if name in paired else SIDE)
        for name in track(names, len(names), "opening pictures of the dataset")
    }
    return DatasetSection(
        flow=flow_of(subject), lost=lost, files=_files(subject, groups), faces=faces_of(subject, groups),
        licences=licences_of(subject, groups), balance=balance_of(subject), copies=copies,
        pairs=[_pair(pair, opened) for pair in copies.pairs], cutouts=cutouts,
        mattes=[(kind, [_cutout(record, opened) for record in kind.records]) for kind in cutouts.kinds],
        before_after=[_cutout(record, opened) for record in cutouts.before_after],
        apart=apart_of(subject, _settings(subject, "manifest")), opened=opened,
    )  # fmt: skip


def _names(lost: Lost, copies: Copies, cutouts: Cutouts) -> Iterator[str]:
    """Yield the objects to open."""
    for loss in lost.shown:
        yield from (record.file or record.origin for record in loss.examples)
    for pair in copies.pairs:
        yield from (record.origin for record in (pair.copy, pair.other) if record)
    for kind in cutouts.kinds:
        for record in kind.records:
            yield from (made_by_normalize(record), record.matte, record.file)
    for record in cutouts.before_after:
        yield from (made_by_normalize(record), record.file)


def _settings(subject: Subject, stage: str) -> Mapping[str, Any]:
    """Return the settings on the card of a stage; none where it was not made or its card is damaged."""
    try:
        return Card.read(manifest.card_path(subject.project.manifest(stage))).settings
    except ManifestError:
        return {}


def _files(subject: Subject, groups: list[Group]) -> Files:
    rows = subject.rows
    numbers, there = measured_before(subject.project, rows, ["metadata"], stage=FETCHED)
    marks: dict[str, Floats] = {}
    if there["metadata"].any():
        names = numbers.columns["metadata"]
        marks = {name: numbers.values["metadata"][:, n] for n, name in enumerate(names)}
    return files_of(rows, groups, subject.labels, labels_of(subject), marks)


def _pair(pair: Pair, opened: Opened) -> PairShown:
    copy = opened[pair.copy.origin]
    other = opened[pair.other.origin] if pair.other else None
    apart = where_they_differ(other or Shown(missing="no row has its name"), copy, part=pair.part)
    return PairShown(pair=pair, copy=copy, other=other, difference=apart)


def _cutout(record: Record, opened: Opened) -> CutoutShown:
    before, after = opened[made_by_normalize(record)], opened[record.file]
    matte = opened.get(record.matte, Shown(missing="not opened"))
    if record.status != OK and before.image is not None and matte.image is not None:
        laid = laid_on_white(before.image, matte.image)
        after = Shown(image=laid) if laid is not None else Shown(missing="picture and matte differ in size")
    return CutoutShown(record=record, before=before, matte=matte, after=after)
