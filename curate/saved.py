"""Options of a stage beside what imageledger.toml says: compared, put into words, and kept where that is asked for."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import tomlkit

from imageledger.config import FILE, Declared, Project
from imageledger.store import write_whole

logger = logging.getLogger(__name__)

TOP = {spec.name for spec in fields(Declared)}
"""Settings that stand at the top of imageledger.toml, not in the table of a stage."""

FEW = 3

Pair = tuple[Any, Any]


def differing(chosen: Any, declared: Any) -> dict[str, Pair]:
    """Return the settings in which two dataclasses differ: name -> (chosen, declared)."""
    said = asdict(declared)
    return {name: (value, said[name]) for name, value in asdict(chosen).items() if value != said[name]}


def keep_or_say(project: Project, stage: str, chosen: Any, declared: Any, *, save: bool) -> None:
    """Write options that differ from imageledger.toml into it, or tell people that `curate run` goes by the file."""
    others = differing(chosen, declared)
    if others and save:
        _write(project, stage, {name: value for name, (value, _) in others.items()})
        logger.info(
            "Kept in %s: %s.", FILE, ", ".join(f"{name} {_shown(value)}" for name, (value, _) in others.items())
        )
    elif others:
        apart = ", ".join(f"{name} {_shown(value)} (there: {_shown(said)})" for name, (value, said) in others.items())
        logger.info("Not what %s says: %s. curate run goes by the file; --save writes this into it.", FILE, apart)


def in_words(stage: str, others: Mapping[str, Pair]) -> str:
    """Say that a stage was made with other settings than imageledger.toml has."""
    made = ", ".join(f"{name} {_shown(value)}" for name, (value, _) in others.items())
    said = ", ".join(_shown(value) for _, value in others.values())
    return f"{stage} was made with {made}; {FILE} says {said}, and curate run makes it anew with that."


def briefly(others: Mapping[str, Pair]) -> str:
    """Say which settings change, and from what to what."""
    return ", ".join(f"{name} {_shown(value)} → {_shown(said)}" for name, (value, said) in others.items())


def _write(project: Project, stage: str, values: Mapping[str, Any]) -> None:
    path = project.root / FILE
    document = tomlkit.parse(path.read_bytes().decode("utf-8-sig"))
    for name, value in values.items():
        table: Any = document if name in TOP else document.setdefault(stage, tomlkit.table())
        table[name] = list(value) if isinstance(value, tuple) else value
    write_whole(path, tomlkit.dumps(document).encode(), mode=path.stat().st_mode & 0o777)


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join([*map(str, value[:FEW]), *["…"] * (len(value) > FEW)]) or "off"
    return str(value) if value != "" else "none"
