"""Gather the mistakes of a run: pictures, attention, numbers, neighbours, copies, and the causes that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audit.labels import file_witness
from audit.pictures import Shown, entry_of, show_object
from audit.report.mistakes import facts as gathered
from audit.report.mistakes.attended import Kept, attended
from audit.report.mistakes.causes import NUMBERS, Facts, causes
from audit.report.mistakes.compared import Outside, compared
from audit.report.mistakes.copies import Copies
from audit.report.mistakes.nearby import Nearby, nearby
from audit.report.mistakes.numbers import Beside, beside
from audit.report.mistakes.section import Card, Direction, MistakesSection, Neighbour, Thumb
from audit.report.subject import Subject
from curate.evidence.measure import FETCHED, FINAL, measure, measured_before
from curate.nuisance import for_files
from imageledger.errors import LedgerError
from imageledger.store import Store
from imageledger.types import Floats, Track, untracked
from train.answers import Answers

SHOWN = (24, 8)
"""So many mistakes of the negative and of the positive class are shown in full, the rest as thumbnails."""

THUMBS = 120
"""At most so many thumbnails of a class."""

SAMPLE = 40
"""So many pictures of each class, as good as by chance, say where models look in it."""

SIDE, SMALL = 220, 76
"""Longer side, in pixels, of pictures on cards, and of thumbnails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What is known of all pictures that a run is judged by."""

    subject: Subject
    answers: Answers
    facts: Mapping[int, Facts]
    kept: Kept
    unlooked: str
    near: Nearby
    beside: Beside
    copies: Copies


def mistakes(subject: Subject, *, track: Track = untracked) -> MistakesSection | None:
    """Show what a run got wrong among the pictures that its models had not seen; None without a run or such pictures.

    Raises RunError for predictions that are missing or damaged. Whatever else cannot be had (the models, the objects,
    the manifest) leaves its place empty, and the section says why.
    """
    if subject.folder is None:
        return None
    answers = Answers.of(subject.project, subject.folder)
    if not answers.held.any():
        return None
    answers = answers.held_out()
    wrong = (answers.shares >= 0.5) != answers.positive
    order = np.lexsort((np.arange(len(wrong)), np.abs(answers.shares - answers.positive) * -1.0))
    sides = [[int(row) for row in order if wrong[row] and answers.positive[row] == side] for side in (False, True)]
    first = [row for rows, most in zip(sides, SHOWN, strict=True) for row in rows[:most]]
    sample = _sample(answers)
    kept, unlooked = attended(answers, list(dict.fromkeys([*first, *sample])), subject.project.store, track)
    near = nearby(answers, [row for rows in sides for row in rows], subject.project, track)
    facts, unmeasured = _facts(subject, answers, [row for rows in sides for row in rows], near, track)
    known = Gathered(
        subject=subject, answers=answers, facts=facts, kept=kept, unlooked=unlooked, near=near,
        beside=beside(subject.project, answers), copies=Copies.of(subject.rows),
    )  # fmt: skip
    return MistakesSection(
        directions=[_direction(known, side, rows, most)
                    for side, rows, most in zip((False, True), sides, SHOWN, strict=True)],
        positive=answers.labels[1], attention=_compared(known, sample),
        lines=[line for line in (
            f"Where the model looked is not known: {unlooked}." if unlooked else "",
            f"Nearest training pictures are not known: {near.missing}." if near.missing else "", unmeasured,
        ) if line],
    )  # fmt: skip


def _facts(
    subject: Subject, answers: Answers, rows: Sequence[int], near: Nearby, track: Track
) -> tuple[Mapping[int, Facts], str]:
    """Return the facts about mistaken pictures, and what to say where the numbers could not be measured."""
    there = [row for row, record in enumerate(answers.records) if record and record.file == answers.files[row]]
    place, records = {row: at for at, row in enumerate(there)}, [answers.records[row] for row in there]
    numbers: Mapping[str, Floats] = {name: np.full(len(there), np.nan) for name in NUMBERS}
    by_file, auc, said = np.full(len(answers.files), np.nan), 0.5, ""
    own = [record for record in records if record]
    try:
        numbers = gathered.numbers_of({
            stage: measure(subject.project, own, sorted({of for at, of, _ in NUMBERS.values() if at == stage}),
                           stage=stage, track=track)
            for stage in (FETCHED, FINAL)
        })  # fmt: skip
        by_file, auc = _witness(subject, answers, there)
    except LedgerError as error:
        said = f"Numbers of the pictures are missing: {error}."
    positive = answers.positive[there]
    classes = {side: gathered.class_of(numbers, positive == side) for side in (False, True)}
    found = {}
    for row in rows:
        side = bool(answers.positive[row])
        sure = float(1 - answers.shares[row] if side else answers.shares[row])
        others = np.abs(answers.shares - side)[answers.positive != side]
        counted = near.counted(row, side)
        found[row] = gathered.facts(
            answers.records[row] if row in place else None, place.get(row), numbers, classes[side],
            actual=answers.labels[side], called=answers.labels[not side], sure=sure,
            typical=gathered.typical_of(sure, others), near=counted,
            by_file=_called(float(by_file[row]), side), file_auc=auc,
        )  # fmt: skip
    return found, said


def _witness(subject: Subject, answers: Answers, there: Sequence[int]) -> tuple[Floats, float]:
    """Return P(positive) of each picture by its file, where the files of all have been measured before."""
    shares, own = np.full(len(answers.files), np.nan), answers.pick(there)
    records = own.known()
    _, measured = measured_before(subject.project, records, for_files(), stage=FETCHED)
    if own.fewest < file_witness.FEWEST or not all(have.all() for have in measured.values()):
        return shares, 0.5
    witness = file_witness.ask(subject.project, records, own.positive, own.groups)
    shares[list(there)] = witness.shares
    return shares, witness.auc


def _called(share: float, side: bool) -> float | None:
    """Return the probability of the class called; None where it is not known."""
    return None if np.isnan(share) else (1 - share if side else share)


def _sample(answers: Answers) -> list[int]:
    """Choose pictures of each class by the names of their objects, which nobody chose."""
    rows = sorted(range(len(answers.files)), key=lambda row: answers.files[row])
    return [row for side in (False, True) for row in [n for n in rows if answers.positive[n] == side][:SAMPLE]]


def _compared(known: Gathered, sample: Sequence[int]) -> Outside | None:
    answers, looked = known.answers, known.kept.looked
    rows = [row for row in sample if (one := looked.get(answers.files[row])) and one.outside_face is not None]
    seen = [looked[answers.files[row]] for row in rows]
    return compared(
        [one.outside_face or 0.0 for one in seen], [one.face_area or 0.0 for one in seen],
        answers.positive[rows].tolist(), [answers.groups[row] for row in rows], answers.labels,
    )  # fmt: skip


def _direction(known: Gathered, side: bool, rows: Sequence[int], most: int) -> Direction:
    labels = known.answers.labels
    cards = [_card(known, row, f"mistake-{labels.index(labels[side]) + 1}-{rank}", rank)
             for rank, row in enumerate(rows[:most], 1)]  # fmt: skip
    return Direction(
        actual=labels[side], called=labels[not side], total=len(rows), cards=cards,
        rest=[_thumb(known, row) for row in rows[most : most + THUMBS]],
    )  # fmt: skip


def _card(known: Gathered, row: int, anchor: str, rank: int) -> Card:
    answers, store = known.answers, known.subject.project.store
    record, prediction = answers.records[row], answers.predictions[row]
    neighbours = [
        Neighbour(label=one.label, member=one.member, alike=one.alike, shown=_small(store, one.file))
        for one in known.near.of(row)
    ]
    return Card(
        entry=entry_of(known.subject.project, answers.run, rank, prediction, record), anchor=anchor,
        proposals=causes(known.facts[row]),
        heat=known.kept.overlay_of(prediction.file, known.unlooked or "not looked at: no longer what the model saw"),
        looked=known.kept.looked.get(prediction.file), numbers=known.beside.of(row), neighbours=neighbours,
        copies=known.copies.of_record(record) if record else (),
    )  # fmt: skip


def _small(store: Store, name: str) -> Shown:
    """Open a picture to show small; a name that no object can have shows nothing."""
    return show_object(store, name, 2 * SMALL)


def _thumb(known: Gathered, row: int) -> Thumb:
    prediction, store = known.answers.predictions[row], known.subject.project.store
    shown = show_object(store, prediction.file, SMALL) if prediction.file else Shown(missing="a file of a folder")
    return Thumb(prediction=prediction, shown=shown, cause=causes(known.facts[row])[0].cause)
