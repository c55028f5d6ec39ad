"""Does a model say the same of a picture once it was recompressed, shrunk, blurred? Pictures in, counts a change out.

Changed is the picture that the model sees, the last object of its chain: a white background is changed with it. Each
picture is asked about by a model that had not seen it.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit.judged import Judged, judged
from audit.robustness.changes import PERTURBATIONS, Perturbation
from curate.pictures import pixels
from curate.pictures.pixels import CannotDecode
from imageledger.config import Project
from imageledger.errors import LedgerError, RunError
from imageledger.intervals import holm
from imageledger.types import Bools, Floats
from train.evaluation.statistics import Estimate, share
from train.evaluation.temperature import logit
from train.runs import Prediction, models_of

Track = Callable[[Iterable[Any], int], Iterable[Any]]

SURE = 0.05
"""A change is said to cost accuracy below this p, corrected over all changes (Holm)."""
UNCHANGED = "as it is"

AGREE = 0.01
"""An unchanged picture may get an answer so far from that of predictions.jsonl; further is worth a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one change does to the answers on the same pictures.

    `accuracy` and `flips` (another answer than before) come with 95 % intervals over groups; `towards` are the flips
    to the negative and to the positive label, `wrong` the mistakes in either class. `p` is McNemar's exact test
    of the accuracy against that of the unchanged pictures, `drift` that of as many flips in either direction; both
    are corrected over all changes.
    """

    name: str
    quality: int
    scale: float
    n: int
    accuracy: Estimate
    flips: Estimate
    towards: tuple[int, int]
    wrong: tuple[int, int]
    p: float = 1.0
    drift: float = 1.0

    @property
    def right(self) -> int:
        """How many pictures the model is right on."""
        return self.n - sum(self.wrong)

    @property
    def flipped(self) -> int:
        """How many answers are another one than before."""
        return sum(self.towards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One audit of one run: the unchanged pictures, and every change, the worst first."""

    judged: Judged
    clean: Cell
    cells: tuple[Cell, ...]
    models: int
    warnings: tuple[str, ...] = ()


def look(project: Project, folder: Path, *, track: Track) -> Audit:
    """Ask the models of a run about its judged pictures, as they are and changed in every way.

    Raises RunError for pictures that are gone and folds that are not there, LedgerError where torch cannot be used.
    """
    seen = judged(project, folder)
    asked = by_model(seen)
    rows = {one.key: number for number, one in enumerate(seen.predictions)}
    pictures = _Pictures(project, seen)
    total = sum(len(held) for _, held in asked)
    logits: dict[int, list[Floats]] = defaultdict(list)
    done = track(_asked(asked, pictures), total)
    for one, answers in done:
        logits[rows[one.key]].append(logit(answers))
    kept = sorted(logits)
    if not kept:
        raise RunError(f"none of the pictures of run {seen.run.name} can be opened", "curate run makes them again")
    shares = mean_share([np.mean(logits[row], axis=0) for row in kept])
    positive, groups = seen.positive[kept], np.unique(seen.group_numbers[kept], return_inverse=True)[1]
    clean, *changed = counted(shares, positive, groups)
    warnings = (*seen.warnings, *pictures.trouble(), *_strayed(shares[:, 0], seen.shares[kept]))
    worst = sorted(changed, key=lambda cell: (cell.accuracy.value, -cell.flips.value))
    return Audit(judged=seen, clean=clean, cells=tuple(worst), models=len(asked), warnings=warnings)


def counted(shares: Floats, positive: Bools, groups: NDArray[np.intp]) -> list[Cell]:
    """Count what became of n pictures: `shares` holds P(positive), n x (1 + changes), the unchanged ones first."""
    said = shares > 0.5
    tried: Sequence[Perturbation | None] = (None, *PERTURBATIONS)
    cells = [_cell(one, said[:, number], said[:, 0], positive, groups) for number, one in enumerate(tried)]
    costs, drifts = (
        [1.0, *holm([mcnemar(before[:, 0], before[:, number]) for number in range(1, len(tried))])]
        for before in (said == positive[:, None], said)
    )
    return [replace(one, p=p, drift=drift) for one, p, drift in zip(cells, costs, drifts, strict=True)]


