"""Ask about a picture of a run the models that had not seen it: those of the folds that held it out."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from PIL import Image

from imageledger.types import Key
from train.answers import Answers
from train.evaluation.metrics import mean_of
from train.models import predicting
from train.runs import SPLIT, Run, models_of

Ask = Callable[[Iterable[Key], Iterable[Image.Image]], Iterator[float]]
"""Keys of pictures, and upright RGB pictures to be asked about in their place -> P(positive), 0..1, of each."""


def ask_held_out(answers: Answers) -> Ask:
    """Return what asks about each picture the models that had not seen it, over repeats the mean of their logits.

    Raises RunError or ModelError where a model cannot be loaded.
    """
    load = cache(predicting.load)
    if answers.run.kind == SPLIT:
        return lambda keys, images: predicting.predict(load(answers.folder), images)
    places: dict[Key, list[Path]] = defaultdict(list)
    for folder, rows in answers.by_model():
        load(folder)
        for row in rows:
            places[answers.predictions[row].key].append(folder)
    return _asking(places, load)


def asker(folder: Path) -> Ask:
    """Do as `ask_held_out` does, for the folder of a run."""
    run, load = Run.load(folder), cache(predicting.load)
    if run.kind == SPLIT:
        return lambda keys, images: predicting.predict(load(folder), images)
    places = models_of(folder, run)
    for place in {place for found in places.values() for place in found}:
        load(place)
    return _asking(places, load)


def _asking(places: dict[Key, list[Path]], load: Callable[[Path], predicting.Model]) -> Ask:
    def ask(keys: Iterable[Key], images: Iterable[Image.Image]) -> Iterator[float]:
        for key, image in zip(keys, images, strict=True):
            yield mean_of([next(predicting.predict(load(place), [image])) for place in places[key]])

    return ask
