"""What a project holds, and what comes next: the facts behind `status`."""

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from imageledger import decisions, manifest, seal
from imageledger.config import Project
from imageledger.dataset.legs import DOORS
from imageledger.errors import LedgerError, ManifestError
from imageledger.foreign import json_of
from imageledger.intervals import share_in_words
from imageledger.manifest import Card
from imageledger.record import STATUSES

COMMAND_OF = {stage: f"curate {stage}" for stage in ("fetch", "normalize", "dedupe", "whiten", "manifest")}
CURRENT, WAITING = "current", "decisions wait"
"""States of a stage: nothing is to be done, and people have decided something that it does not show yet."""


def stages(project: Project) -> list[dict[str, Any]]:
    """Return a row per stage and label: the state of the manifest, and how many records have each status."""
    rows: list[dict[str, Any]] = []
    before: Path | None = None
    for stage in project.declared.order:
        path = project.manifest(stage)
        state, card = _state(path, before)
        if card and state == CURRENT and stage != "fetch" and decisions.wait(project.folder, stage, card.input):
            state = WAITING
        for label, counts in card.counts.items() if card else [("", {})]:
            numbers = {status: counts.get(status, 0) for status in STATUSES} if card else dict.fromkeys(STATUSES)
            rows.append({"stage": stage, "state": state, "label": label, **numbers})
        before = path
    return rows


def runs(project: Project) -> list[dict[str, Any]]:
    """Return a row per finished training run: name, backbone, and accuracy on the validation pictures, in words."""
    rows = []
    for path in sorted(project.runs.glob("*/run.json")):
        try:
            run = json_of(seal.read(path))
            right = run["metrics"]["valid"]["accuracy"]
            words = share_in_words(right["hits"], right["n"], right["interval"])
            rows.append({"run": run["name"], "arch": run["settings"].get("arch", ""), "validation accuracy": words})
        except (OSError, LedgerError, ValueError, KeyError, TypeError, AttributeError):
            rows.append({"run": path.parent.name, "arch": "", "validation accuracy": "run.json is damaged"})
    return rows


COMMANDS = {"split": "train run", "cross-validation": "train cross-validate", "hold-out": "train hold-out"}
"""The command of each kind of training, as a run that has begun states it."""


def remarks(project: Project) -> list[str]:
    """Say which stages were made with other settings than declared, and which trainings have begun and not ended."""
    lines: list[str] = DOORS.load("curate", ModuleType).remarks(project)
    for path in sorted(project.runs.glob(".*.part/job.json")):
        name = path.parent.name.removeprefix(".").removesuffix(".part")
        try:
            command = COMMANDS[json_of(path.read_bytes())["kind"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        lines.append(f"run {name} has begun and not ended: {command} --name {name}, with the same options, carries on.")
    return lines


def next_command(rows: Iterable[dict[str, Any]], trained: bool) -> str:
    """Return the command to type next."""
    for row in rows:
        if row["state"] == WAITING:
            return "curate run"
        if row["state"] != CURRENT:
            return COMMAND_OF[row["stage"]]
    return "audit top-losses" if trained else "train run"


def _state(path: Path, before: Path | None) -> tuple[str, Card | None]:
    try:
        card = Card.read(manifest.card_path(path))
    except ManifestError:
        return "not made yet", None
    if not path.is_file():
        return "missing", None
    stale = before is not None and before.is_file() and not card.input.startswith(manifest.digest(before))
    return ("older than the stage before" if stale else CURRENT), card
