"""The Python calls of curate: what `imageledger.Dataset` reaches through the entry point `imageledger.door`."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from curate.dedupe import work as dedupe_stage
from curate.fetch import work as fetch_stage
from curate.manifest import export as exports
from curate.manifest import work as manifest_stage
from curate.normalize import work as normalize_stage
from curate.sources.entries import located, named, parse_options
from curate.whiten import work as whiten_stage
from imageledger import manifest
from imageledger.config import Project, settings
from imageledger.errors import ConfigError, GateFailed
from imageledger.record import UNREADABLE
from imageledger.stage import Outcome
from imageledger.types import Track

NO_MATCHING = "off"


def fetch(
    project: Project,
    *,
    track: Track,
    sources: Sequence[str],
    labels: str | Mapping[str, str] | None,
    workers: int | None,
    strict: bool,
    **options: Any,
) -> Outcome:
    """Fetch the sources, with paths relative to the working directory, or all that are declared."""
    if not sources and (labels or any(value is not None for value in options.values())):
        raise ConfigError("label, labels, limit and generator belong to a source named beside them")
    words = labels if isinstance(labels, str) or labels is None else None
    chosen = parse_options({**options, "labels": words})
    if words is None and labels is not None:
        chosen["labels"] = labels
    entries = [named(located(source, project, Path.cwd()), project, **chosen) for source in sources]
    with project.lock("curate fetch"):
        outcome = fetch_stage.fetch(project, entries, workers=workers, track=_named(track, "fetch"))
    return _strictly(outcome, strict)


def normalize(
    project: Project, *, track: Track, from_: Path | str | None, workers: int | None, strict: bool, **options: Any
) -> Outcome:
    """Bring every picture to one format and one size."""
    chosen = settings(normalize_stage.NormalizeSettings, project.tables.get("normalize", {}), options)
    source = _path(from_)
    with project.lock("curate normalize"):
        fitted, _ = normalize_stage.sized(project, chosen, source)
        outcome = normalize_stage.normalize(
            project, fitted, source=source, workers=workers, track=_named(track, "normalize")
        )
    return _strictly(outcome, strict)


def dedupe(project: Project, *, track: Track, from_: Path | str | None, **options: Any) -> Outcome:
    """Find copies of the same picture and keep the best of each."""
    chosen = settings(dedupe_stage.DedupeSettings, project.tables.get("dedupe", {}), options)
    with project.lock("curate dedupe"):
        return dedupe_stage.dedupe(project, chosen, source=_path(from_), watch=_named(track, "dedupe"))


def whiten(
    project: Project, *, track: Track, from_: Path | str | None, workers: int | None, strict: bool, **options: Any
) -> Outcome:
    """Cut every person out, or keep the inner face alone."""
    if options["model_path"]:
        options["model_path"] = str(Path(options["model_path"]).resolve())
    chosen = settings(whiten_stage.WhitenSettings, project.tables.get("whiten", {}), options)
    idle = ("matting", "model", "model_path") if chosen.region == "face" else ("face_size",)
    if without_effect := [name for name in idle if options[name]]:
        raise ConfigError(f"{', '.join(without_effect)} does nothing with region {chosen.region}")
    with project.lock("curate whiten"):
        outcome = whiten_stage.whiten(
            project, chosen, source=_path(from_), workers=workers, track=_named(track, "whiten")
        )
    return _strictly(outcome, strict)


def choose(
    project: Project,
    *,
    track: Track,
    match: str | Sequence[str] | None,
    export: Path | str | None,
    from_: Path | str | None,
    workers: int | None,
    **options: Any,
) -> Outcome:
    """Choose the final dataset, and export it as a folder tree where that is wanted."""
    declared = {name: getattr(project.declared, name) for name in ("per_class", "valid_fraction", "seed")}
    table = {**declared, **project.tables.get("manifest", {})}
    chosen = settings(manifest_stage.FinalSettings, table, {**options, "match": _families(match)})
    with project.lock("curate manifest"):
        outcome = manifest_stage.finish(
            project, chosen, source=_path(from_), workers=workers, track=_named(track, "measuring")
        )
        if export:
            exports.export(manifest.read(outcome.path), project.store, Path(export))
    return outcome


def run(project: Project, *, track: Track, workers: int | None, strict: bool) -> Outcome:
    """Run all stages in the project's order, with the settings of imageledger.toml."""
    outcome = None
    for stage in project.declared.order:
        outcome = STAGES[stage](project, track=track, workers=workers, strict=strict)
    if outcome is None:
        raise ConfigError("this project's order names no stage")
    return outcome


STAGES: Mapping[str, Any] = {
    "fetch": partial(fetch, sources=(), labels=None),
    "normalize": partial(normalize, from_=None),
    "dedupe": lambda project, *, track, workers, strict: dedupe(project, track=track, from_=None),
    "whiten": partial(whiten, from_=None, model_path=None, matting=None, model=None, face_size=None),
    "manifest": lambda project, *, track, workers, strict: choose(
        project, track=track, match=None, export=None, from_=None, workers=workers
    ),
}


def _named(track: Track, doing: str) -> Any:
    """Return the display of progress of a stage, which names itself."""

    def show(rows: Iterable[Any], total: int) -> Iterable[Any]:
        return track(rows, total, doing)

    return show


def _families(match: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Read the families to match on: names, or names between commas, or "off" for none."""
    if match is None:
        return None
    words = match.split(",") if isinstance(match, str) else match
    names = tuple(word.strip() for word in words if word.strip())
    return () if names == (NO_MATCHING,) else names


def _path(path: Path | str | None) -> Path | None:
    return None if path is None else Path(path)


def _strictly(outcome: Outcome, strict: bool) -> Outcome:
    unreadable = outcome.tally.total(UNREADABLE)
    if strict and unreadable:
        raise GateFailed(f"{unreadable} pictures could not be read", "the reasons are in the manifest")
    return outcome
