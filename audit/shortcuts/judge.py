"""The probes of a dataset, stage by stage: what they found, which of them count, and what a gate refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from audit.shortcuts.unseen import Unseen
from audit.words import family_in_words
from curate.evidence.looks import FIRST, Look
from curate.evidence.measure import FINAL, MODEL_INPUT, NORMALIZED, WHITENED, Table
from curate.evidence.verdict import ALL, SHORTCUT, Probe
from imageledger.types import Bools

MADE_BY = {NORMALIZED: "normalize", WHITENED: "whiten", FINAL: "manifest", MODEL_INPUT: "manifest"}
"""The stage of `curate` that makes the pictures of a stage of the audit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProbes:
    """The probes of one stage; `positive` (bool) belongs to the rows of `table`, the last probe sees all families.

    `there` is how many pictures the stage has, more than were measured where those were enough. `chosen_on` names the
    families of numbers by which the pictures were chosen among more; `passed_over` candidates were not. `look` says how
    often the pictures of the stage have been looked at.
    """

    stage: str
    table: Table
    positive: Bools
    probes: tuple[Probe, ...]
    unseen: Unseen | None = None
    there: int = 0
    chosen_on: tuple[str, ...] = ()
    passed_over: int = 0
    look: Look = FIRST

    @property
    def families(self) -> tuple[Probe, ...]:
        """The probes of single families, in the order of every table."""
        return tuple(probe for probe in self.probes if probe.family != ALL)

    @property
    def together(self) -> Probe | None:
        """The probe that saw every family side by side; None where a single family was measured."""
        return next((probe for probe in self.probes if probe.family == ALL), None)

    @property
    def conclusive(self) -> Probe:
        """The probe that the conclusion speaks of: all together, or the only family that there is."""
        return self.together or self.probes[-1]

    def of(self, family: str) -> Probe | None:
        """Return the probe of a family, or None where it does not apply at this stage."""
        return next((probe for probe in self.probes if probe.family == family), None)

    @property
    def shortcuts(self) -> tuple[Probe, ...]:
        """The families that are shortcuts, the clearest first."""
        return tuple(
            sorted((probe for probe in self.families if probe.verdict == SHORTCUT), key=lambda probe: -probe.auc)
        )

    @property
    def counts(self) -> tuple[int, int]:
        """How many pictures of the negative and of the positive class were judged."""
        return int((~self.positive).sum()), int(self.positive.sum())

    @property
    def one_sided(self) -> dict[str, list[str]]:
        """The sources that hold only one class, by that class, the negative one first; empty where there are none."""
        held: dict[str, set[str]] = {}
        for record in self.table.records:
            held.setdefault(record.source, set()).add(record.label)
        labels = dict.fromkeys(self.table.records[row].label for row in np.argsort(self.positive, kind="stable"))
        alone = {label: sorted(source for source, has in held.items() if has == {label}) for label in labels}
        return {label: sources for label, sources in alone.items() if sources}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetProbes:
    """The probes of a dataset: its stages in the order in which they are made, and those that are not there.

    `families`, `seed`, `permutations` and `most` are the settings that were used. `done` is what has been done to the
    pictures by now (`curate.history.done_to`). Pictures without a project have sentences on how they came in `beside`,
    and `fetch` is what `curate fetch` would be told to take them. `manifests` holds the digest of the manifest that
    each stage was read from.
    """

    dataset: str
    labels: tuple[str, str]
    stages: tuple[StageProbes, ...]
    families: tuple[str, ...]
    seed: int
    permutations: int
    most: int
    absent: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()
    beside: tuple[str, ...] = ()
    fetch: str = ""
    manifests: Mapping[str, str] = field(default_factory=dict)

    @property
    def last(self) -> StageProbes:
        """The stage that counts: the final pictures where they were measured, else the furthest ones."""
        return next((stage for stage in self.stages if stage.stage == FINAL), self.stages[-1])

    @property
    def refusal(self) -> tuple[str, str] | None:
        """What a gate says when the pictures of the last stage, or what a model sees of them, hold a shortcut."""
        for stage in self.stages:
            names = [family_in_words(probe.family) for probe in stage.probes if probe.verdict == SHORTCUT]
            if names and (stage is self.last or stage.stage == MODEL_INPUT):
                where = self.dataset if self.fetch else stage.stage
                return (
                    f"{where}: {len(names)} of {len(stage.probes)} probes found a shortcut: {', '.join(names)}",
                    "the page says what to do about each; without --fail-on this is no error",
                )
        return None
