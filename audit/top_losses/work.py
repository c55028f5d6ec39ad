"""Read a run's predictions, rank them, and open the pictures behind the worst of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audit import pictures
from audit.findings import Report
from audit.pictures import Entry
from audit.top_losses import report
from audit.top_losses.judge import SHOWN, RankedRun, rank, refuse_split, wanted
from imageledger.config import Project
from imageledger.errors import ConfigError
from imageledger.record import groups_of
from imageledger.types import Track, untracked
from train.answers import records_of
from train.pictures import VALID
from train.runs import Run, find_run, read_predictions

MOST = 20
"""So many pictures are listed unless `k` says otherwise; with `all` there is no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopLossesSettings:
    """Which pictures to list: what they are, what the model called them, of which split, and at most how many."""

    actual: str | None = None
    predicted: str | None = None
    split: str = VALID
    k: int | None = None
    all: bool = False


def top_losses(
    project: Project,
    run: str | Path | None = None,
    *,
    settings: TopLossesSettings = TopLossesSettings(),
    track: Track = untracked,
) -> Report:
    """Report the pictures that a run got most wrong: by default real ones called AI, highest loss first.

    Raises LedgerError for labels or a split that the run does not have.
    """
    if settings.all and (settings.actual or settings.predicted):
        raise ConfigError("all takes every picture", "leave out actual and predicted")
    folder = run if isinstance(run, Path) else find_run(project, run)
    trained = Run.load(folder)
    refuse_split(trained, settings.split)
    which = wanted(trained.labels, settings.actual, settings.predicted, settings.split, everything=settings.all)
    most = settings.k or (None if settings.all else MOST)
    predictions = list(read_predictions(folder))
    records, warnings = records_of(project, trained, [prediction.key for prediction in predictions])
    groups = dict(zip(records, groups_of(records.values()), strict=True))
    ranking = rank(predictions, trained.labels, which, most, groups)
    ranked = RankedRun(run=trained, wanted=which, ranking=ranking, records=records, warnings=warnings)
    return report.report(ranked, open_pictures(project, ranked, track), folder / "audit", variant_of(settings))


def variant_of(settings: TopLossesSettings) -> tuple[str, ...]:
    """Say which other pictures than those of the usual look are listed."""
    split = "" if settings.split == VALID else settings.split
    few = f"k-{settings.k}" if settings.k and (settings.all or settings.k < MOST) else ""
    called = f"called-{settings.predicted}" if settings.predicted else ""
    return tuple(filter(None, ("all" if settings.all else "", settings.actual, called, split, few)))


def open_pictures(project: Project, ranked: RankedRun, track: Track = untracked) -> Sequence[Entry]:
    """Open the pictures of the worst predictions, at most SHOWN of them; what cannot be shown says why."""
    worst = ranked.ranking.worst[:SHOWN]
    shown = track(worst, len(worst), "opening pictures")
    return [
        pictures.entry_of(project, ranked.run, rank, prediction, ranked.records.get(prediction.key))
        for rank, prediction in enumerate(shown, 1)
    ]
