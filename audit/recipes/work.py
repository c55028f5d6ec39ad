"""Compare recipes on a sample of the pictures that normalize would read, and report what they do to it."""

from dataclasses import dataclass
from pathlib import Path

from audit.findings import Report, csv_bytes, notes
from audit.recipes import page
from audit.recipes.candidates import compare
from imageledger.config import Project
from imageledger.types import Row, Track, untracked


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipesSettings:
    """How many pictures of each label to try, the weights of a network to probe too, and how many processes to use."""

    sample: int = 100
    weights: str | Path | None = None
    workers: int | None = None


def recipes(
    project: Project,
    manifest: str | Path | None = None,
    *,
    settings: RecipesSettings = RecipesSettings(),
    track: Track = untracked,
) -> Report:
    """Report how much of the shortcuts each recipe of normalize leaves, and how much of a known signal it keeps.

    `manifest` is where the sample comes from (default: what normalize would read). Raises ManifestError when a label
    has too few pictures, and MissingExtra when weights are given and torch is absent.
    """
    rows, faces = compare(
        project, source=Path(manifest) if manifest else None, sample=settings.sample,
        weights=str(settings.weights or ""), workers=settings.workers, track=track,
    )  # fmt: skip
    title = f"AUC left and kept, up to {settings.sample} pictures per label"
    return Report(
        audit="recipes", subject=project.dataset, findings=notes(faces), tables={title: list(map(_for_people, rows))},
        rows=rows, data=rows, contents={"recipes.csv": lambda: csv_bytes(tuple(rows[0]), rows)},
        drawings=lambda: page.drawings(rows), folder=project.root / "data" / "audit",
    )  # fmt: skip


def _for_people(row: Row) -> Row:
    return {name: f"{value:.2f}" if isinstance(value, float) else value for name, value in row.items()}
