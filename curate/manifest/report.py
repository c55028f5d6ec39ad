"""Say what matching did: standardised differences and probes before and after, what it cost, what it could not mend."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curate.evidence.measure import WHITENED, Table, measure
from curate.evidence.probe import jointly, side_by_side
from curate.evidence.transfer import FEWEST, Pool, transfer
from curate.evidence.verdict import Told
from curate.manifest.balance import Key, Wanted, divide
from curate.manifest.matched import Selection, choice_of, select
from curate.manifest.matching.balance_table import Difference, as_csv, balance_figure, differences, title
from curate.manifest.parts import PARTS
from curate.manifest.unmended import helpful, worsened
from curate.manifest.work import ManifestSettings, selective
from curate.nuisance import FAMILIES, family
from curate.nuisance.spelling import spelled
from imageledger import spreadsheet
from imageledger.config import Project
from imageledger.engines.local import cores
from imageledger.intervals import with_interval
from imageledger.record import Record, groups_of
from imageledger.store import write_whole
from imageledger.types import Bools, Track, untracked

WORST = 8
"""So many features stand in the printed table; balance.csv holds all."""

NARROW = 2.0
"""With fewer candidates a place than this the choice is called narrow."""

FEW_PERMUTATIONS = 250
"""Enough: this table shows no p-value."""

ABSENT = "–"

JOINT, HELD = "matched on, together", "not matched on, together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The plain choice beside the matched one: differences by feature (worst first) and probes by family.

    `probes` holds (family, whether matched on, plain, matched) of probes that share no picture with what they judge;
    those of all families of one kind together are called "matched on, together" and "not matched on, together".
    Plain is None where too few of its pictures lie in a part. `inside` is what a cross-validation inside the matched
    choice says of all that were matched on.
    """

    differences: Sequence[Difference]
    probes: Sequence[tuple[str, bool, Told | None, Told]]
    inside: Told | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is shown of a matched choice: tables by title, and sentences."""

    tables: Mapping[str, Sequence[Mapping[str, str]]]
    lines: Sequence[str]


def explain(
    project: Project,
    records: Sequence[Record],
    chosen: ManifestSettings,
    *,
    selection: Selection | None = None,
    workers: int | None = None,
    track: Track = untracked,
) -> Report:
    """Compare a matched choice with the plain one; `records` are the candidates, those chosen with their split.

    `selection` is how they were chosen, where that is known; else they are chosen once more. Writes balance.csv,
    pairs.csv and balance.png into data/matched/<dataset>/.
    """
    if not chosen.match:
        return Report(tables={}, lines=[])
    if not selective(map(choice_of, records), chosen.per_class):
        return _nothing(f"there are {chosen.per_class} candidates of each label for {chosen.per_class} places")
    labels, wanted = project.declared.labels, chosen.wanted
    every = tuple(name for name in FAMILIES if family(name).of != "name")
    table = measure(project, records, every, stage=WHITENED, workers=workers, track=track)
    selection = selection or select(table.only(chosen.match), labels[-1], wanted, track)
    if selection is None:
        return _nothing("no measured number differs between the candidates")
    plain = plain_choice(records, wanted)
    compared = compare(table, plain, selection, chosen.match, labels[-1], wanted.seed, workers, track)
    folder = project.root / "data" / "matched" / project.dataset
    write_whole(folder / "balance.csv", as_csv(compared.differences).encode())
    write_whole(folder / "pairs.csv", _pairs_csv(selection, labels).encode())
    balance_figure(compared.differences, folder / "balance.png")
    tables = {"How far the classes lie apart (standard deviations)": balance_rows(compared)}
    if compared.probes:
        tables["What probes tell of pictures that they share none with (AUC; 0.5 is nothing)"] = probe_rows(compared)
    written = f"all features, the pairs and a picture: balance.csv, pairs.csv and balance.png in {folder}"
    return Report(tables=tables, lines=[*remarks(table, compared, selection, wanted, labels), written])


def _nothing(why: str) -> Report:
    return Report(tables={}, lines=[f"nothing to match: {why}"])


def plain_choice(records: Sequence[Record], wanted: Wanted) -> Mapping[Key, str]:
    """Return what `--match off` would have chosen among these candidates."""
    return divide([choice_of(record) for record in records], wanted)


def compare(
    table: Table,
    plain: Mapping[Key, str],
    selection: Selection,
    on: Sequence[str],
    positive: str,
    seed: int,
    workers: int | None = None,
    track: Track = untracked,
) -> Compared:
    """Compare two choices among the candidates of a table; `on` are the families that one was matched on."""
    before, after = (
        np.array([record.key in keys for record in table.records]) for keys in (plain, selection.split)
    )  # fmt: skip
    label = np.array([record.label == positive for record in table.records])
    told = [_told(table, side, selection.parts, on, label, seed, workers, track) for side in (before, after)]
    inside = None
    if told[1]:
        rows = np.flatnonzero(after)
        own, groups = table.take(rows.tolist()), groups_of([table.records[row] for row in rows.tolist()])
        joint = jointly(
            own.columns, {name: own.values[name] for name in on}, label[rows], groups, seed=seed, track=track
        )
        inside = Told(auc=joint.auc, low=joint.low, high=joint.high)
    return Compared(
        differences=differences(table, before, after, label, on),
        probes=[(name, name != HELD, told[0].get(name), after) for name, after in told[1].items()],
        inside=inside,
    )


def balance_rows(compared: Compared) -> list[dict[str, str]]:
    """Return the printed table of the features that were worst, before and after."""
    return [
        {
            "feature": title(difference.family, difference.feature),
            "difference, plain": f"{difference.plain:+.2f}",
            "matched": f"{difference.matched:+.2f}",
            "variance ratio, plain": f"{difference.ratios[0]:.2f}",
            "variance ratio, matched": f"{difference.ratios[1]:.2f}",
        }
        for difference in compared.differences[:WORST]
    ]


def probe_rows(compared: Compared) -> list[dict[str, str]]:
    """Return the printed table of probes before and after."""
    return [
        {
            "probe": name if name in (JOINT, HELD) else spelled(name),
            "matched on": "yes" if on else "no",
            "AUC, plain": with_interval(before.auc, before.low, before.high) if before else ABSENT,
            "AUC, matched": with_interval(after.auc, after.low, after.high),
        }
        for name, on, before, after in compared.probes
    ]


def remarks(table: Table, compared: Compared, selection: Selection, wanted: Wanted, labels: Sequence[str]) -> list[str]:
    """Say in sentences what the matching cost, and where and why the classes could not be matched."""
    return [
        *_narrow(table.records, wanted),
        *_judged(compared, wanted),
        *_cost(table.records, selection, wanted),
        f"{len(selection.loose)} of {len(selection.pairs)} pairs are outside the caliper"
        + (": the classes agree as a whole rather than pair by pair" if selection.loose else ""),
        *worsened(compared.differences, wanted),
        *helpful(table, compared.differences, selection, wanted, labels),
    ]


def _told(
    table: Table, chosen: Bools, parts: Mapping[Key, int], on: Sequence[str], positive: Bools, seed: int,
    workers: int | None, track: Track,
) -> dict[str, Told]:  # fmt: skip
    """Judge a choice by each family matched on, all of these together, and all others together; {} where none can."""
    part = np.array([parts.get(record.key, 0) for record in table.records])
    given = Pool(chosen=chosen, positive=positive, groups=groups_of(table.records), part=part)
    if not given.judged:
        return {}
    held = [name for name in table.columns if name not in on]
    together = {JOINT: list(on)} if len(on) > 1 else {}
    together |= {HELD: held} if any(np.isfinite(table.values[name]).any() for name in held) else {}
    tables = {name: table.values[name] for name in on if np.isfinite(table.values[name]).any()}
    tables |= {title: side_by_side(table.columns, table.values, names)[1] for title, names in together.items()}
    results = transfer(tables, given, seed=seed, permutations=FEW_PERMUTATIONS, workers=workers or cores(), leaks=False,
                       track=track)  # fmt: skip
    return {result.family: result.worst for result in results}


def _narrow(records: Sequence[Record], wanted: Wanted) -> list[str]:
    there = Counter(record.label for record in records)
    label, fewest = min(there.items(), key=lambda pair: (pair[1], pair[0]))
    if fewest >= NARROW * wanted.per_class:
        return []
    return [f"there are only {fewest} {label} candidates for {wanted.per_class} places; more would match better"]


def _judged(compared: Compared, wanted: Wanted) -> list[str]:
    """Say which AUC is to be quoted, and which is not; or that none can be had."""
    if not compared.probes:
        return [
            "chosen on these numbers, and no probe can judge the choice: that takes candidates that can be divided "
            f"into halves, and {PARTS * FEWEST} pictures of each label"
        ]
    lines = [
        "chosen on these numbers: each half of the candidates chose alone, and probes that learned from the other half "
        "judge it; quote these AUCs"
    ]
    if compared.inside:
        within = with_interval(compared.inside.auc, compared.inside.low, compared.inside.high)
        lines.append(f"inside the choice all numbers matched on would reach {within}: that is not to be quoted")
    return lines


def _cost(records: Sequence[Record], selection: Selection, wanted: Wanted) -> list[str]:
    """Say how many candidates were passed over, by source, and where a source gives more or less than its share."""
    plain = plain_choice(records, wanted)
    cells = Counter((record.label, record.source) for record in records)
    due = Counter((record.label, record.source) for record in records if record.key in plain)
    given = Counter((record.label, record.source) for record in records if record.key in selection.split)
    lines = []
    for cell, count in sorted(cells.items()):
        share = f"; {given[cell]} chosen, an even share would be {due[cell]}" if given[cell] != due[cell] else ""
        lines.append(f"not chosen: {count - given[cell]} of {count} {cell[0]} candidates from {cell[1]}{share}")
    return lines


def _pairs_csv(selection: Selection, labels: Sequence[str]) -> str:
    loose = set(selection.loose)
    rows = (
        {
            **{label: "#".join(key) for label, key in zip(labels, pair, strict=True)},
            "split": "/".join(sorted({selection.split.get(key, "") for key in pair})),
            "within caliper": "no" if pair in loose else "yes",
        }
        for pair in selection.pairs
    )
    return spreadsheet.as_csv((*labels, "split", "within caliper"), rows)
