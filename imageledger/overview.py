"""What a project holds, and whether it is undamaged: the facts behind `status` and `verify`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from imageledger import manifest
from imageledger.config import Project
from imageledger.dataset.legs import DOORS
from imageledger.errors import ManifestError
from imageledger.foreign import json_of
from imageledger.intervals import share_in_words
from imageledger.manifest import Card
from imageledger.record import OBJECT_NAME, STATUSES, Record

COMMAND_OF = {stage: f"curate {stage}" for stage in ("fetch", "normalize", "dedupe", "whiten", "manifest")}


@dataclass(frozen=True, slots=True)
class Damage:
    """A damaged or missing file: its name, what is wrong, the pictures concerned, and the command that restores it."""

    what: str
    why: str
    concerns: str
    restore: str


def stages(project: Project) -> list[dict[str, Any]]:
    """Return a row per stage and label: the state of the manifest, and how many records have each status."""
    rows: list[dict[str, Any]] = []
    before: Path | None = None
    for stage in project.declared.order:
        path = project.manifest(stage)
        state, card = _state(path, before)
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
            run = json_of(path.read_bytes())
            right = run["metrics"]["valid"]["accuracy"]
            words = share_in_words(right["hits"], right["n"], right["interval"])
            rows.append({"run": run["name"], "arch": run["settings"].get("arch", ""), "validation accuracy": words})
        except (ValueError, KeyError, TypeError, AttributeError):
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
        if row["state"] != "current":
            return COMMAND_OF[row["stage"]]
    return "audit top-losses" if trained else "train run"


def damages(project: Project) -> Iterator[Damage]:
    """Check every manifest against its card and every object against its name; yield what does not match."""
    seen: set[str] = set()
    for stage in project.declared.order:
        path = project.manifest(stage)
        if not path.exists() and not manifest.card_path(path).exists():
            continue
        try:
            card = Card.read(manifest.card_path(path))
        except ManifestError as error:
            yield Damage(manifest.card_path(path).name, error.what, f"all of {path.name}", COMMAND_OF[stage])
            continue
        if not path.is_file():
            yield Damage(path.name, "is missing, though its card is there", "the whole manifest", COMMAND_OF[stage])
            continue
        if manifest.digest(path) != card.digest:
            yield Damage(path.name, "does not match its card", "the whole manifest", COMMAND_OF[stage])
            continue
        for record in manifest.read(path):
            yield from _damaged_objects(project, stage, record, seen)


def _damaged_objects(project: Project, stage: str, record: Record, seen: set[str]) -> Iterator[Damage]:
    for name in (record.origin, record.file, record.matte):
        if not name or name in seen:
            continue
        seen.add(name)
        if not project.store.is_sound(name):
            why = "does not match its name" if project.store.has(name) else "is missing"
            yield Damage(name, why, record.name, COMMAND_OF[stage])


def mend(project: Project, damages: Sequence[Damage]) -> str:
    """Remove the damaged objects, and return the command that makes them again."""
    objects = [damage.what for damage in damages if OBJECT_NAME.fullmatch(damage.what)]
    for name in objects:
        project.store.path(name).unlink(missing_ok=True)
    order = project.declared.order
    first = min(
        (damage.restore for damage in damages), key=lambda command: order.index(command.removeprefix("curate "))
    )
    return f"{first}{' (damaged objects were removed)' if objects else ''}, then curate run"


def plain(damage: Damage) -> dict[str, str]:
    """Return a damaged file as a row of a table."""
    return asdict(damage)


def _state(path: Path, before: Path | None) -> tuple[str, Card | None]:
    try:
        card = Card.read(manifest.card_path(path))
    except ManifestError:
        return "not made yet", None
    if not path.is_file():
        return "missing", None
    stale = before is not None and before.is_file() and not card.input.startswith(manifest.digest(before))
    return ("older than the stage before" if stale else "current"), card
