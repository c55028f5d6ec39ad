"""What a project holds, and what comes next: the facts behind `status`."""

import shlex
from collections.abc import Iterable, Sequence
from contextlib import suppress
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


COMMANDS = {"split": "train run", "cross-validation": "train cross-validate", "hold-out": "train hold-out"}
"""The command of each kind of training, as a run states it."""

UNFINISHED, OLDER, DAMAGED = "not finished", "of an older manifest", "run.json is damaged"


def runs(project: Project) -> list[dict[str, Any]]:
    """Return a row per training run: name, kind, backbone, and accuracy on the pictures that it had not seen, in words.

    `state` says of a run that it has not ended, is damaged, or was trained on another manifest than the final one now.
    """
    final = project.manifest("manifest")
    digest = manifest.digest(final) if final.is_file() else ""
    ended = [_run(path, final, digest, project) for path in sorted(project.runs.glob("*/run.json"))]
    return [*ended, *(_row(name, kind=kind, state=UNFINISHED) for name, kind in unfinished(project))]


def _run(path: Path, final: Path, digest: str, project: Project) -> dict[str, Any]:
    try:
        run = json_of(seal.read(path))
        right = run["metrics"]["valid"]["accuracy"]
        words = share_in_words(right["hits"], right["n"], right["interval"])
        older = run.get("manifest") and project.root / run["manifest"] == final and run.get("manifest_digest") != digest
        return _row(
            run["name"], str(run.get("kind", "split")), run["settings"].get("arch", ""), words, OLDER if older else ""
        )
    except (OSError, LedgerError, ValueError, KeyError, TypeError, AttributeError):
        return _row(path.parent.name, accuracy=DAMAGED, state=DAMAGED)


def _row(name: str, kind: str = "", arch: str = "", accuracy: str = "", state: str = "") -> dict[str, Any]:
    return {"run": name, "kind": kind, "arch": arch, "validation accuracy": accuracy, "state": state}


def unfinished(project: Project) -> list[tuple[str, str]]:
    """Return the names of the trainings that have begun and not ended, each with its kind."""
    begun = []
    for path in sorted(project.runs.glob(".*.part/job.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            kind = json_of(path.read_bytes())["kind"]
            begun += [(path.parent.name.removeprefix(".").removesuffix(".part"), kind)] if kind in COMMANDS else []
    return begun


def remarks(project: Project) -> list[str]:
    """Say which stages were made with other settings than declared, and which trainings have begun and not ended."""
    lines: list[str] = DOORS.load("curate", ModuleType).remarks(project)
    return lines + [
        f"run {name} has begun and not ended: {_carry_on(name, kind)}, with the same options, carries on."
        for name, kind in unfinished(project)
    ]


def next_command(rows: Iterable[dict[str, Any]], runs: Sequence[dict[str, Any]]) -> str:
    """Return the command to type next: the stages in their order, what has begun, the trainings, and the report."""
    for row in rows:
        if row["state"] == WAITING:
            return "curate run"
        if row["state"] != CURRENT:
            return COMMAND_OF[row["stage"]]
    if begun := next((run for run in runs if run["state"] == UNFINISHED), None):
        return f"{_carry_on(begun['run'], begun['kind'])}, with the same options"
    usable = [run for run in runs if not run["state"]]
    if not usable:
        return "train run"
    crossed = any(run["kind"] == "cross-validation" for run in usable)
    return "audit report" if crossed else "train cross-validate"


def _carry_on(name: str, kind: str) -> str:
    return f"{COMMANDS[kind]} --name {shlex.quote(name)}"


def _state(path: Path, before: Path | None) -> tuple[str, Card | None]:
    try:
        card = Card.read(manifest.card_path(path))
    except ManifestError:
        return "not made yet", None
    if not path.is_file():
        return "missing", None
    stale = before is not None and before.is_file() and not card.input.startswith(manifest.digest(before))
    return ("older than the stage before" if stale else CURRENT), card
