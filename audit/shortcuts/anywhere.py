"""Probe pictures that lie in a folder, or that a table names, with no project around them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audit.findings import Report
from audit.shortcuts import report
from audit.shortcuts.judge import DatasetProbes
from audit.shortcuts.way_in import sentences
from audit.shortcuts.work import (
    ShortcutsSettings,
    families_of,
    probe_stage,
    refuse_few_permutations,
    two_classes,
    variant_of,
)
from curate.evidence.measure import FETCHED, Table, measure
from curate.fetch.in_place import InPlace, Labels, called, in_place
from curate.nuisance import FAMILIES, family
from curate.pictures import pixels
from curate.pictures.pixels import CannotDecode
from imageledger.config import Declared
from imageledger.errors import ConfigError
from imageledger.types import Track, untracked

log = logging.getLogger(__name__)

CUT_OUT = ("matte",)
"""Families that ask how people were cut out, which nobody has done here."""

EXPLAINED = 20
"""So many pictures that cannot be decoded are opened again to say why."""


def shortcuts_of(
    pictures: Path,
    labels: Labels = None,
    *,
    settings: ShortcutsSettings,
    output: Path | None = None,
    track: Track = untracked,
) -> Report:
    """Report whether two classes of pictures can be told apart without looking at them, where they lie.

    `pictures` is a folder or a table, and `labels` are as `curate.fetch.in_place.in_place` takes them. The report holds
    its files in memory: nothing is kept but what is written, into `output` or `default_folder`. Raises LedgerError for
    what cannot be compared, and where `output` lies among the pictures.
    """
    refuse_inside(pictures, output)
    if settings.stage:
        raise ConfigError("a folder has no stages: its pictures are looked at as they are", "leave the stage out")
    families = families_of(settings.family or [name for name in FAMILIES if name not in CUT_OUT])
    refuse_few_permutations(families, settings.permutations)
    seed = Declared().seed if settings.seed is None else settings.seed
    faces = any(family(name).goes_by_face for name in families)
    with in_place(pictures, labels, most=settings.most, seed=seed, faces=faces, track=track) as found:
        two_classes(found.records, found.labels, str(pictures))
        table = measure(
            found.project, found.records, families, stage=FETCHED, workers=settings.workers, track=track
        )  # fmt: skip
        table, broken = _readable(found, table)
        two_classes(table.records, found.labels, str(pictures))
        own = replace(settings, family=families, seed=seed)
        log.info("probing %d pictures, %d permutations of their labels", len(table.records), own.permutations)
        stage = probe_stage(FETCHED, table, found.labels, {}, own, track=track)
        there = found.there - sum(map(len, broken.values()))
        probed = DatasetProbes(
            dataset=found.project.dataset, labels=found.labels, stages=(replace(stage, there=there),),
            families=families, seed=seed, permutations=settings.permutations, most=settings.most,
            fetch=found.fetch, beside=sentences(found, broken),
        )  # fmt: skip
        made = report.report(found.project, probed, default_folder(pictures), variant_of(settings))
        return held(made)


def held(made: Report) -> Report:
    """Return a report with its files made now, because what they are made from will be gone."""
    contents = {name: make() for name, make in made.contents.items()}
    return replace(made, contents={name: _Given(content) for name, content in contents.items()})


@dataclass(frozen=True, slots=True)
class _Given:
    """The maker of a file that is made already."""

    content: bytes

    def __call__(self) -> bytes:
        return self.content


def default_folder(pictures: Path) -> Path:
    """Return where files go unless told otherwise: a folder in the working directory, or beside the pictures in it."""
    whole, here = pictures.resolve(), Path.cwd().resolve()
    inside = whole.is_dir() and here.is_relative_to(whole)
    return (whole.parent if inside else here) / f"shortcuts-{called(pictures)}"


def refuse_inside(pictures: Path, output: Path | None) -> None:
    """Raise ConfigError where files would be written among the pictures: the next audit would read them."""
    if output and pictures.is_dir() and output.resolve().is_relative_to(pictures.resolve()):
        raise ConfigError(
            f"{output} lies among the pictures, and the next audit would take its files for some",
            f"name a folder outside of {pictures}",
        )


def _readable(found: InPlace, table: Table) -> tuple[Table, Mapping[str, Sequence[str]]]:
    """Divide a table into the pictures that could be decoded, and the names of the others by reason."""
    measured = [name for name in table.values if family(name).of != "name"]
    if not measured:
        return table, {}
    known = np.any([np.isfinite(table.values[name]).any(axis=1) for name in measured], axis=0)
    broken: dict[str, list[str]] = {}
    for count, row in enumerate(np.flatnonzero(~known).tolist()):
        record = table.records[row]
        broken.setdefault(_why(found, record.origin) if count < EXPLAINED else "broken", []).append(record.member)
    return table.take(np.flatnonzero(known).tolist()), broken


def _why(found: InPlace, name: str) -> str:
    try:
        pixels.decode(found.project.store.read(name))
    except CannotDecode as why:
        return str(why)
    return "none of the families measures it"
