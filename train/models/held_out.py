"""Ask about a picture of a run the models that had not seen it: those of the folds that held it out."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from PIL import Image

from train.evaluation.metrics import mean_of
from train.models import predicting
from train.runs import SPLIT, Run, models_of

Key = tuple[str, str]


def asker(folder: Path) -> Callable[[Iterable[Key], Iterable[Image.Image]], Iterator[float]]:
    """Return what yields P(positive), 0..1, of upright RGB pictures, given the key of the record each belongs to.

    A run of one split has one model; else it is that of the fold which held the picture out, over repeats the mean of
    the logits. Raises RunError or ModelError where a model cannot be loaded.
    """
    run, load = Run.load(folder), cache(predicting.load)
    if run.kind == SPLIT:
        return lambda keys, images: predicting.predict(load(folder), images)
    places = models_of(folder, run)
    for place in {place for found in places.values() for place in found}:
        load(place)

    def ask(keys: Iterable[Key], images: Iterable[Image.Image]) -> Iterator[float]:
        for key, image in zip(keys, images, strict=True):
            yield mean_of([next(predicting.predict(load(place), [image])) for place in places[key]])

    return ask
