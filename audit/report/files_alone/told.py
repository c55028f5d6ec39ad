"""What `audit shortcuts` found, read back from its JSON: plain values in, typed and checked ones out. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curate.evidence.verdict import ALL, CLEAN, INCONCLUSIVE, SHORTCUT
from imageledger.intervals import with_interval
from imageledger.types import Key


@dataclass(frozen=True, slots=True)
class Area:
    """An AUC (0..1) with both ends of its 95 % interval."""

    auc: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write it in the one form of all intervals."""
        return with_interval(self.auc, self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTold:
    """One family at one stage: `area` is the AUC that counts and `inside` that within the chosen set, not to be quoted.

    `from_chosen` and `from_candidates` are those of probes that learned from the other half of the candidates: from
    its choice, and from all of it. `strongest` is the key of its strongest feature, `alone` the AUC of that, `medians`
    its medians of the negative and the positive class (NaN where it does not apply).
    """

    family: str
    features: int
    area: Area
    chance: float
    p: float
    verdict: str
    strongest: str
    alone: float
    medians: tuple[float, float]
    inside: Area | None = None
    from_chosen: Area | None = None
    from_candidates: Area | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTold:
    """The probes of one stage, of so many pictures per class; `chosen_on` names the families they were chosen by."""

    stage: str
    counts: tuple[int, int]
    probes: tuple[ProbeTold, ...]
    chosen_on: tuple[str, ...] = ()

    def of(self, family: str) -> ProbeTold | None:
        """Return the probe of a family, None where it does not apply."""
        return next((probe for probe in self.probes if probe.family == family), None)

    @property
    def together(self) -> ProbeTold:
        """The probe of all families together, or the last that there is."""
        return self.of(ALL) or self.probes[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A whole audit: `judged` names the stage that counts, `advice` says by family what to do.

    `examples` are by family the keys of the pictures of that stage that give it away most.
    """

    labels: tuple[str, str]
    judged: str
    stages: tuple[StageTold, ...]
    advice: Mapping[str, str]
    examples: Mapping[str, Sequence[Key]]

    def at(self, stage: str) -> StageTold | None:
        """Return a stage by its name, None where it was not measured or is not today's."""
        return next((each for each in self.stages if each.stage == stage), None)

    @property
    def families(self) -> list[str]:
        """The families at any stage, in the order of the audit, all together last."""
        names = dict.fromkeys(probe.family for stage in self.stages for probe in stage.probes)
        return [name for name in names if name != ALL] + [name for name in names if name == ALL]


def told_of(data: Mapping[str, Any], today: Mapping[str, bool]) -> Told:
    """Make typed values of an audit's JSON, of the stages that `today` says are about today's pictures.

    Raises ValueError, KeyError, TypeError or AttributeError for values that no audit writes.
    """
    negative, positive = (_text(label) for label in data["labels"])
    stages = [_stage(row, (negative, positive)) for row in data["stages"] if today.get(row["stage"])]
    return Told(
        labels=(negative, positive),
        judged=_text(data["stage"]),
        stages=tuple(stage for stage in stages if stage.probes),
        advice={_text(row["family"]): _text(row["advice"]) for row in data["to_do"]},
        examples={
            _text(name): [(_text(source), _text(member)) for source, member in keys]
            for name, keys in data.get("examples", {}).items()
        },
    )


def _stage(row: Mapping[str, Any], labels: tuple[str, str]) -> StageTold:
    negatives, positives = (int(row["pictures"][label]) for label in labels)
    return StageTold(
        stage=_text(row["stage"]), counts=(negatives, positives), probes=tuple(map(_probe, row["probes"])),
        chosen_on=tuple(map(_text, row["chosen_on"])),
    )  # fmt: skip


def _probe(row: Mapping[str, Any]) -> ProbeTold:
    if row["verdict"] not in (SHORTCUT, INCONCLUSIVE, CLEAN):
        raise ValueError(f"{row['verdict']!r} is no verdict"[:200])
    strongest = _text(row["strongest"])
    return ProbeTold(
        family=_text(row["family"]), features=int(row["features"]), area=_area(row["auc"], row["low"], row["high"]),
        chance=_number(row["chance"]), p=_number(row["p"]), verdict=row["verdict"], strongest=strongest,
        alone=_number(row["strongest_auc"]) if strongest else math.nan,
        medians=(_or_nan(row["median_negative"]), _or_nan(row["median_positive"])),
        **{name: _perhaps(row, name) for name in ("inside", "from_chosen", "from_candidates")},
    )  # fmt: skip


def _perhaps(row: Mapping[str, Any], name: str) -> Area | None:
    value, low, high = (row[f"{name}_{end}"] for end in ("auc", "low", "high"))
    return None if value is None else _area(value, low, high)


def _area(*values: Any) -> Area:
    return Area(*map(_number, values))


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number"[:200])
    return float(value)


def _or_nan(value: Any) -> float:
    return math.nan if value is None else _number(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text"[:200])
    return value
