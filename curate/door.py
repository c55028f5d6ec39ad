"""The Python calls of curate: what `imageledger.Dataset` reaches through the entry point `imageledger.door`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.dedupe import work as dedupe_stage
from curate.fetch import work as fetch_stage
from curate.look import work as looks
from curate.look.settings import LookSettings
from curate.manifest import export as exports
from curate.manifest import work as manifest_stage
from curate.normalize import work as normalize_stage
from curate.normalize.settings import settings_of as normalize_settings_of
from curate.run.plan import plan
from curate.run.plan import remarks as remarks
from curate.run.work import run as all_stages
from curate.saved import keep_or_say
from curate.sources import downloads, ledger
from curate.sources.entries import located, named, parse_options
from curate.testing.families import check_family as check_family
from curate.testing.matting import check_matting as check_matting
from curate.testing.sources import check_source as check_source
from curate.whiten import work as whiten_stage
from imageledger import manifest
from imageledger.config import Project
from imageledger.errors import ConfigError, GateFailed, LedgerError
from imageledger.record import UNREADABLE
from imageledger.stage import Outcome
from imageledger.types import Row, Track

if TYPE_CHECKING:
    from PIL import Image

NO_MATCHING = "off"


def damages(project: Project) -> Iterator[tuple[str, str, str, str]]:
    """Yield what of curate's own files is damaged: its name, what is wrong, what it concerns, and what restores it."""
    path = project.manifest("manifest")
    table = path.with_suffix(".csv")
    try:
        differs = table.is_file() and table.read_bytes() != manifest_stage.as_csv(manifest.read(path)).encode()
    except LedgerError:
        differs = False  # the manifest itself is damaged, and has been named
    if differs:
        yield table.name, f"does not say what {path.name} says", "the table for people", "curate manifest"
    try:
        for sealed in downloads.damaged(project):
            yield (sealed.relative_to(project.root).as_posix(), "is not what was downloaded", "a sealed download",
                   "delete that zip; curate fetch downloads it again")  # fmt: skip
    except LedgerError as error:
        yield ledger.path(project).name, error.what, "the ledger of sources", error.hint


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
    if not sources and (labels or any(value not in (None, ()) for value in options.values())):
        raise ConfigError("what pictures are, and which to take, is said of a source: name it too")
    words = labels if isinstance(labels, str) or labels is None else None
    chosen = parse_options({**options, "labels": words})
    if words is None and labels is not None:
        chosen["labels"] = labels
    entries = [named(located(source, project, Path.cwd()), project, **chosen) for source in sources]
    with project.lock("curate fetch"):
        outcome = fetch_stage.fetch(project, entries, workers=workers, track=track)
    return _strictly(outcome, strict)


def normalize(
    project: Project,
    *,
    track: Track,
    save: bool,
    from_: Path | str | None,
    workers: int | None,
    strict: bool,
    **options: Any,
) -> Outcome:
    """Bring every picture to one format and one size."""
    if options.get("face_model") is not None:
        options["face_model"] = str(Path(options["face_model"]).resolve())
    chosen = normalize_settings_of(project, **options)
    with project.lock("curate normalize"):
        outcome = normalize_stage.normalize(project, chosen, source=_path(from_), workers=workers, track=track)
    keep_or_say(project, "normalize", chosen, normalize_settings_of(project), save=save)
    return _strictly(outcome, strict)


def dedupe(project: Project, *, track: Track, save: bool, from_: Path | str | None, **options: Any) -> Outcome:
    """Find copies of the same picture and keep the best of each."""
    chosen = dedupe_stage.settings_of(project, **options)
    with project.lock("curate dedupe"):
        outcome = dedupe_stage.dedupe(project, chosen, source=_path(from_), track=track)
    keep_or_say(project, "dedupe", chosen, dedupe_stage.settings_of(project), save=save)
    return outcome


def whiten(
    project: Project,
    *,
    track: Track,
    save: bool,
    from_: Path | str | None,
    workers: int | None,
    strict: bool,
    **options: Any,
) -> Outcome:
    """Cut every person out, or keep the inner face alone."""
    if options["model_path"]:
        options["model_path"] = str(Path(options["model_path"]).resolve())
    chosen = whiten_stage.settings_of(project, **options)
    idle = ("matting", "model", "model_path") if chosen.region == "face" else ("face_size",)
    if without_effect := [name for name in idle if options[name]]:
        raise ConfigError(f"{', '.join(without_effect)} does nothing with region {chosen.region}")
    with project.lock("curate whiten"):
        outcome = whiten_stage.whiten(project, chosen, source=_path(from_), workers=workers, track=track)
    keep_or_say(project, "whiten", chosen, whiten_stage.settings_of(project), save=save)
    return _strictly(outcome, strict)


def choose(
    project: Project,
    *,
    track: Track,
    match: str | Sequence[str] | None,
    save: bool,
    export: Path | str | None,
    from_: Path | str | None,
    workers: int | None,
    **options: Any,
) -> Outcome:
    """Choose the final dataset, and export it as a folder tree where that is wanted."""
    chosen = manifest_stage.settings_of(project, **options, match=_families(match))
    with project.lock("curate manifest"):
        outcome = manifest_stage.choose(project, chosen, source=_path(from_), workers=workers, track=track)
        if export:
            exports.export(manifest.read(outcome.path), project.store, Path(export))
    keep_or_say(project, "manifest", chosen, manifest_stage.settings_of(project), save=save)
    return outcome


def run(project: Project, *, track: Track, dry_run: bool, workers: int | None, strict: bool) -> Outcome | list[Row]:
    """Run all stages in the project's order, with the settings of imageledger.toml; or say what that would do."""
    if dry_run:
        return plan(project)
    outcomes = [_strictly(outcome, strict) for outcome in all_stages(project, workers=workers, track=track)]
    if not outcomes:
        raise ConfigError("this project's order names no stage")
    return outcomes[-1]


def look(
    project: Project, *, track: Track, stage: str | None, output: Path | str | None, **options: Any
) -> "Image.Image":
    """Draw a sheet of the pictures of a stage, and write it where that is wanted."""
    looked = looks.look(project, stage, settings=LookSettings(**options), track=track)
    if output is not None:
        looks.write(looked, Path(output))
    return looked.picture


def planted(project: Project, address: str, predictions: Path) -> list[Row]:
    """Write the problems planted in drawn pictures to truth.jsonl; return how many the stages and a model found.

    A picture whose label the model contradicts, in training or validation, counts as a suspect: it is mislabelled, or
    just hard.
    """
    from curate.sources.sample import found, open_sample, write_truth

    truth = open_sample(address, project).truth()
    write_truth(project.folder / "truth.jsonl", truth)
    rows = map(json.loads, predictions.read_text(encoding="utf-8").rstrip("\n").split("\n"))
    suspects = {row["member"] for row in rows if row["predicted"] != row["label"]}
    return list(found(truth, manifest.read(project.manifest("manifest")), suspects))


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