def _cell(one: Perturbation | None, said: Bools, before: Bools, positive: Bools, groups: NDArray[np.intp]) -> Cell:
    flipped, right = said != before, said == positive
    return Cell(
        name=one.name if one else UNCHANGED, quality=one.quality if one else 0, scale=one.scale if one else 0.0,
        n=len(positive), accuracy=_estimate(right, groups), flips=_estimate(flipped, groups),
        towards=(int((flipped & ~said).sum()), int((flipped & said).sum())),
        wrong=(int((~right & ~positive).sum()), int((~right & positive).sum())),
    )  # fmt: skip


def mcnemar(before: Bools, after: Bools) -> float:
    """Return the two-sided p of McNemar's exact test (1947) that both are true equally often of the same pictures."""
    from scipy.stats import binomtest

    lost, won = int((before & ~after).sum()), int((~before & after).sum())
    return float(binomtest(lost, lost + won).pvalue) if lost + won else 1.0


def by_model(seen: Judged) -> list[tuple[Path, list[Prediction]]]:
    """Return the folder of each model with the pictures it may be asked about: those it had not seen."""
    said = {one.key: one for one in seen.predictions}
    asked: dict[Path, list[Prediction]] = defaultdict(list)
    for key, places in models_of(seen.folder, seen.run).items():
        for place in places:
            asked[place].append(said[key])
    return sorted(asked.items())


def mean_share(logits: Sequence[Floats]) -> Floats:
    """Return P(positive), n x k, 0..1, from the mean logits of n pictures."""
    return 1 / (1 + np.exp(-np.stack(logits)))


class _Pictures:
    """The pictures that a model sees, opened one at a time; what cannot be opened is counted."""

    def __init__(self, project: Project, seen: Judged) -> None:
        self.project, self.run, self.lost = project, seen.run, 0

    def open(self, one: Prediction) -> Image.Image | None:
        try:
            if one.file:
                content = self.project.store.read(one.file)
            else:
                content = (self.project.root / self.run.folder / one.member).read_bytes()
            return pixels.decode(content).image
        except (CannotDecode, LedgerError, OSError):
            self.lost += 1
            return None

    def trouble(self) -> list[str]:
        if not self.lost:
            return []
        pictures = "1 picture is" if self.lost == 1 else f"{self.lost} pictures are"
        return [f"{pictures} gone or damaged, and left out"]


def _asked(asked: Sequence[tuple[Path, list[Prediction]]], pictures: _Pictures) -> Iterator[tuple[Prediction, Floats]]:
    """Yield for each picture the answers to it and to all its changes: decoded once, every model loaded once."""
    for folder, held in asked:
        shown: deque[Prediction] = deque()
        answers = _model(folder)(_changed(held, pictures, shown))
        while len(whole := list(islice(answers, 1 + len(PERTURBATIONS)))) > 0:
            yield shown.popleft(), np.array(whole)


def _changed(held: Iterable[Prediction], pictures: _Pictures, shown: deque[Prediction]) -> Iterator[Image.Image]:
    """Yield each picture as it is and in every change, and note in `shown` whose it is."""
    for one in held:
        image = pictures.open(one)
        if image is None:
            continue
        shown.append(one)
        yield image
        for perturbation in PERTURBATIONS:
            yield perturbation.change(image)


def _model(folder: Path) -> Callable[[Iterable[Image.Image]], Iterator[float]]:
    """Load a model; whatever keeps torch from being imported becomes one LedgerError."""
    try:
        from train.models import predicting

        model = predicting.load(folder)
    except (ImportError, OSError, RuntimeError) as error:
        raise LedgerError(f"torch cannot be used: {error}") from error
    return lambda images: predicting.predict(model, images)


def _estimate(flags: Bools, groups: NDArray[np.intp]) -> Estimate:
    return share(flags[None, :].astype(np.float64), groups)


def _strayed(now: Floats, then: Floats) -> list[str]:
    far = int((np.abs(now - then) > AGREE).sum())
    if not far:
        return []
    return [f"the model's answers on {far} of {len(now)} unchanged pictures are not those of predictions.jsonl"]
