"""What `curate run` would do, stage by stage, and where that differs from what was done by hand."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from curate.dedupe import work as dedupe
from curate.manifest import work as final
from curate.normalize import settings as normalize_settings
from curate.normalize import size
from curate.saved import Pair, briefly, in_words
from curate.whiten import work as whiten
from imageledger import decisions, manifest
from imageledger.config import Project
from imageledger.errors import LedgerError, ManifestError
from imageledger.manifest import Card
from imageledger.types import Row

AUTO = "auto"
WAITING = "people have decided since"

SETTINGS: Mapping[str, Callable[[Project], Any]] = {
    "normalize": normalize_settings.settings_of,
    "dedupe": dedupe.settings_of,
    "whiten": whiten.settings_of,
    "manifest": final.settings_of,
}


def changed(project: Project) -> dict[str, dict[str, Pair]]:
    """Return, for each stage made with other settings than declared, these settings: name -> (made, declared).

    A size that is found automatically counts where today's pictures give another.
    """
    found = {}
    for stage in project.declared.order:
        try:
            made = Card.read(manifest.card_path(project.manifest(stage))).settings
        except ManifestError:
            continue
        if stage in SETTINGS and (others := _others(stage, made, project)):
            found[stage] = others
    return found


def remarks(project: Project) -> list[str]:
    """Say which stages were made with other settings than imageledger.toml has, and which decisions wait for one."""
    lines = [in_words(stage, others) for stage, others in changed(project).items()]
    waiting = [
        stage for stage in project.declared.order if project.manifest(stage).is_file() and _waits(project, stage)
    ]
    if waiting:
        which = " and ".join(filter(None, [", ".join(waiting[:-1]), waiting[-1]]))
        lines.append(f"Decisions of people wait for {which}: curate run applies them.")
    return lines


def plan(project: Project) -> list[Row]:
    """Return a row per stage: what `curate run` would do with it, and why."""
    others = changed(project)
    rows: list[Row] = []
    anew = False
    for stage in project.declared.order:
        path = project.manifest(stage)
        why = briefly(others[stage]) if stage in others else _why(project, stage)
        anew = anew or bool(why)
        rows.append({"stage": stage, "would be": "made" if not path.is_file() else "made anew" if anew else "kept",
                     "because": why or ("a stage before it changes" if anew else "nothing has changed")})  # fmt: skip
    return rows


def _why(project: Project, stage: str) -> str:
    """Say why a stage whose settings agree must be made, or ""."""
    path = project.manifest(stage)
    if not path.is_file():
        return "it has not been made"
    if stage == "fetch":
        return ""
    before = project.before(stage)
    card = Card.read(manifest.card_path(path))
    if not (before.is_file() and card.input.startswith(manifest.digest(before))):
        return "the stage before it is newer"
    return WAITING if decisions.wait(project.folder, stage, card.input) else ""


def _waits(project: Project, stage: str) -> bool:
    try:
        card = Card.read(manifest.card_path(project.manifest(stage)))
        return decisions.wait(project.folder, stage, card.input)
    except ManifestError:
        return False


def _others(stage: str, made: Mapping[str, Any], project: Project) -> dict[str, Pair]:
    declared = json.loads(json.dumps(asdict(SETTINGS[stage](project))))
    if stage == "whiten" and declared["region"] == "face" == made.get("region"):
        declared = {name: declared[name] for name in ("region", "face_size")}
    if stage == "whiten" and declared["model_path"]:
        declared.pop("model")
    if stage == "normalize":
        declared = _of_normalize(declared, made, project)
    return {
        name: (made[name], said)
        for name, said in declared.items()
        if name in made and made[name] != said and (name, said) not in (("face_size", AUTO), ("model_sha256", ""))
    }


def _of_normalize(declared: dict[str, Any], made: Mapping[str, Any], project: Project) -> dict[str, Any]:
    """Leave out what was left to the stage: a size it still finds the same, faces, and which model finds them."""
    if declared["size"] == AUTO and _fitting(project) == made.get("size"):
        declared.pop("size")
    declared["require_face"] = normalize_settings.settings_of(project).rejects_faceless
    declared.pop("face_model")
    return {name: value for name, value in declared.items() if (name, value) != ("face_sha256", "")}


def _fitting(project: Project) -> int | None:
    try:
        return size.fitting(project, normalize_settings.settings_of(project)).size
    except (LedgerError, OSError):
        return None
