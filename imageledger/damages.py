"""Whether what a project holds is undamaged: the facts behind `verify`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

from imageledger import decisions, manifest, seal
from imageledger.config import Project
from imageledger.dataset.legs import DOORS
from imageledger.errors import LedgerError, ManifestError
from imageledger.foreign import json_of
from imageledger.manifest import Card
from imageledger.overview import COMMAND_OF
from imageledger.record import OBJECT_NAME, Record
from imageledger.store import write_whole

REMOVE = "imageledger verify --remove-damaged"

SEALED = ("run.json", "predictions.jsonl", "weights.safetensors", "history.csv", "model-card.md")
"""What the seal of a run must name, where it is there."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A damaged or missing file: its name, what is wrong, what it concerns, and what restores it."""

    what: str
    why: str
    concerns: str
    restore: str


def damages(project: Project) -> Iterator[Damage]:
    """Check all that was derived, and all objects, against what was noted when it was made; yield what does not match.

    That is every manifest with its card and its objects, decisions, runs with their folds, kept numbers and features,
    and what the legs say of their own files.
    """
    seen: set[str] = set()
    for stage in project.declared.order:
        yield from _of_stage(project, stage, seen)
    yield from _of_decisions(project)
    for folder in _runs(project):
        yield from _of_run(project, folder)
    for path in _numbers(project):
        if lines := _broken_lines(path):
            which = f"line {lines[0]}" if len(lines) == 1 else f"{len(lines)} lines, the first is line {lines[0]},"
            yield Damage(
                _within(project, path), f"{which} torn or damaged", "numbers, which are measured again", REMOVE
            )
    for path in _features(project):
        if not _whole(path):
            yield Damage(_within(project, path), "does not match its seal", "features, which are made again", REMOVE)
    for what, why, concerns, restore in DOORS.load("curate", ModuleType).damages(project):
        yield Damage(what, why, concerns, restore)


def of_exports(paths: Iterable[Path]) -> Iterator[Damage]:
    """Check exported models, wherever they lie: every file against model.json, and that against its seal."""
    for path in paths:
        for what, why in DOORS.load("train", ModuleType).damages_of_export(path):
            yield Damage(what, why, "an exported model", "train export")


def unsealed(project: Project) -> list[str]:
    """Say in sentences what cannot be verified, because it was made before there were seals."""
    old = [folder.relative_to(project.runs).as_posix() for folder in _runs(project) if not seal.has(folder)]
    lines = [
        f"run {name} has no seal: it was made before runs were sealed, and cannot be verified" for name in old
        if "/" not in name
    ]  # fmt: skip
    cards = [manifest.card_path(project.manifest(stage)) for stage in project.declared.order]
    if bare := [path.name for path in cards if _has_no_seal(path)]:
        lines.append(f"{', '.join(bare)} without a seal: made before cards were sealed, so the text cannot be verified")
    if numbers := sum(map(_bare_lines, _numbers(project))):
        lines.append(f"{numbers} kept numbers have no seal: they were measured before numbers were sealed")
    return lines


def mend(project: Project, damages: Sequence[Damage]) -> str:
    """Remove damaged objects, features and lines of numbers, and return what makes the rest again."""
    objects = [damage.what for damage in damages if OBJECT_NAME.fullmatch(damage.what)]
    for name in objects:
        project.store.path(name).unlink(missing_ok=True)
    for path in (project.root / damage.what for damage in damages if damage.restore == REMOVE):
        if path.suffix == ".jsonl":
            broken = set(_broken_lines(path))
            kept = [line for number, line in enumerate(_lines(path), 1) if number not in broken]
            write_whole(path, "".join(f"{line}\n" for line in kept).encode("utf-8"))
        else:
            path.unlink(missing_ok=True)
    return what_next(project, damages, " (damaged objects were removed)" if objects else "", mended=True)


def what_next(project: Project, damages: Sequence[Damage], note: str = "", *, mended: bool = False) -> str:
    """Return what to type next: the first stage that must run again, and then what restores all else."""
    commands = [COMMAND_OF[stage] for stage in project.declared.order]
    stages = [damage.restore for damage in damages if damage.restore in commands]
    others = dict.fromkeys(damage.restore for damage in damages if damage.restore not in commands)
    parts = [f"{min(stages, key=commands.index)}{note}, then curate run"] if stages else []
    parts += [how for how in others if not (mended and how == REMOVE)]
    if stages and not mended:
        parts[0] = f"{REMOVE}, then curate run"
        parts = [how for how in parts if how != REMOVE]
    return "; ".join(parts) or "nothing: what was damaged has been removed, and is made again when it is needed"


