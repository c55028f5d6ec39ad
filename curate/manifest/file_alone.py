"""What the files of a finished dataset give away, for the commands that print it beside their own results."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curate.evidence.looks import Look, look
from curate.evidence.measure import FINAL, Table, measure
from curate.evidence.probe import FEWEST, PERMUTATIONS, enough, jointly, probe
from curate.evidence.verdict import ALL, Probe
from curate.manifest.chosen import Chosen, chosen_by_numbers, judged_elsewhere
from curate.nuisance import FAMILIES, apart, in_words
from curate.nuisance.spelling import spelled
from imageledger import manifest
from imageledger.config import Project
from imageledger.counted import Counted
from imageledger.engines.local import cores
from imageledger.record import OK, groups_of
from imageledger.types import Bools, Track, untracked


def families_alone(project: Project, path: Path, track: Track = untracked) -> Sequence[Probe]:
    """Probe every family, and all together, on the pictures of a final manifest; empty when there are too few."""
    given = _measured(project, path, track)
    if given.fewest < FEWEST:
        return []
    own = given.own
    probes = probe(
        own.columns, own.values, given.positive[: given.count], groups_of(own.records), seed=project.declared.seed,
        workers=cores(), apart=apart(), sure=given.look.sure, track=track,
    )  # fmt: skip
    return _honest(project, given, probes, track)


def file_alone(
    project: Project, path: Path, track: Track = untracked
) -> tuple[dict[str, Any], dict[tuple[str, str], bool]]:
    """Return what all families together reach: AUC with interval and verdict, and the accuracy at a score of 0.

    The second value tells of each picture, by its key, whether the probe that had not seen it was right.

    The scores are out of fold over train and valid together, and of probes that share no picture with the choice where
    numbers chose the pictures (`chosen_on` names the families, `inside` is what the folds would say). The accuracy is
    that on valid, and that on all of them, each with its Wilson interval over groups, so that it can stand beside the
    accuracy of a model on the same pictures. Both values are empty when there are too few pictures.
    """
    given = _measured(project, path, track)
    if given.fewest < FEWEST:
        return {}, {}
    own, groups = given.own, groups_of(given.own.records)
    inside = jointly(
        own.columns, own.values, given.positive[: given.count], groups, seed=project.declared.seed, apart=apart(),
        sure=given.look.sure, track=track,
    )  # fmt: skip
    (joint,) = _honest(project, given, [inside], track)
    right = (joint.scores > 0) == given.positive[: given.count]
    whole = Counted(right, groups)
    valid = np.array([record.split == "valid" for record in own.records])
    found = {
        "auc": joint.auc, "low": joint.low, "high": joint.high, "chance": joint.chance, "p": joint.p,
        "verdict": joint.verdict,
        "strongest": joint.strongest.feature if joint.strongest else "",
        "valid": _right(whole.but(valid)), "all": _right(whole),
        "chosen_on": list(given.chosen.families) if given.chosen else [],
        "inside": asdict(joint.inside) if joint.inside else {},
    }  # fmt: skip
    return found, {record.key: bool(flag) for record, flag in zip(own.records, right, strict=True)}


def rows(probes: Iterable[Probe]) -> list[dict[str, Any]]:
    """Return one row a family for the terminal."""
    return [
        {
            "family": "all together" if result.family == ALL else spelled(result.family),
            "AUC": f"{result.auc:.2f}",
            "95 % interval": f"{result.low:.2f}–{result.high:.2f}",
            "by chance": f"{result.chance:.2f}",
            "verdict": result.verdict,
            "strongest feature": in_words(result.family, result.strongest.feature) if result.strongest else "",
        }
        for result in probes
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """The pictures of a final manifest, the first `count` rows, and the candidates that numbers passed over."""

    table: Table
    count: int
    positive: Bools
    chosen: Chosen | None
    look: Look

    @property
    def own(self) -> Table:
        return self.table.take(range(self.count))

    @property
    def fewest(self) -> int:
        positive = self.positive[: self.count]
        return min(int(positive.sum()), int((~positive).sum()))


def _measured(project: Project, path: Path, track: Track) -> _Measured:
    rows = list(manifest.read(path))
    records = enough([record for record in rows if record.status == OK and record.split])
    chosen = chosen_by_numbers(path, rows)
    both = [*records, *(enough(chosen.others) if chosen else [])]
    table = measure(project, both, tuple(FAMILIES), track=track)
    positive = np.array([record.label == project.declared.labels[-1] for record in both], dtype=bool)
    return _Measured(table=table, count=len(records), positive=positive, chosen=chosen,
                     look=look(project, FINAL, records, project.declared.seed))  # fmt: skip


def _honest(project: Project, given: _Measured, probes: Sequence[Probe], track: Track) -> Sequence[Probe]:
    """Judge probes by others that share no picture with the choice, where numbers chose."""
    if given.chosen is None:
        return probes
    return judged_elsewhere(
        probes, given.table, given.chosen, given.count, given.positive, groups_of(given.table.records),
        seed=project.declared.seed, permutations=PERMUTATIONS, workers=cores(), apart=apart(), sure=given.look.sure,
        track=track,
    )  # fmt: skip


def _right(right: Counted) -> dict[str, Any]:
    low, high = right.interval
    return {"hits": right.hits, "n": right.total, "low": low, "high": high}
