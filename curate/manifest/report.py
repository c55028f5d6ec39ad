"""Say what matching did: standardised differences and probes before and after, what it cost, what it could not mend."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curate.evidence.measure import WHITENED, Table, measure
from curate.evidence.probe import FEWEST, probe, side_by_side
from curate.evidence.verdict import Probe
from curate.manifest.balance import Key, Wanted, divide
from curate.manifest.matched import Selection, choice_of, select
from curate.manifest.matching.balance_table import (
    APART,
    Difference,
    as_csv,
    balance_figure,
    column_of,
    differences,
    title,
)
from curate.manifest.work import ManifestSettings, selective
from curate.nuisance import FAMILIES, family
from curate.nuisance.spelling import spelled
from imageledger import spreadsheet
from imageledger.config import Project
from imageledger.engines.local import cores
from imageledger.intervals import with_interval
from imageledger.record import Record, groups_of
from imageledger.store import write_whole
from imageledger.types import Track, untracked

WORST = 8
"""So many features stand in the printed table; balance.csv holds all."""

NARROW = 2.0
"""With fewer candidates a place than this the choice is called narrow."""

FEW = 40
"""With fewer places than this a low AUC after matching says little: benchmarks/matched.py shows it at 20."""

JOINT, HELD = "matched on, together", "not matched on, together"

SURELY = 2.5
"""Standard errors that a difference must exceed, so that chance alone does not explain it."""

SCARCE = 0.35
"""With a larger share of a class than this beyond the middle of the other it is not for want of pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The plain choice beside the matched one: differences by feature (worst first) and probes by family.

    `probes` holds (family, whether matched on, plain, matched); the probes of all families of one kind together are
    called "matched on, together" and "not matched on, together".
    """

    differences: Sequence[Difference]
    probes: Sequence[tuple[str, bool, Probe, Probe]]


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
    workers: int | None = None,
    track: Track = untracked,
) -> Report:
    """Compare a matched choice with the plain one; `records` are the candidates, those chosen with their split.

    Writes balance.csv, pairs.csv and balance.png into data/matched/<dataset>/.
    """
    if not chosen.match:
        return Report(tables={}, lines=[])
    if not selective(map(choice_of, records), chosen.per_class):
        return _nothing(f"there are {chosen.per_class} candidates of each label for {chosen.per_class} places")
    labels, wanted = project.declared.labels, chosen.wanted
    table = measure(project, records, chosen.match, stage=WHITENED, workers=workers, track=track)
    selection = select(table, labels[-1], wanted)
    if selection is None:
        return _nothing("no measured number differs between the candidates")
    plain = plain_choice(records, wanted)
    either = [record for record in records if record.split or record.key in plain]
    every = [name for name in FAMILIES if family(name).of != "name"]
    wide = measure(project, either, every, stage=WHITENED, workers=workers, track=track)
    compared = compare(wide, plain, selection.split, chosen.match, labels[-1], wanted.seed, workers)
    folder = project.root / "data" / "matched" / project.dataset
    write_whole(folder / "balance.csv", as_csv(compared.differences).encode())
    write_whole(folder / "pairs.csv", _pairs_csv(selection, labels).encode())
    balance_figure(compared.differences, folder / "balance.png")
    tables = {"How far the classes lie apart (standard deviations)": balance_rows(compared)}
    if compared.probes:
        tables["What probes find (AUC; 0.5 is nothing)"] = probe_rows(compared)
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
    chosen: Mapping[Key, str],
    on: Sequence[str],
    positive: str,
    seed: int,
    workers: int | None = None,
) -> Compared:
    """Compare two choices among the candidates of a table; `on` are the families that one was matched on."""
    before, after = (
        np.array([record.key in keys for record in table.records]) for keys in (plain, chosen)
    )  # fmt: skip
    label = np.array([record.label == positive for record in table.records])
    probes = [
        _probes(table.take(np.flatnonzero(side).tolist()), on, positive, seed, workers) for side in (before, after)
    ]
    names = [name for name in probes[0] if name in probes[1]]
    return Compared(
        differences=differences(table, before, after, label, on),
        probes=[(name, name != HELD, probes[0][name], probes[1][name]) for name in names],
    )


def balance_rows(compared: Compared) -> list[dict[str, str]]:
    """Return the printed table of the features that were worst, before and after."""
    return [
        {
            "feature": title(difference.family, difference.feature),
            "difference, plain": f"{difference.plain:+.2f}",
            "matched": f"{difference.matched:+.2f}",
        }
        for difference in compared.differences[:WORST]
    ]


def probe_rows(compared: Compared) -> list[dict[str, str]]:
    """Return the printed table of probes before and after."""
    return [
        {
            "probe": name if name in (JOINT, HELD) else spelled(name),
            "matched on": "yes" if on else "no",
            "AUC, plain": _auc(before),
            "AUC, matched": _auc(after),
            "verdict": after.verdict,
        }
        for name, on, before, after in compared.probes
    ]


def remarks(table: Table, compared: Compared, selection: Selection, wanted: Wanted, labels: Sequence[str]) -> list[str]:
    """Say in sentences what the matching cost, and where and why the classes could not be matched."""
    return [
        *_narrow(table.records, wanted),
        *_few(wanted),
        *_cost(table.records, selection, wanted),
        f"{len(selection.loose)} of {len(selection.pairs)} pairs are outside the caliper"
        + (": the classes agree as a whole rather than pair by pair" if selection.loose else ""),
        *helpful(table, compared, selection, wanted, labels),
    ]


def helpful(table: Table, compared: Compared, selection: Selection, wanted: Wanted, labels: Sequence[str]) -> list[str]:
    """Say where the classes stay apart and why: one feature a family, and the pictures that would help."""
    limit = max(APART, SURELY * float(np.sqrt(2 / wanted.per_class)))
    still = [difference for difference in compared.differences if abs(difference.matched) > limit]
    if not still:
        return []
    lines = [
        f"{family(name).title} was not matched on: the candidates of the two classes hardly overlap in it"
        for name in selection.hopeless
    ]
    of = f"{len(still)} of {len(compared.differences)} features"
    lines.append(f"the classes still differ in {of} (by more than {limit:.2f} standard deviations):")
    for name in dict.fromkeys(
        difference.family for difference in sorted(still, key=lambda difference: -abs(difference.matched))
    ):
        own = [difference for difference in still if difference.family == name]
        worded = [difference for difference in own if not any(letter.isdigit() for letter in difference.feature)] or own
        lines.append(_lacking(table, max(worded, key=lambda difference: abs(difference.matched)), labels))
    return lines


def _probes(table: Table, on: Sequence[str], positive: str, seed: int, workers: int | None) -> dict[str, Probe]:
    """Probe each family matched on, all of these together, and all others together; none with too few pictures."""
    label = np.array([record.label == positive for record in table.records])
    if min(int(label.sum()), int((~label).sum())) < FEWEST:
        return {}
    held = [name for name in table.columns if name not in on]
    together = (
        {name: [name] for name in on} | ({JOINT: list(on)} if len(on) > 1 else {}) | ({HELD: held} if held else {})
    )
    tables = {title: side_by_side(table.columns, table.values, names) for title, names in together.items()}
    columns = {title: names for title, (names, _) in tables.items()}
    values = {title: numbers for title, (_, numbers) in tables.items()}
    results = probe(
        columns, values, label, groups_of(table.records), seed=seed, joint=False, workers=workers or cores()
    )  # fmt: skip
    return {result.family: result for result in results}


def _auc(result: Probe) -> str:
    return with_interval(result.auc, result.low, result.high)


def _narrow(records: Sequence[Record], wanted: Wanted) -> list[str]:
    there = Counter(record.label for record in records)
    label, fewest = min(there.items(), key=lambda pair: (pair[1], pair[0]))
    if fewest >= NARROW * wanted.per_class:
        return []
    return [f"there are only {fewest} {label} candidates for {wanted.per_class} places; more would match better"]


def _few(wanted: Wanted) -> list[str]:
    if wanted.per_class >= FEW:
        return []
    if wanted.per_class < FEWEST:
        return [f"nothing was probed: with fewer than {FEWEST} pictures of each label a probe means nothing"]
    return [
        f"with {wanted.per_class} pictures of each label, hundreds of numbers can agree by accident: an AUC below 0.5 "
        f"does not mean that the set is clean; read it from about {FEW} pictures of each label"
    ]


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


def _lacking(table: Table, difference: Difference, labels: Sequence[str]) -> str:
    """Say of one feature which class has too few pictures where the other one lies."""
    column = column_of(table, difference.family, difference.feature)
    negative, positive = difference.medians
    shortages = []
    for label, other, here, there in (
        (labels[0], labels[1], negative, positive),
        (labels[1], labels[0], positive, negative),
    ):
        own = column[[record.label == label for record in table.records]]
        side, beyond = ("above", own > there) if there > here else ("below", own < there)
        shortages.append((float(np.mean(beyond)), int(np.sum(beyond)), len(own), label, other, side, there))
    share, count, total, label, other, side, there = min(shortages)
    name = f"  {title(difference.family, difference.feature)}: "
    if share > SCARCE or negative == positive:
        return f"{name}median {negative:.3g} for {labels[0]}, {positive:.3g} for {labels[1]}"
    return (
        f"{name}{count or 'none'} of {total} {label} candidates {'is' if count == 1 else 'are'} {side} {there:.3g}, "
        f"the median of the {other} pictures; fetch more {label} pictures {side} it"
    )