def plain(damage: Damage) -> dict[str, str]:
    """Return a damaged file as a row of a table."""
    return asdict(damage)


def _of_stage(project: Project, stage: str, seen: set[str]) -> Iterator[Damage]:
    path = project.manifest(stage)
    card_path = manifest.card_path(path)
    if not path.exists() and not card_path.exists():
        return
    try:
        card = Card.read(card_path)
    except ManifestError as error:
        yield Damage(card_path.name, error.what, f"all of {path.name}", COMMAND_OF[stage])
        return
    if not path.is_file():
        yield Damage(path.name, "is missing, though its card is there", "the whole manifest", COMMAND_OF[stage])
        return
    if manifest.digest(path) != card.digest:
        yield Damage(path.name, "does not match its card", "the whole manifest", COMMAND_OF[stage])
        return
    try:
        for record in manifest.read(path):
            yield from _damaged_objects(project, stage, record, seen)
    except ManifestError as error:  # it matches its card, so somebody made both
        yield Damage(path.name, error.what, "the whole manifest", COMMAND_OF[stage])


def _damaged_objects(project: Project, stage: str, record: Record, seen: set[str]) -> Iterator[Damage]:
    for name in (record.origin, record.file, record.matte):
        if not name or name in seen:
            continue
        seen.add(name)
        if not project.store.is_sound(name):
            why = "does not match its name" if project.store.has(name) else "is missing"
            yield Damage(name, why, record.name, COMMAND_OF[stage])


def _of_decisions(project: Project) -> Iterator[Damage]:
    try:
        decisions.read(project.folder / decisions.FILE, project.declared.labels)
    except LedgerError as error:
        yield Damage(decisions.FILE, error.what, "what people decided", f"correct that line: {error.hint}")


def _of_run(project: Project, folder: Path) -> Iterator[Damage]:
    if not seal.has(folder):
        return
    name = folder.relative_to(project.runs).parts[0]
    again = f"put data/runs/{name} back from a copy, or delete it and train it again"
    for what, why in seal.check(folder, SEALED):
        yield Damage(_within(project, folder / what), why, f"run {name}", again)
    for path in (folder / "calibration.json", *sorted((folder / "audit").glob("foreign-*.json"))):
        try:
            if path.is_file():
                seal.opened(json_of(path.read_bytes()))
        except ValueError as error:
            command = "audit calibration" if path.parent == folder else "audit foreign"
            yield Damage(_within(project, path), f"is damaged: {error}", f"run {name}", f"{command} writes it again")


def _runs(project: Project) -> Iterator[Path]:
    """Yield the folders of finished runs and of their folds."""
    for path in sorted(project.runs.glob("*/run.json")):
        if not path.parent.name.startswith("."):
            yield path.parent
            yield from (inner.parent for inner in sorted(path.parent.glob("folds/*/run.json")))


def _lines(path: Path) -> list[str]:
    lines = path.read_bytes().decode("utf-8", "replace").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _broken_lines(path: Path) -> list[int]:
    """Return the numbers of the lines that are torn or do not match their seal."""
    return [number for number, line in enumerate(_lines(path), 1) if not _is_sound(line)]


def _is_sound(line: str) -> bool:
    try:
        row = seal.of_line(line)
    except ValueError:
        return False
    return isinstance(row, dict) and set(row) in ({"object", "values"}, {"object", "print"})


def _bare_lines(path: Path) -> int:
    return sum(f'"{seal.KEY}": "' not in line for line in _lines(path))


def _numbers(project: Project) -> list[Path]:
    """Return the files of numbers and of prints that were measured once for each object."""
    return sorted(path for kind in ("measured", "prints") for path in (project.root / "data" / kind).glob("*.jsonl"))


def _features(project: Project) -> list[Path]:
    return sorted((project.root / "data" / "features").rglob("*.npy"))


def _whole(path: Path) -> bool:
    try:
        seal.opened_bytes(path.read_bytes())
    except ValueError:
        return False
    return True


def _has_no_seal(path: Path) -> bool:
    try:
        return seal.KEY not in json_of(path.read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def _within(project: Project, path: Path) -> str:
    return path.relative_to(project.root).as_posix()
