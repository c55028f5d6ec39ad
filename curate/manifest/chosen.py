"""A final manifest whose pictures were chosen by numbers: by which, among whom, and who chose apart from whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curate.evidence.measure import Table
from curate.evidence.probe import side_by_side
from curate.evidence.transfer import Pool, elsewhere, transfer
from curate.evidence.verdict import ALL, SURE, Probe
from curate.manifest.balance import Key
from curate.manifest.given import GIVEN
from curate.manifest.matched import choice_of
from curate.manifest.parts import division
from curate.manifest.work import candidates, selective
from imageledger.errors import ManifestError
from imageledger.manifest import Card, card_path
from imageledger.record import Record
from imageledger.types import Bools, Track, untracked


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """How the pictures of a final manifest were chosen by numbers.

    `families` are those in which the classes were made to agree, `parts` says in which part every candidate was, and
    `others` are the candidates that were passed over.
    """

    families: tuple[str, ...]
    parts: Mapping[Key, int]
    others: tuple[Record, ...]


def chosen_by_numbers(path: Path, records: Sequence[Record]) -> Chosen | None:
    """Read from a final manifest and its card how it was chosen; None where no number had a say."""
    try:
        settings: Mapping[str, Any] = Card.read(card_path(path)).settings
    except ManifestError:
        return None
    families, per_class, seed = settings.get("match"), settings.get("per_class"), settings.get("seed")
    there = candidates(records)
    choices = [choice_of(record) for record in there]
    if (
        settings.get("split") == GIVEN
        or not families
        or not isinstance(per_class, int)
        or not selective(choices, per_class)
    ):
        return None
    divided = division(choices, per_class, seed if isinstance(seed, int) else 0)
    return Chosen(
        families=tuple(families), parts=divided[0] if divided else {},
        others=tuple(record for record in there if not record.split),
    )  # fmt: skip


def matched_on(path: Path) -> tuple[str, ...]:
    """Return the families in which a final manifest was asked to let the classes agree, by its card."""
    try:
        return tuple(Card.read(card_path(path)).settings.get("match") or ())
    except (ManifestError, TypeError):
        return ()


def judged_elsewhere(
    probes: Sequence[Probe], table: Table, chosen: Chosen, count: int, positive: Bools, groups: Sequence[str],
    *, seed: int, permutations: int, workers: int, apart: Sequence[str] = (),
    sure: float = SURE, track: Track = untracked,
) -> list[Probe]:  # fmt: skip
    """Judge probes of chosen pictures, the first `count` rows of a table, by probes that share no picture with them.

    The other rows are candidates that were passed over; `positive` and `groups` belong to all rows.
    """
    given = Pool(
        chosen=np.arange(len(table.records)) < count, positive=positive, groups=groups,
        part=np.array([chosen.parts.get(record.key, 0) for record in table.records]),
    )  # fmt: skip
    if not given.judged:
        return elsewhere(probes, {}, positive[:count], sure=sure)
    tables = {probe.family: table.values[probe.family] for probe in probes if probe.family != ALL}
    together = [name for name in table.values if name not in apart and np.isfinite(table.values[name][:count]).any()]
    if any(probe.family == ALL for probe in probes):
        tables[ALL] = side_by_side(table.columns, table.values, together)[1]
    told = transfer(tables, given, seed=seed, permutations=permutations, workers=workers, sure=sure, track=track)
    return elsewhere(probes, {each.family: each for each in told}, positive[:count], sure=sure)
