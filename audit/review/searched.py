"""The queues that have to be searched for: suspected labels, pairs that look alike, examples of shortcuts."""

from collections.abc import Iterator

import numpy as np

from audit.labels.judge import judge as judge_labels
from audit.review.queues import Item, Queue, duplicates, missing
from audit.review.subject import Subject
from curate.dedupe.work import Originals, picture_of, place_of
from curate.evidence.measure import FINAL, measure
from curate.nuisance import FAMILIES
from curate.pictures.hashers import near_pairs
from imageledger.errors import LedgerError
from imageledger.foreign import json_of
from imageledger.record import OK, UNUSED, Record
from train.answers import Answers
from train.runs import CROSS_VALIDATION

NEAR = 12
"""Bits of the perceptual hash within which pictures that were both kept are worth a look."""

MOST_PAIRS = 40
EXAMPLES = 6
"""So many pictures of each class and each strong feature."""


def labels(subject: Subject) -> Queue:
    """Queue the labels that may be wrong, the most suspicious first."""
    name, title, run = "labels", "Labels that may be wrong", subject.run
    if run is None or subject.folder is None or run.kind != CROSS_VALIDATION:
        why = "Only a cross-validated run can judge labels: its models had not seen the pictures that they judge."
        return missing(name, title, why, "train cross-validate")
    try:
        suspects = judge_labels(Answers.of(subject.project, subject.folder).held_out(), ()).suspects
    except LedgerError as error:
        return missing(name, title, f"{error.what}.", error.hint)
    items = [
        Item(
            (subject.by_key[suspect.prediction.key],),
            f"Suspect {suspect.rank}: a model that had not seen it gives its label {suspect.prediction.label} a "
            f"probability of {suspect.quality:.2f}{', and confident learning counts it as wrong' * suspect.flagged}.",
        )
        for suspect in suspects
        if suspect.prediction.key in subject.by_key
    ]
    return Queue(name, title, items)


def pairs(subject: Subject) -> Queue:
    """Queue pictures that look alike: those set aside as copies, and those nearest to each other that were kept."""
    name, title = "pairs", "Near-duplicates"
    kept = [record for record in subject.rows if record.status in (OK, UNUSED) and record.phash]
    if not kept:
        return missing(name, title, "No picture has a perceptual hash yet.", "curate normalize")
    try:
        return Queue(name, title, [*duplicates(subject), *_alike(subject, kept)])
    except LedgerError as error:
        return missing(name, title, f"{error.what}.", error.hint)


def shortcuts(subject: Subject) -> Queue:
    """Queue the pictures in which the features that give a class away are strongest."""
    name, title = "shortcuts", "Examples of shortcuts"
    path = subject.project.root / "data" / "audit" / "shortcuts" / "shortcuts.json"
    try:
        probes = json_of(path.read_bytes())["stages"][-1]["probes"]
        strong = {probe["family"]: probe["strongest"] for probe in probes if probe["verdict"] == "SHORTCUT"}
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return missing(name, title, "Nobody has looked for shortcuts.", "audit shortcuts --stage all")
    families = {spelled.replace("-", "_"): feature for spelled, feature in strong.items()}
    return Queue(name, title, list(_examples(subject, families)))


def _alike(subject: Subject, kept: list[Record]) -> Iterator[Item]:
    pictures = [picture_of(record) for record in kept]
    near = near_pairs(np.array([picture.phash for picture in pictures], dtype=np.uint64), NEAR)
    nearest = sorted((distance, i, j) for i, j, distance in near)[:MOST_PAIRS]
    originals = Originals(subject.project.store, {record.key: place_of(record) for record in kept})
    for distance, i, j in nearest:
        alike = originals.alike(pictures[i], pictures[j], False)
        yield Item(
            (kept[i], kept[j]),
            f"Both were kept: their hashes differ in {distance} of 64 bits, and the similarity of their pixels is "
            f"{max(0.0, alike):.2f}.",
        )


def _examples(subject: Subject, families: dict[str, str]) -> Iterator[Item]:
    chosen = [record for record in subject.rows if record.status == OK and record.split]
    known = {name: feature for name, feature in families.items() if name in FAMILIES.names()}
    if not chosen or not known:
        return
    table = measure(subject.project, chosen, list(known), stage=FINAL, workers=1)
    for family, feature in known.items():
        if feature not in table.columns[family]:
            continue
        values = table.values[family][:, list(table.columns[family]).index(feature)]
        for label in subject.project.declared.labels:
            own = [n for n, record in enumerate(chosen) if record.label == label and np.isfinite(values[n])]
            rest = [n for n, record in enumerate(chosen) if record.label != label and np.isfinite(values[n])]
            if not own or not rest:
                continue
            middle, other = (float(np.median(values[rows])) for rows in (own, rest))
            sign = 1.0 if middle >= other else -1.0
            for n in sorted(own, key=lambda n: -sign * values[n])[:EXAMPLES]:
                yield Item(
                    (chosen[n],),
                    f"{family.replace('_', '-')}, {feature.replace('_', ' ')}: {values[n]:.3g} here; the median of "
                    f"{label} is {middle:.3g}, that of the other class {other:.3g}. This tells the classes apart.",
                )
