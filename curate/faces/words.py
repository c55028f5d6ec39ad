"""Say how many faces the pictures of each class show, and which class loses more for want of one. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from curate.history import normalized
from imageledger.counted import Counted
from imageledger.record import OK, Record, groups_of

NO_FACE = "no face found"
DOUBTFUL = "the face is not found again in the mirrored picture"

SELECTIVE = 0.05
"""Below this p of Fisher's exact test the shares without a face differ between the labels."""


def faces_said(records: Iterable[Record]) -> str:
    """Say, for each label, how many `ok` pictures show one face, several and none; "" where nobody looked for faces."""
    counts = counted_faces(record for record in records if record.status == OK)
    each = "; ".join(f"{label} {' / '.join(map(str, counts[label]))}" for label in sorted(counts))
    return f"Pictures with one face / several / none: {each}." if each else ""


def counted_faces(records: Iterable[Record]) -> dict[str, tuple[int, int, int]]:
    """Return, for each label, how many originals show one face, several and none; only where somebody looked."""
    counts: dict[str, list[int]] = {}
    for record in records:
        if (faces := normalized(record).faces) is not None:
            counts.setdefault(record.label, [0, 0, 0])[(2, 0, 1)[min(max(faces, 0), 2)]] += 1
    return {label: (one, several, none) for label, (one, several, none) in counts.items()}


def lost_said(seen: Mapping[str, Sequence[Record]], what: str, is_lost: Callable[[Record], bool]) -> list[str]:
    """Say how many pictures of each label were lost, and whether chance explains the difference; [] where none was."""
    lost = {
        label: Counted(np.array([is_lost(record) for record in records]), groups_of(records))
        for label, records in seen.items()
    }
    if not any(count.hits for count in lost.values()):
        return []
    losses = ", ".join(f"{label} {lost[label].hits} of {lost[label].total}" for label in sorted(lost))
    return [f"{what}: {losses}.{_selective(lost)}"]


def for_want_of_a_face(record: Record) -> bool:
    """Tell whether a picture was rejected because no face was found, or none that is believed."""
    return record.reason in (NO_FACE, DOUBTFUL)


def by_matte(record: Record) -> bool:
    """Tell whether a picture was rejected because of its matte."""
    return record.reason.startswith("matte: ")


def after_normalize(records: Iterable[Record]) -> list[str]:
    """Return what to say about faces after normalize: which pictures were lost for want of one, and what remains."""
    rows = [record for record in records if record.steps and record.steps[-1].did.startswith("normalize@")]
    seen: dict[str, list[Record]] = {}
    for record in rows:
        seen.setdefault(record.label, []).append(record)
    lines = lost_said(seen, "Rejected because no face was found", for_want_of_a_face)
    said = faces_said(rows)
    return [*(f"{line} --no-require-face keeps them." for line in lines), *([said] if said else [])]


def _selective(lost: Mapping[str, Counted]) -> str:
    if len(lost) != 2:
        return ""
    (less, more) = sorted(lost, key=lambda label: lost[label].share)
    p = lost[more].against(lost[less])
    if p >= SELECTIVE:
        return " Chance alone could explain the difference."
    return f" This removes more of {more} than of {less} (Fisher's p = {p:.2g}), and selects which of them remain."
