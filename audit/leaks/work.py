"""Read a manifest and compare its pictures across the split and across the labels."""

from dataclasses import dataclass, replace
from pathlib import Path

from audit.findings import Report
from audit.leaks import report
from audit.leaks.pairs import DISTANCE, compare
from imageledger import manifest as manifests
from imageledger.config import Project
from imageledger.errors import ManifestError
from imageledger.types import Track, untracked


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaksSettings:
    """`distance` is how many of the 64 bits of a hash the pictures of a candidate pair may differ in."""

    distance: int = DISTANCE


def leaks(
    project: Project,
    manifest: str | Path | None = None,
    *,
    settings: LeaksSettings = LeaksSettings(),
    track: Track = untracked,
) -> Report:
    """Report the pictures that stand on both sides of the split, or under both labels.

    `manifest` is any manifest (default: the final one of the project). Raises ManifestError where there is none.
    """
    path = Path(manifest) if manifest else project.manifest("manifest")
    comparison = compare(manifests.read(path), project.store, distance=settings.distance, track=track)
    found = report.report(comparison, project.store, str(path), project.root / "data" / "audit", _deduped(project))
    closer = f"distance-{settings.distance}" if settings.distance < DISTANCE else ""
    own = path.name.removesuffix(".gz").removesuffix(".jsonl") if manifest else ""
    return replace(found, variant=(own, closer))


def _deduped(project: Project) -> int | None:
    """Return the distance at which curate dedupe looked for copies; None where it has not, or does not say."""
    try:
        stated = manifests.Card.read(manifests.card_path(project.manifest("dedupe"))).settings.get("distance")
    except ManifestError:
        return None
    return stated if isinstance(stated, int) else None
