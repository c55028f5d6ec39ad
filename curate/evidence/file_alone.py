"""What the files of a finished dataset give away, for the commands that print it beside their own results."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from curate.evidence.measure import Table, measure
from curate.evidence.probe import FEWEST, enough, jointly, probe
from curate.evidence.verdict import ALL, Probe
from curate.nuisance import FAMILIES, apart
from curate.nuisance.spelling import spelled
from imageledger import manifest
from imageledger.config import Project
from imageledger.counted import Counted
from imageledger.engines.local import cores
from imageledger.record import OK, groups_of
from imageledger.types import Bools, Track, untracked


def families_alone(project: Project, path: Path, track: Track = untracked) -> list[Probe]:
    """Probe every family, and all together, on the pictures of a final manifest; empty when there are too few."""
    table, positive = _measured(project, path, track)
    if _each(positive) < FEWEST:
        return []
    groups = groups_of(table.records)
    return probe(
        table.columns, table.values, positive, groups, seed=project.declared.seed, workers=cores(), apart=apart()
    )  # fmt: skip


def file_alone(project: Project, path: Path, track: Track = untracked) -> dict[str, Any]:
    """Return what all families together reach: AUC with interval and verdict, and the accuracy at a score of 0.

    The scores are out of fold over train and valid together; the accuracy is that on valid, and that on all of them,
    each with its Wilson interval over groups, so that it can stand beside the accuracy of a model on the same pictures.
    Empty when there are too few pictures.
    """
    table, positive = _measured(project, path, track)
    if _each(positive) < FEWEST:
        return {}
    groups = groups_of(table.records)
    joint = jointly(
        table.columns, table.values, positive, groups, seed=project.declared.seed, apart=apart()
    )  # fmt: skip
    whole = Counted((joint.scores > 0) == positive, groups)
    valid = np.array([record.split == "valid" for record in table.records])
    return {
        "auc": joint.auc, "low": joint.low, "high": joint.high, "chance": joint.chance, "p": joint.p,
        "verdict": joint.verdict,
        "strongest": joint.strongest.feature if joint.strongest else "",
        "valid": _right(whole.but(valid)), "all": _right(whole),
    }  # fmt: skip


def rows(probes: Iterable[Probe]) -> list[dict[str, Any]]:
    """Return one row a family for the terminal."""
    return [
        {
            "family": "all together" if result.family == ALL else spelled(result.family),
            "AUC": f"{result.auc:.2f}",
            "95 % interval": f"{result.low:.2f}–{result.high:.2f}",
            "by chance": f"{result.chance:.2f}",
            "verdict": result.verdict,
            "strongest feature": result.strongest.feature.replace("_", " ") if result.strongest else "",
        }
        for result in probes
    ]


def _measured(project: Project, path: Path, track: Track) -> tuple[Table, Bools]:
    records = enough([record for record in manifest.read(path) if record.status == OK and record.split])
    table = measure(project, records, tuple(FAMILIES), track=track)
    return table, np.array([record.label == project.declared.labels[-1] for record in records], dtype=bool)


def _right(right: Counted) -> dict[str, Any]:
    low, high = right.interval
    return {"hits": right.hits, "n": right.total, "low": low, "high": high}


def _each(positive: Bools) -> int:
    return min(int(positive.sum()), int((~positive).sum()))
