"""Read the runs that are to be compared, and what belongs together in the manifests behind them. Knows no torch."""

from collections.abc import Sequence

from imageledger import manifest
from imageledger.config import Project
from imageledger.errors import ManifestError, RunError
from imageledger.record import groups_of
from train.compare.judge import Key, Side
from train.runs import Run, find_run, read_predictions, repeats_of


def read(project: Project, names: Sequence[str]) -> tuple[list[Side], dict[Key, str], list[str]]:
    """Return the runs in the order of their names, the group of each picture, and warnings for a person.

    Raises RunError for a run that is not there, cannot be read, or is named twice.
    """
    folders = [find_run(project, name) for name in names]
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise RunError("a run is named twice; a run does not differ from itself", "name every run once")
    runs = [Run.load(folder) for folder in folders]
    sides = [
        Side(
            name=run.name,
            labels=run.labels,
            predictions=list(read_predictions(folder)),
            repeats=repeats_of(folder, run),
        )
        for run, folder in zip(runs, folders, strict=True)
    ]
    groups: dict[Key, str] = {}
    told: dict[str, None] = {}
    for run in runs:
        if run.manifest:
            found, warning = _groups(project, run)
            groups = found | groups
            told |= dict.fromkeys(warning)
    return sides, groups, list(told)


def _groups(project: Project, run: Run) -> tuple[dict[Key, str], list[str]]:
    path = project.root / run.manifest
    try:
        records = list(manifest.read(path))
        changed = manifest.digest(path) != run.manifest_digest
    except (OSError, ManifestError):
        return {}, [f"{run.manifest} cannot be read: each of its pictures counts as one draw, near-duplicates too"]
    warning = [f"{run.manifest} has changed since {run.name} was trained: groups are those it tells now"]
    return {record.key: group for record, group in zip(records, groups_of(records), strict=True)}, warning * changed
