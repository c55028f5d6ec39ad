"""Ask the models of a run about its pictures, as they are and changed in every way.

The audit changes the picture that the model sees, the last object of its chain: a white background is changed with it.
Each picture is shown only to a model that had not seen it.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from audit.findings import Report
from audit.kept import digests_of
from audit.robustness import report
from audit.robustness.changes import PERTURBATIONS
from audit.robustness.judge import AGREE, RunRobustness, judge, mean_share
from curate.pictures import pixels
from curate.pictures.pixels import CannotDecode
from imageledger.config import Project
from imageledger.errors import LedgerError, RunError
from imageledger.types import Floats, Track, untracked
from train.answers import Answers
from train.evaluation.temperature import logit


def robustness(project: Project, run: str | Path | None = None, *, track: Track = untracked) -> Report:
    """Report which answers of a run change when its pictures change as the world changes them.

    Raises RunError for pictures that are gone and folds that are not there, LedgerError where torch cannot be used.
    """
    answers = Answers.of(project, run).held_out()
    by_model = answers.by_model()
    pictures = _Pictures(project, answers)
    total = sum(len(rows) for _, rows in by_model)
    logits: dict[int, list[Floats]] = defaultdict(list)
    for row, shares in track(_asked(by_model, pictures), total, "asking the model"):
        logits[row].append(logit(shares))
    if not logits:
        raise RunError(f"none of the pictures of run {answers.run.name} can be opened", "curate run makes them again")
    kept = sorted(logits)
    opened = answers.pick(kept)
    shares = mean_share([np.mean(logits[row], axis=0) for row in kept])
    clean, *changed = judge(shares, opened.positive, opened.group_numbers)
    result = RunRobustness(
        answers=answers,
        clean=clean,
        cells=tuple(sorted(changed, key=lambda cell: (cell.accuracy.value, -cell.flips.value))),
        models=len(by_model),
        warnings=(*answers.warnings, *pictures.trouble(), *_strayed(shares[:, 0], opened.shares)),
    )
    found = report.report(result, answers.folder / "audit")
    return replace(found, about=digests_of(answers.folder))


class _Pictures:
    """The pictures that a model sees, opened one at a time; what cannot be opened is counted."""

    def __init__(self, project: Project, answers: Answers) -> None:
        self.project, self.answers, self.lost = project, answers, 0

    def open(self, row: int) -> Image.Image | None:
        prediction = self.answers.predictions[row]
        try:
            if prediction.file:
                content = self.project.store.read(prediction.file)
            else:
                content = (self.project.root / self.answers.run.folder / prediction.member).read_bytes()
            return pixels.decode(content).image
        except (CannotDecode, LedgerError, OSError):
            self.lost += 1
            return None

    def trouble(self) -> list[str]:
        if not self.lost:
            return []
        pictures = "1 picture is" if self.lost == 1 else f"{self.lost} pictures are"
        return [f"{pictures} gone or damaged, and left out"]


def _asked(by_model: Sequence[tuple[Path, Sequence[int]]], pictures: _Pictures) -> Iterator[tuple[int, Floats]]:
    """Yield for each row the answers to its picture and to all changes: decoded once, every model loaded once."""
    for folder, rows in by_model:
        shown: deque[int] = deque()
        answers = _model(folder)(_changed(rows, pictures, shown))
        while len(whole := list(islice(answers, 1 + len(PERTURBATIONS)))) > 0:
            yield shown.popleft(), np.array(whole)


def _changed(rows: Iterable[int], pictures: _Pictures, shown: deque[int]) -> Iterator[Image.Image]:
    """Yield each picture as it is and in every change, and note its row in `shown`."""
    for row in rows:
        image = pictures.open(row)
        if image is None:
            continue
        shown.append(row)
        yield image
        for perturbation in PERTURBATIONS:
            yield perturbation.change(image)


def _model(folder: Path) -> Callable[[Iterable[Image.Image]], Iterator[float]]:
    """Load a model; whatever keeps torch from being imported becomes one LedgerError."""
    try:
        from train.network import predicting

        model = predicting.load(folder)
    except (ImportError, OSError, RuntimeError) as error:
        raise LedgerError(f"torch cannot be used: {error}") from error
    return lambda images: predicting.predict(model, images)


def _strayed(now: Floats, then: Floats) -> list[str]:
    far = int((np.abs(now - then) > AGREE).sum())
    if not far:
        return []
    return [f"on {far} of {len(now)} unchanged pictures the model does not answer as predictions.jsonl says"]
