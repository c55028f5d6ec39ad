"""What `audit top-losses` reads: a run's predictions, ranked, and the pictures behind the worst of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from audit.pictures import Entry, Found, entry_of
from audit.top_losses.judge import Ranking, Wanted, verdict
from audit.words import DRAWN_NOTE
from imageledger.config import Project
from train.runs import Prediction, Run

SHOWN = 100
"""At most so many pictures stand on the sheet and the page; the CSV file always has every row."""


Track = Callable[[Iterable[Prediction], int], Iterable[Prediction]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One audit of one run: what was asked for, what came out, and what a person should be warned of."""

    run: Run
    wanted: Wanted
    ranking: Ranking
    found: Found

    @property
    def title(self) -> str:
        """The heading of the sheet and the page."""
        return self.wanted.in_words(self.ranking.matched)

    @property
    def cut(self) -> str:
        """The title with what of it is listed, such as "the 20 worst of 34 real portraits called ai"."""
        listed = len(self.ranking.worst)
        return f"the {listed} worst of {self.title}" if listed < self.ranking.matched else self.title

    @property
    def sentences(self) -> list[str]:
        """The counts in words, and first of all that drawn pictures mean nothing."""
        said = verdict(self.ranking.confusion, self.wanted.split, self.run.kind)
        return [DRAWN_NOTE, *said] if self.ranking.drawn else said


def open_pictures(project: Project, audit: Audit, track: Track) -> list[Entry]:
    """Open the pictures of the worst predictions, at most SHOWN of them; what cannot be shown says why."""
    worst, records = audit.ranking.worst, audit.found.records
    shown = track(worst[:SHOWN], min(SHOWN, len(worst)))
    return [
        entry_of(project, audit.run, rank, prediction, records.get(prediction.key))
        for rank, prediction in enumerate(shown, 1)
    ]
