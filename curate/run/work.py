"""Run all stages in the project's order, each with the settings of imageledger.toml."""

import logging
from collections.abc import Callable, Iterator, Mapping

from curate.dedupe.work import dedupe
from curate.fetch.work import fetch
from curate.manifest.work import choose
from curate.normalize.work import normalize
from curate.whiten.work import whiten
from imageledger.config import Project
from imageledger.stage import Outcome
from imageledger.types import Track, untracked

logger = logging.getLogger(__name__)

STAGES: Mapping[str, Callable[..., Outcome]] = {
    "fetch": fetch,
    "normalize": normalize,
    "dedupe": dedupe,
    "whiten": whiten,
    "manifest": choose,
}


def run(project: Project, *, workers: int | None = None, track: Track = untracked) -> Iterator[Outcome]:
    """Run the stages and yield what each did; what an earlier run did already is reused."""
    order = project.declared.order
    for number, name in enumerate(order, 1):
        logger.info("[%d/%d] curate %s", number, len(order), name)
        with project.lock(f"curate {name}"):
            outcome = STAGES[name](project, workers=workers, track=track)
        yield outcome
